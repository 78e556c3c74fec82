using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>Every operation on the host and on ILGPU's simulator, from the same numbers: another backend changes a run by rounding only.</summary>
[Collection("ilgpu-cpu")]
public sealed class HostAgainstIlgpuTests(IlgpuCpuDevice device) : IDisposable
{
    private readonly List<IDisposable> owned = [];

    public void Dispose()
    {
        foreach (IDisposable thing in Enumerable.Reverse(owned)) thing.Dispose();
    }

    [Fact]
    public void Products() => Agree(backend =>
    {
        Tensor c = Random(backend, 3, 13, 17);
        backend.Matrix.Gemm(true, false, 0.5f, Random(backend, 1, 19, 13), Random(backend, 2, 19, 17), 2, c);
        return [c];
    });

    [Fact]
    public void Linear_layers() => Agree(backend =>
    {
        (Tensor x, Tensor w, Tensor y) = (Random(backend, 1, 9, 11), Random(backend, 2, 5, 11), Random(backend, 3, 9, 5));
        (Tensor dx, Tensor dw, Tensor db) = (Random(backend, 4, 9, 11), Random(backend, 5, 5, 11), Random(backend, 6, 5));
        backend.Matrix.Linear(x, w, Random(backend, 7, 5), y);
        backend.Matrix.LinearBackward(x, w, y, dx, dw, db);
        return [y, dx, dw, db];
    });

    [Fact]
    public void Sums_and_means() => Agree(backend =>
    {
        (Tensor x, Tensor sums) = (Random(backend, 1, 37, 3, 5), Random(backend, 2, 5));
        (Tensor mean, Tensor spread) = (Random(backend, 3, 3, 5), Random(backend, 4, 7, 3, 5));
        backend.Matrix.ColumnSums(x, -1, sums);
        backend.Matrix.MeanOverSteps(x, mean);
        backend.Matrix.SpreadOverSteps(mean, spread);
        return [sums, mean, spread];
    });

    [Fact]
    public void Steps_by_length_and_embeddings() => Agree(backend =>
    {
        (Tensor x, Tensor mean, Tensor last) = (Random(backend, 1, 7, 3, 5), Random(backend, 2, 3, 5), Random(backend, 3, 3, 6));
        (Tensor spread, Tensor scattered) = (Random(backend, 4, 7, 3, 5), Random(backend, 5, 7, 3, 5));
        (Tensor table, Tensor rows, Tensor gradient) = (Random(backend, 6, 11, 5), Random(backend, 7, 21, 5), Random(backend, 8, 11, 5));
        Tensor lengths = Own(backend.Allocate(new Shape(3), ElementType.Int32)), tokens = Own(backend.Allocate(new Shape(21), ElementType.Int32));
        lengths.CopyFrom<int>([7, 0, 2]);
        tokens.CopyFrom<int>(Numbers.Integers(21, 9, 0, 11));
        backend.Matrix.MeanOverSteps(x, mean, lengths);
        backend.Matrix.LastSteps(x, lengths, last);
        backend.Matrix.SpreadOverSteps(mean, spread, lengths);
        backend.Matrix.SpreadToLastSteps(last, lengths, scattered);
        backend.Embedding.Forward(tokens, table, rows);
        backend.Embedding.Backward(tokens, x.View(0, 21, 5), gradient);
        return [mean, last, spread, scattered, rows, gradient];
    });

    [Theory]
    [InlineData(CellKind.RnnRelu, false)]
    [InlineData(CellKind.RnnTanh, true)]
    [InlineData(CellKind.Lstm, false)]
    [InlineData(CellKind.Lstm, true)]
    [InlineData(CellKind.Gru, false)]
    [InlineData(CellKind.Gru, true)]
    public void Recurrent_layers(CellKind cell, bool isReverse) => Agree(backend =>
    {
        (int t, int b, int i, int h) = (9, 5, 3, 14);
        RecurrentShape shape = new(cell, t, b, i, h) { IsReverse = isReverse };
        RecurrentWeights weights = Weights(backend, shape, 10);
        RecurrentWeights gradients = Weights(backend, shape, 20);
        RecurrentState State(int seed) => new(Random(backend, seed, b, h), cell == CellKind.Lstm ? Random(backend, seed + 1, b, h) : null);
        (RecurrentState start, RecurrentState end, RecurrentState dstart) = (State(50), State(60), State(70));
        (Tensor x, Tensor states) = (Random(backend, 1, t, b, i), Random(backend, 3, t, b, h));
        (Tensor dh, Tensor dx) = (Random(backend, 4, t, b, h), Random(backend, 5, t, b, i));
        Tensor lengths = Own(backend.Allocate(new Shape(b), ElementType.Int32));
        lengths.CopyFrom<int>([9, 1, 4, 0, 7]);
        using RecurrentWorkspace workspace = backend.Recurrent.Prepare(shape, isTraining: true);
        backend.Recurrent.Forward(new(workspace, weights, x, start, states, end, lengths));
        backend.Recurrent.Backward(new(workspace, weights, x, start, states, dh, 3, gradients, dx, dstart, lengths));
        Tensor product = Random(backend, 6, t, b, shape.GateRows);
        backend.Copy(workspace.ProductGradient!, product);
        Tensor?[] cells = [end.Cell, dstart.Cell];
        return
        [
            states, dx, end.Hidden, dstart.Hidden, product,
            gradients.InputWeights, gradients.HiddenWeights, gradients.InputBias, gradients.HiddenBias, .. cells.OfType<Tensor>(),
        ];
    });

    [Fact]
    public void Second_moments_and_eigenvalues()
    {
        double[][] sums = [.. Both().Select(backend =>
        {
            using GramSums gram = backend.Spectral.CreateGram(13);
            gram.Add(Random(backend, 1, 5, 7, 13), Filled(backend, [1, 0, 0.5f, 3, 2], 5));
            double[] result = new double[169];
            Assert.Equal(45.5, gram.Read(result));
            return result;
        })];
        Close.Equal(sums[0], sums[1], 1e-13, 1e-13, "sums of the same products in another order");

        double[][] values = [.. Both().Select(backend =>
        {
            double[] result = new double[13];
            backend.Spectral.SymmetricEigen(13, sums[0], result, new double[169]);
            return result;
        })];
        Close.Equal(values[0], values[1], 0, 1e-13 * values[0][0], "values: n eps of the largest, twice");
    }

    [Fact]
    public void Losses()
    {
        LossSums[] sums = new LossSums[2];
        int turn = 0;
        Agree(backend =>
        {
            (Tensor x, Tensor gradient, Tensor difference) = (Random(backend, 1, 31, 7), Random(backend, 2, 31, 7), Random(backend, 3, 31, 7));
            Tensor labels = Own(backend.Allocate(new Shape(31), ElementType.Int32));
            labels.CopyFrom<int>(Numbers.Integers(31, 4, -1, 7));
            using LossTotals totals = backend.Loss.CreateTotals();
            backend.Loss.SoftmaxCrossEntropy(x, labels, 0.1f, gradient, totals);
            backend.Loss.MeanSquaredError(x, difference, 0.1f, x, totals);
            sums[turn++] = totals.Read();
            return [gradient, x];
        });
        Close.Equal(sums[0].Loss, sums[1].Loss, 1e-6, 0, "loss"); // rows in single precision, sums in more
        Assert.Equal(sums[0] with { Loss = 0 }, sums[1] with { Loss = 0 });
    }

    [Fact]
    public void Optimizers_and_clipping() => Agree(backend =>
    {
        Tensor[] p = [.. Enumerable.Range(0, 5).Select(_ => Random(backend, 1, 1003))];
        Tensor[] state = [.. Enumerable.Range(0, 6).Select(_ => Own(backend.Allocate(new Shape(1003))))];
        (Tensor g, Tensor norm) = (Random(backend, 2, 1003), Own(backend.Allocate(new Shape(1))));
        for (int step = 1; step <= 3; step++)
        {
            backend.Optimizer.ClipGlobalNorm(g, 20, norm);
            backend.Optimizer.Sgd(p[0], g, 0.1f, 0.01f);
            backend.Optimizer.Momentum(p[1], g, state[0], 0.1f, 0.9f, 0.01f);
            backend.Optimizer.RmsProp(p[2], g, state[1], 0.01f, 0.99f, 1e-8f, 0.01f);
            backend.Optimizer.Adam(new(p[3], g, state[2], state[3], 0.01f, 0.9f, 0.999f, 1e-8f, 0.01f, false, step));
            backend.Optimizer.Adam(new(p[4], g, state[4], state[5], 0.01f, 0.9f, 0.999f, 1e-8f, 0.01f, true, step));
        }

        return [.. p, .. state, g, norm];
    });

    [Fact]
    public void Uniform_numbers_have_the_same_bits()
    {
        float[][] numbers = [.. Both().Select(backend =>
        {
            Tensor x = Random(backend, 1, 1003);
            backend.Random.Uniform(x, 0x123456789ABCDEF0, 7, 0, 1);
            return x.ToArray();
        })];
        Assert.Equal(numbers[0], numbers[1]);
    }

    [Fact]
    public void Normal_numbers() => Agree(backend =>
    {
        Tensor x = Random(backend, 1, 1003);
        backend.Random.Normal(x, 0x123456789ABCDEF0, 7, 1, 2);
        return [x];
    });

    private IBackend[] Both() => [Own(new HostBackend(2)), device.Backend];

    // Sums of some tens of products of unit numbers in another order: 1e-6 each way, and a few of them on top of each other.
    private void Agree(Func<IBackend, Tensor[]> run)
    {
        Tensor[][] results = [.. Both().Select(run)];
        Assert.Equal(results[0].Length, results[1].Length);
        for (int i = 0; i < results[0].Length; i++) Close.Equal(results[0][i], results[1][i], 1e-5, 1e-5, $"result {i}");
    }

    private RecurrentWeights Weights(IBackend backend, RecurrentShape shape, int seed) => new(
        Random(backend, seed, shape.GateRows, shape.Inputs),
        Filled(backend, Numbers.Normal((long)shape.GateRows * shape.Hidden, seed + 1, 0.2f), shape.GateRows, shape.Hidden),
        Random(backend, seed + 2, shape.GateRows),
        Random(backend, seed + 3, shape.GateRows));

    private Tensor Random(IBackend backend, int seed, params int[] extents) =>
        Filled(backend, Numbers.Normal(new Shape(extents).Count, seed), extents);

    private Tensor Filled(IBackend backend, float[] values, params int[] extents)
    {
        Tensor tensor = Own(backend.Allocate(new Shape(extents)));
        tensor.CopyFrom<float>(values);
        return tensor;
    }

    private T Own<T>(T thing)
        where T : IDisposable
    {
        owned.Add(thing);
        return thing;
    }
}
