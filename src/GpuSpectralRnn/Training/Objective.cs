using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Training;

/// <summary>The loss that belongs to a network's task: the mean over the rows of a batch that count.</summary>
internal static class Objective
{
    /// <summary>
    /// Adds the batch's losses to <paramref name="totals"/> and writes the gradient of their mean, where wanted (it may be the outputs themselves).
    /// </summary>
    public static void Apply(Network network, Tensor outputs, DeviceBatches feed, Tensor? gradient, LossTotals totals)
    {
        ILossOps loss = network.Backend.Loss;
        float scale = 1f / Math.Max(1, feed.CountedRows);
        if (network.Architecture.Task == TaskKind.Classification) loss.SoftmaxCrossEntropy(new(outputs, feed.Targets!, scale, gradient, totals));
        else loss.MeanSquaredError(new(outputs, feed.Targets!, scale, gradient, totals));
    }
}
