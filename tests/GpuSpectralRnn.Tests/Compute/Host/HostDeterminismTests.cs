using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Host;

/// <summary>Any number of threads gives the same bits: problems large enough to be shared out, of sizes that no number of threads divides.</summary>
public class HostDeterminismTests
{
    [Theory]
    [InlineData(false, false, 97, 203, 301)]
    [InlineData(true, false, 203, 97, 301)]
    [InlineData(false, true, 150, 1100, 129)]
    [InlineData(true, true, 301, 70, 257)]
    public void Gemm(bool transposeA, bool transposeB, int m, int n, int k) => SameBits(backend =>
    {
        using Tensor a = Random(backend, 1, transposeA ? [k, m] : [m, k]);
        using Tensor b = Random(backend, 2, transposeB ? [n, k] : [k, n]);
        using Tensor c = Random(backend, 3, m, n);
        backend.Matrix.Gemm(new(transposeA, transposeB, 1.5f, a, b, 0.5f, c));
        return c.ToArray();
    });

    /// <summary>A single row is not packed: its additions are those of every product.</summary>
    [Theory]
    [InlineData(32, 131)]
    [InlineData(330, 260)]
    [InlineData(2500, 129)]
    public void Gemm_of_a_row_has_the_bits_of_that_row_of_a_larger_one(int n, int k) => SameBits(backend =>
    {
        using Tensor a = Random(backend, 1, 3, k);
        using Tensor b = Random(backend, 2, n, k);
        using Tensor c = Random(backend, 3, 3, n);
        using Tensor row = backend.Allocate(new Shape(1, n));
        row.CopyFrom<float>(c.ToArray().AsSpan(0, n));
        backend.Matrix.Gemm(new(false, true, 1, a, b, 1, c));
        backend.Matrix.Gemm(new(false, true, 1, a.View(0, 1, k), b, 1, row));
        Assert.Equal(c.ToArray()[..n], row.ToArray());
        return row.ToArray();
    });

    /// <summary>Every height of a tile and number of its vectors, whole or not, A packed or not, has the bits of single rows.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(21)]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(41)]
    [InlineData(77)]
    public void Gemm_of_every_height(int n)
    {
        const int Most = 25, Terms = 131;
        using HostBackend backend = new(1);
        using Tensor a = Random(backend, 1, Most, Terms);
        using Tensor b = Random(backend, 2, Terms, n);
        using Tensor c = backend.Allocate(new Shape(Most, n));
        for (int row = 0; row < Most; row++) backend.Matrix.Gemm(new(false, false, 1, a.View(row * Terms, 1, Terms), b, 0, c.View(row * n, 1, n)));
        float[] expected = c.ToArray(), left = a.ToArray();
        for (int rows = 1; rows <= Most; rows++)
        {
            using Tensor turned = backend.Allocate(new Shape(Terms, rows));
            turned.CopyFrom<float>([.. Enumerable.Range(0, Terms * rows).Select(i => left[(i % rows * Terms) + (i / rows)])]);
            using Tensor product = backend.Allocate(new Shape(rows, n));
            backend.Matrix.Gemm(new(false, false, 1, a.View(0, rows, Terms), b, 0, product));
            Assert.Equal(expected[..(rows * n)], product.ToArray());
            backend.Matrix.Gemm(new(true, false, 1, turned, b, 0, product));
            Assert.Equal(expected[..(rows * n)], product.ToArray());
        }
    }

    /// <summary>Large weights, of which parts are asked for before their turn, give the bits of small ones.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(33)]
    public unsafe void Weights_from_main_memory(int rows)
    {
        const int Terms = 300, Columns = 77;
        using PackedColumns near = new(Terms, ColumnGroups.All(Columns), Columns, areFar: false), far = new(Terms, ColumnGroups.All(Columns), Columns, areFar: true);
        float[] w = Numbers.Normal(Terms * Columns, 1), a = Numbers.Normal(rows * Terms, 2), add = Numbers.Normal(rows * Columns, 3);
        Assert.Equal(Product(near), Product(far));

        float[] Product(PackedColumns weights)
        {
            float[] c = new float[rows * Columns];
            fixed (float* wp = w, ap = a, addp = add, cp = c)
            {
                for (int panel = 0; panel < weights.Panels; panel++) weights.PackPanel(wp, Terms, isTransposed: true, panel);
                weights.Multiply(rows, ap, Terms, cp, Columns, addp, Columns);
            }

            return c;
        }
    }

    [Theory]
    [InlineData(CellKind.RnnTanh, 5, 37, 11, 43)]
    [InlineData(CellKind.RnnRelu, 9, 64, 1, 128)]
    [InlineData(CellKind.RnnRelu, 3, 7, 300, 65)]
    [InlineData(CellKind.Lstm, 5, 37, 11, 43)]
    [InlineData(CellKind.Gru, 9, 64, 3, 64)]
    [InlineData(CellKind.GruResetBefore, 7, 39, 5, 45)]
    [InlineData(CellKind.LstmPeephole, 6, 35, 5, 41)]
    [InlineData(CellKind.RnnTanh, 300, 29, 3, 19)]
    [InlineData(CellKind.RnnTanh, 13, 1, 3, 290)] // from here on the units are shared out, and their steps met for
    [InlineData(CellKind.Lstm, 13, 1, 11, 150)]
    [InlineData(CellKind.Gru, 12, 1, 5, 181)]
    [InlineData(CellKind.LstmPeephole, 11, 1, 7, 163)]
    [InlineData(CellKind.Lstm, 3, 20, 7, 371)] // weights so large that they are in a larger batch too, if threads are many enough
    [InlineData(CellKind.Gru, 3, 13, 5, 421)]
    public void Recurrent_layer(CellKind cell, int t, int b, int i, int h) => SameBits(backend =>
    {
        float[] parameters = Numbers.Normal((cell.Gates() * h * (i + h + 2)) + (3 * h), 1);
        float[] all = [.. Pass(backend, new(cell, t, b, i, h), parameters, null)];
        int[] lengths = Numbers.Integers(b, 5, 0, t + 1);
        foreach (bool isReverse in new[] { false, true })
            all = [.. all, .. Pass(backend, new(cell, t, b, i, h) { IsReverse = isReverse }, parameters, lengths)];
        return all;
    });

    /// <summary>Whether blocks of zeros are skipped is decided alike by any number of threads; sums of more than one pass over k differ where they are.</summary>
    [Theory]
    [InlineData(CellKind.Lstm, 13, 1, 150)]
    [InlineData(CellKind.Gru, 12, 1, 181)]
    [InlineData(CellKind.Lstm, 3, 20, 371)]
    public void Recurrent_layer_with_blocks_of_zeros(CellKind cell, int t, int b, int h) => SameBits(backend =>
    {
        const int Inputs = 11;
        int rows = cell.Gates() * h;
        float[] parameters = Numbers.Normal(rows * (Inputs + h + 2), 1);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < h; column++)
                if (((row % h / 16 * 7) + (column / 16 * 3)) % 10 < 4 + (row / h)) parameters[(rows * Inputs) + (row * h) + column] = 0; // gate by gate more
        }

        return Pass(backend, new(cell, t, b, Inputs, h), parameters, null);
    });

    // All that a pass over a layer and back makes.
    private static float[] Pass(HostBackend backend, RecurrentShape shape, float[] numbers, int[]? lengths)
    {
        (CellKind cell, int t, int b, int i, int h) = shape;
        int g = cell.Gates();
        using RecurrentWorkspace workspace = backend.Recurrent.Prepare(shape, isTraining: true);
        using Tensor parameters = backend.Allocate(new Shape(numbers.Length));
        parameters.CopyFrom<float>(numbers);
        using Tensor gradients = backend.Allocate(parameters.Shape);
        backend.Optimizer.ClipGlobalNorm(new(parameters, MathF.Sqrt(h), gradients.View(0, 1)));
        backend.Fill(gradients, 0);
        RecurrentWeights Split(Tensor flat) => new(
            flat.View(0, g * h, i), flat.View(g * h * i, g * h, h), flat.View(g * h * (i + h), g * h), flat.View(g * h * (i + h + 1), g * h),
            CellSpec.From(cell).HasPeepholes ? flat.View(g * h * (i + h + 2), 3 * h) : null);
        using Tensor input = Random(backend, 2, t, b, i);
        using Tensor initial = Random(backend, 3, b, h);
        using Tensor output = backend.Allocate(new Shape(t, b, h));
        using Tensor final = backend.Allocate(new Shape(b, h));
        using Tensor outputGradient = Random(backend, 4, t, b, h);
        using Tensor inputGradient = backend.Allocate(new Shape(t, b, i));
        using Tensor initialGradient = backend.Allocate(new Shape(b, h));
        using Tensor? valid = lengths is null ? null : backend.Allocate(new Shape(b), ElementType.Int32);
        valid?.CopyFrom<int>(lengths);
        RecurrentState start = new(initial);
        backend.Recurrent.Forward(new(workspace, Split(parameters), input, start, output, new RecurrentState(final), valid));
        float[] states = output.ToArray();
        backend.Recurrent.Backward(new(
            workspace, Split(parameters), input, start, output, outputGradient, 1, Split(gradients), inputGradient, new RecurrentState(initialGradient), valid));
        return
        [
            .. states, .. final.ToArray(), .. gradients.ToArray(), .. inputGradient.ToArray(), .. initialGradient.ToArray(),
            .. workspace.ProductGradient!.ToArray(),
        ];
    }

    /// <summary>
    /// Whatever tiles, blocks of steps and panels its batch is multiplied in; sums of more than one pass over k, columns that fill no panel, and weights
    /// that are asked for ahead.
    /// </summary>
    [Theory]
    [InlineData(CellKind.RnnTanh, 140)]
    [InlineData(CellKind.Lstm, 140)]
    [InlineData(CellKind.Lstm, 370)]
    [InlineData(CellKind.Gru, 140)]
    [InlineData(CellKind.GruResetBefore, 140)]
    [InlineData(CellKind.LstmPeephole, 140)]
    public void A_sequence_has_the_same_bits_alone_and_in_any_batch(CellKind cell, int hidden) => SameBits(backend =>
    {
        (int steps, int inputs) = (14, 131);
        int rows = cell.Gates() * hidden;
        using Tensor inputWeights = Random(backend, 1, rows, inputs);
        using Tensor hiddenWeights = Random(backend, 2, rows, hidden);
        using Tensor biases = Random(backend, 3, 2, rows);
        using Tensor peepholes = Random(backend, 4, 3 * hidden);
        backend.Optimizer.ClipGlobalNorm(new(inputWeights, MathF.Sqrt(inputs), biases.View(0, 1)));
        backend.Optimizer.ClipGlobalNorm(new(hiddenWeights, MathF.Sqrt(hidden), biases.View(0, 1)));
        RecurrentWeights weights = new(
            inputWeights, hiddenWeights, biases.View(0, rows), biases.View(rows, rows), CellSpec.From(cell).HasPeepholes ? peepholes : null);
        float[] sequence = Numbers.Normal(steps * inputs, 5);
        float[]? alone = null;
        foreach (int batch in new[] { 1, 2, 5, 6, 9, 20, 67 })
        {
            float[] all = new float[steps * batch * inputs];
            for (int row = 0; row < steps * batch; row++) sequence.AsSpan(row / batch * inputs, inputs).CopyTo(all.AsSpan(row * inputs));
            using Tensor input = backend.Allocate(new Shape(steps, batch, inputs));
            input.CopyFrom<float>(all);
            using Tensor output = backend.Allocate(new Shape(steps, batch, hidden));
            using RecurrentWorkspace workspace = backend.Recurrent.Prepare(new RecurrentShape(cell, steps, batch, inputs, hidden), isTraining: false);
            backend.Recurrent.Forward(new(workspace, weights, input, null, output));
            float[] states = output.ToArray();
            alone ??= states;
            for (int row = 0; row < steps * batch; row++)
                Assert.Equal(alone.AsSpan(row / batch * hidden, hidden), states.AsSpan(row * hidden, hidden));
        }

        return alone!;
    });

    [Fact]
    public void Sums_losses_steps_and_random_numbers() => SameBits(backend =>
    {
        using Tensor x = backend.Allocate(new Shape(411, 523));
        backend.Random.Normal(new(x, 1, 2, 0, 3));
        using Tensor y = backend.Allocate(new Shape(411, 523));
        backend.Random.Uniform(new(y, 3, 4, -1, 2));
        using Tensor sums = backend.Allocate(new Shape(523));
        backend.Matrix.ColumnSums(new(x, 0, sums));
        using Tensor labels = backend.Allocate(new Shape(411), ElementType.Int32);
        labels.CopyFrom<int>(Numbers.Integers(411, 5, -1, 523));
        using Tensor gradient = backend.Allocate(new Shape(411, 523));
        using LossTotals totals = backend.Loss.CreateTotals();
        backend.Loss.SoftmaxCrossEntropy(new(x, labels, 1, gradient, totals));
        backend.Loss.MeanSquaredError(new(x, y, 1, null, totals));
        using Tensor norm = backend.Allocate(new Shape(1));
        backend.Optimizer.ClipGlobalNorm(new(gradient, 0.1f, norm));
        using Tensor first = backend.Allocate(x.Shape);
        using Tensor second = backend.Allocate(x.Shape);
        backend.Optimizer.Adam(new(y, gradient, first, second, new(0.01f, 0.9f, 0.99f, 1e-8f, 0.1f, true, 3)));
        double loss = totals.Read().Loss;
        float upper = (float)loss;
        return [.. y.ToArray(), .. sums.ToArray(), .. norm.ToArray(), upper, (float)(loss - upper)]; // the loss in two parts
    });

    [Fact]
    public void Second_moments() => SameBits(backend =>
    {
        double[] sums = new double[40 * 40];
        using Tensor x = Random(backend, 1, 3000, 40);
        using GramAccumulator gram = backend.Spectral.CreateGram(40);
        gram.Add(new(x));
        gram.Read(sums);
        return [.. sums.Select(sum => (float)sum), .. sums.Select(sum => (float)(sum - (float)sum))]; // each in two parts
    });

    [Fact]
    public void Attention_and_softmax() => SameBits(backend =>
    {
        AttentionShape shape = new(61, 13, 7, 37);
        using Tensor context = Random(backend, 1, 61, 7, 37), question = Random(backend, 2, 13, 7, 37), weights = Random(backend, 3, 111);
        using Tensor output = backend.Allocate(new Shape(61, 7, 148)), workspace = backend.Allocate(new Shape((int)shape.WorkspaceFor(isTraining: true)));
        using Tensor slope = Random(backend, 4, 61, 7, 148), steps = Random(backend, 5, 97, 83), shares = backend.Allocate(steps.Shape);
        using Tensor toContext = backend.Allocate(context.Shape), toQuestion = backend.Allocate(question.Shape), toWeights = backend.Allocate(weights.Shape);
        AttentionForward forward = new(context, question, weights, output, workspace);
        backend.Attention.Forward(forward);
        backend.Attention.Backward(new(forward, slope, toContext, toQuestion, toWeights));
        backend.Attention.SoftmaxOverSteps(steps, shares);
        backend.Attention.SoftmaxOverStepsBackward(new(shares, steps, steps));
        return [.. output.ToArray(), .. toContext.ToArray(), .. toQuestion.ToArray(), .. toWeights.ToArray(), .. shares.ToArray(), .. steps.ToArray()];
    });

    [Fact]
    public void Characters_and_columns() => SameBits(backend =>
    {
        using Tensor characters = Random(backend, 1, 7, 311, 5), filters = Random(backend, 2, 23, 15), bias = Random(backend, 3, 23);
        using Tensor lengths = backend.Allocate(new Shape(311), ElementType.Int32), places = backend.Allocate(new Shape(311, 23), ElementType.Int32);
        lengths.CopyFrom<int>(Numbers.Integers(311, 4, 0, 8));
        using Tensor output = backend.Allocate(new Shape(311, 23)), toCharacters = backend.Allocate(characters.Shape), scaled = Random(backend, 5, 311, 23);
        ConvolveMaxForward forward = new(characters, filters, bias, lengths, output, places);
        backend.Character.ConvolveMax(forward);
        using Tensor toFilters = backend.Allocate(filters.Shape), toBias = backend.Allocate(bias.Shape);
        backend.Character.ConvolveMaxBackward(new(forward, output, toCharacters, toFilters, toBias));
        using Tensor wide = Random(backend, 6, 901, 203), other = Random(backend, 7, 901, 203), dots = backend.Allocate(new Shape(150));
        backend.Matrix.ColumnDots(new(wide, other, 11, dots));
        backend.Matrix.ScaleColumns(new(wide, 11, dots, wide));
        using Tensor squares = backend.Allocate(new Shape(300));
        backend.Matrix.AddRowSquares(new(other, squares, 3, 0, 300));
        backend.Matrix.ScaleRows(new(other, squares, 3, 0, 300));
        backend.Elementwise.HighwayBackward(new(wide, other, wide, other, wide, other, null));
        return
        [
            .. output.ToArray(), .. toCharacters.ToArray(), .. toFilters.ToArray(), .. toBias.ToArray(), .. dots.ToArray(), .. wide.ToArray(),
            .. other.ToArray(),
        ];
    });

    private static void SameBits(Func<HostBackend, float[]> compute)
    {
        using HostBackend one = new(1);
        float[] expected = compute(one);
        Assert.Contains(expected, x => x != 0);
        foreach (int threads in new[] { 2, 3, 5 })
        {
            using HostBackend backend = new(threads);
            Assert.Equal(expected, compute(backend));
        }
    }

    private static Tensor Random(HostBackend backend, int seed, params int[] extents)
    {
        Tensor tensor = backend.Allocate(new Shape(extents));
        tensor.CopyFrom<float>(Numbers.Normal(tensor.Count, seed));
        return tensor;
    }
}
