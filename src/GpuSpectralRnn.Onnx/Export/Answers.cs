using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>Outputs of a network for sequences in the layout of graphs, and the difference of other outputs from them.</summary>
internal static class Answers
{
    /// <summary>
    /// Single precision keeps 24 bits (6e-8); sums of some thousand products in another order, and through the steps of a recurrence, lose two digits
    /// of it.
    /// </summary>
    public const double Tolerance = 1e-5;

    /// <summary>Runs the network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="x">[batch, steps, I], or tokens [batch, steps]: floats hold their numbers exactly.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="steps">Steps of each.</param>
    /// <param name="lengths">Valid steps of each sequence; null for all.</param>
    /// <param name="continues">Whether it continues from the states at the end of the last call.</param>
    /// <returns>[batch, O], or [batch, steps, O] of a read-out of every step.</returns>
    public static float[] Predict(Network network, float[] x, int batch, int steps, int[]? lengths = null, bool continues = false)
    {
        (Architecture architecture, IBackend backend) = (network.Architecture, network.Backend);
        int width = x.Length / (batch * steps);
        float[] turned = Turned(x, batch, steps, width);
        using Tensor input = architecture.HasEmbedding
            ? backend.Allocate(new Shape(steps, batch), ElementType.Int32)
            : backend.Allocate(new Shape(steps, batch, width));
        if (architecture.HasEmbedding) input.CopyFrom<int>(Array.ConvertAll(turned, number => (int)number));
        else input.CopyFrom<float>(turned);
        using Tensor? valid = lengths is null ? null : backend.Allocate(new Shape(batch), ElementType.Int32);
        valid?.CopyFrom<int>(lengths);
        float[] outputs = network.Forward(new SequenceBatch(input, valid, continues)).ToArray();
        return architecture.Readout == Readout.Every ? Turned(outputs, steps, batch, architecture.Outputs) : outputs;
    }

    /// <summary>[a, b, width] as [b, a, width].</summary>
    public static float[] Turned(float[] x, int a, int b, int width)
    {
        float[] turned = new float[x.Length];
        for (int i = 0; i < a * b; i++) x.AsSpan(i * width, width).CopyTo(turned.AsSpan(((i % b * a) + (i / b)) * width));
        return turned;
    }

    /// <summary>
    /// The largest difference, over the largest absolute value expected where that is above 1; infinite where a number is not finite.
    /// </summary>
    /// <exception cref="RunFailedException">The network's own answers are not finite.</exception>
    public static double Difference(ReadOnlySpan<float> expected, ReadOnlySpan<float> found)
    {
        if (expected.Length != found.Length) return double.PositiveInfinity;
        double largest = 1, worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (!float.IsFinite(expected[i]))
                throw new RunFailedException("The network's answers to random numbers of -1 to 1 are not finite; it cannot be checked.");
            if (!float.IsFinite(found[i])) return double.PositiveInfinity;
            largest = Math.Max(largest, Math.Abs(expected[i]));
            worst = Math.Max(worst, Math.Abs((double)expected[i] - found[i]));
        }

        return worst / largest;
    }
}
