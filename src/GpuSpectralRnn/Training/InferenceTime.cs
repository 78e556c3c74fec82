using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>Measures the time of a network's forward pass.</summary>
public static class InferenceTime
{
    /// <summary>
    /// Median time of a forward pass per sequence, over one batch that is already on the device: after two warm-up passes each pass is timed until
    /// the device has finished.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="data">Source of the batch.</param>
    /// <param name="batchSize">Sequences of the batch, or all if there are fewer.</param>
    /// <param name="passes">Passes that are timed.</param>
    /// <returns>Milliseconds.</returns>
    /// <exception cref="InvalidCallException">The data do not fit the network.</exception>
    public static double MillisecondsPerSequence(Network network, ISequenceData data, int batchSize, int passes = 15)
    {
        network.Recipe.CheckFits(data.Layout, data.Name);
        using DeviceBatches feed = new(data, network.Backend, batchSize);
        feed.Next();
        return MedianTime.Measure(network.Backend, () => network.Forward(feed.Current), passes) / feed.Size;
    }
}
