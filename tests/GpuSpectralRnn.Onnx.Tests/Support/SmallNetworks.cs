using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Onnx.Tests.Support;

/// <summary>Small networks whose every weight and bias counts.</summary>
internal static class SmallNetworks
{
    /// <summary>A network of uniform weights, no larger than 1.5 over the square root of what a unit sums.</summary>
    public static Network Make(Architecture architecture, IBackend backend, int seed = 3)
    {
        Random random = new(seed);
        Network network = new(architecture, backend);
        foreach (ParameterSpec slot in network.Parameters.Slots)
        {
            double scale = slot.Shape.Rank == 1 ? 0.5 : 1.5 / Math.Sqrt(slot.Shape.Columns);
            float[] values = [.. Enumerable.Range(0, (int)slot.Shape.Count).Select(_ => (float)(scale * ((random.NextDouble() * 2) - 1)))];
            network.Parameters.Write(slot.Name, values);
        }

        return network;
    }

    /// <summary>What the network answers to sequences [batch, steps, I], as they stand.</summary>
    public static float[] Predict(Network network, float[] x, int batch, int steps)
    {
        int width = x.Length / (batch * steps);
        float[] turned = new float[x.Length];
        for (int b = 0; b < batch; b++)
            for (int t = 0; t < steps; t++) x.AsSpan(((b * steps) + t) * width, width).CopyTo(turned.AsSpan(((t * batch) + b) * width));
        using Tensor input = network.Backend.Allocate(new Shape(steps, batch, width));
        input.CopyFrom<float>(turned);
        return network.Forward(input).ToArray();
    }
}
