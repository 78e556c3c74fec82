using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Host;

/// <summary>
/// Above 8,192 rows (T B) the weight gradients are summed in slices. The gradient of a batch is the sum of its halves' gradients, and those are too
/// short for slices.
/// </summary>
public class LongSequenceTests
{
    private const int Steps = 300;
    private const int Inputs = 3;

    [Theory]
    [InlineData(CellKind.RnnTanh, 19)]
    [InlineData(CellKind.Lstm, 8)]
    [InlineData(CellKind.Gru, 9)]
    public void Gradients_of_a_long_batch_are_those_of_its_halves(CellKind cell, int hidden)
    {
        using HostBackend backend = new(2);
        float[] whole = Gradients(backend, cell, hidden, 0, 29);
        float[] first = Gradients(backend, cell, hidden, 0, 14);
        float[] second = Gradients(backend, cell, hidden, 14, 15);
        double[] sum = [.. first.Zip(second, (a, b) => (double)a + b)];

        // 8,700 terms of size up to 1, each rounded at 6e-8, in three orders: the sums are of size 100, errors of size 6e-8 x 100 x sqrt(8700).
        Close.Equal(sum, whole, rtol: 1e-4, atol: 1e-3);
    }

    private static float[] Gradients(HostBackend backend, CellKind cell, int hidden, int from, int batch)
    {
        int rows = cell.Gates() * hidden;
        using Tensor parameters = backend.Allocate(new Shape(rows * (Inputs + hidden + 2)));
        using Tensor gradients = backend.Allocate(parameters.Shape);
        using Tensor input = backend.Allocate(new Shape(Steps, batch, Inputs));
        using Tensor output = backend.Allocate(new Shape(Steps, batch, hidden));
        using Tensor outputGradient = backend.Allocate(output.Shape);
        using RecurrentWorkspace workspace = backend.Recurrent.Prepare(new RecurrentShape(cell, Steps, batch, Inputs, hidden), isTraining: true);
        backend.Random.Uniform(new(parameters, Seed: 1, Stream: 0, -0.3f, 0.3f));
        Fill(input, from, Inputs, stream: 1);
        Fill(outputGradient, from, hidden, stream: 2);
        RecurrentWeights Split(Tensor flat) => new(
            flat.View(0, rows, Inputs), flat.View(rows * Inputs, rows, hidden), flat.View(rows * (Inputs + hidden), rows), flat.View(rows * (Inputs + hidden + 1), rows));
        backend.Recurrent.Forward(new(workspace, Split(parameters), input, null, output));
        backend.Recurrent.Backward(new(workspace, Split(parameters), input, null, output, outputGradient, 0, Split(gradients), null, null));
        return gradients.ToArray();
    }

    // Sequence b of the batch is sequence from + b of one stream, whatever the batch.
    private static void Fill(Tensor tensor, int from, int width, ulong stream)
    {
        int batch = tensor.Shape[1];
        float[] values = new float[tensor.Count];
        for (int i = 0; i < values.Length; i++)
        {
            int step = i / width / batch, sequence = from + i / width % batch;
            values[i] = Kernels.Philox.Uniform(seed: 7, stream, ((ulong)step * 64 + (ulong)sequence) * (ulong)width + (ulong)(i % width)) - 0.5f;
        }

        tensor.CopyFrom<float>(values);
    }
}
