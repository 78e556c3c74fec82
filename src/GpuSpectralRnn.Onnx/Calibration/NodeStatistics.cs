using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Spectral;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>Accumulates the second moments of a recurrent node's states, for each direction.</summary>
internal sealed class NodeStatistics
{
    private const int Chunk = 1024;

    private readonly int hidden;
    private readonly int[] filled;
    private readonly Matrix[] pending;

    /// <summary>Starts with zero sums.</summary>
    public NodeStatistics(RecurrentNode node, NodeWeights weights)
    {
        hidden = weights.Hidden;
        filled = new int[weights.Directions];
        pending = [.. filled.Select(_ => new Matrix(Chunk, weights.Hidden))];
        Moments = [.. filled.Select((_, d) => new SecondMoments("", $"{node.Name}, direction {d}", new Matrix(weights.Hidden, weights.Hidden), 0))];
    }

    /// <summary>One for each direction.</summary>
    public SecondMoments[] Moments { get; }

    /// <summary>States seen in each direction.</summary>
    public double Steps => Moments[0].Weight + filled[0];

    /// <summary>Adds states [..., D, N, H]; nothing where the node did not run.</summary>
    /// <returns>Whether it ran.</returns>
    public bool Add(OrtValue states)
    {
        long[] shape = states.GetTensorTypeAndShape().Shape;
        if (shape.Length < 4 || shape.Contains(0)) return false;
        ReadOnlySpan<float> values = states.GetTensorDataAsSpan<float>();
        int directions = filled.Length, batch = (int)shape[^2];
        for (int row = 0; row < values.Length / hidden; row++)
        {
            int d = row / batch % directions;
            Span<double> target = pending[d].Row(filled[d]);
            ReadOnlySpan<float> source = values.Slice(row * hidden, hidden);
            for (int j = 0; j < hidden; j++) target[j] = source[j];
            if (++filled[d] == Chunk) Flush(d);
        }

        return true;
    }

    /// <summary>Adds the buffered states to the moments.</summary>
    /// <exception cref="RunFailedException">A state is NaN or infinite.</exception>
    public void Flush()
    {
        for (int d = 0; d < filled.Length; d++) Flush(d);
    }

    private void Flush(int d)
    {
        if (filled[d] == 0) return;
        Matrix block = Matrix.From(filled[d], hidden, pending[d].Data.AsSpan(0, filled[d] * hidden));
        Moments[d].Add(new SecondMoments("", Moments[d].Layer, Matrix.Product(block, block, transposeA: true), filled[d]));
        filled[d] = 0;
    }
}
