using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using ILGPU;
using ILGPU.Runtime.CPU;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>
/// Reductions as real devices compute them, on a simulator wide enough: the softmax over a vocabulary, a row a group of 256, and the norm of many
/// gradients in two rounds. Slow there, so few and small cases.
/// </summary>
public sealed class WideReductionTests : IDisposable
{
    private readonly Context context = Context.Create(builder => builder.CPU(new CPUDevice(32, 8, 1)));
    private readonly IlgpuBackend wide;

    public WideReductionTests()
    {
        KernelLoader loader = new(context.CreateCPUAccelerator(0), isSimulator: false);
        wide = new IlgpuBackend(new DeviceInfo("wide", "wide simulator", 1 << 30, HasFloat64: true), loader);
    }

    public void Dispose()
    {
        wide.Dispose();
        context.Dispose();
    }

    [Theory]
    [InlineData(128)] // one round
    [InlineData(129)]
    [InlineData(1024)]
    [InlineData(5003)] // more gradients than items
    public void The_norm_of_many_gradients(int count)
    {
        float[] values = Numbers.Normal(count, 1);
        double expected = Math.Sqrt(values.Sum(x => (double)x * x));
        using Tensor gradients = wide.Allocate(new Shape(count)), norm = wide.Allocate(new Shape(1));
        gradients.CopyFrom<float>(values);
        wide.Optimizer.ClipGlobalNorm(gradients, 1, norm);

        Close.Equal(expected, norm.ToArray()[0], 1e-6, 0); // compensated sums, one rounding at the end
        Close.Equal(1, Math.Sqrt(gradients.ToArray().Sum(x => (double)x * x)), 1e-5, 0); // limit / (norm + 1e-6)
    }

    [Theory]
    [InlineData(511)] // one item per row
    [InlineData(512)]
    [InlineData(769)]
    public void Rows_in_groups_equal_those_of_the_host(int classes)
    {
        using HostBackend host = new(1);
        float[] logits = Numbers.Normal(4L * classes, 1);
        logits[2 * classes + 3] = logits[2 * classes + 300] = 9; // the first of equals is the largest
        int[] labels = [classes - 1, -1, 3, 300];
        (float[] expected, LossSums sums) = Run(host);
        (float[] gradient, LossSums found) = Run(wide);

        Close.Equal(expected, gradient, 1e-5, 1e-9, "gradient"); // sums of some hundred exponentials in single precision
        Close.Equal(sums.Loss, found.Loss, 1e-6, 0, "loss");
        Assert.Equal(sums with { Loss = 0 }, found with { Loss = 0 });

        (float[] Gradient, LossSums Sums) Run(IBackend backend)
        {
            using Tensor x = backend.Allocate(new Shape(4, classes)), y = backend.Allocate(new Shape(4), ElementType.Int32);
            using LossTotals totals = backend.Loss.CreateTotals();
            x.CopyFrom<float>(logits);
            y.CopyFrom<int>(labels);
            backend.Loss.SoftmaxCrossEntropy(x, y, 0.25f, gradient: null, totals);
            backend.Loss.SoftmaxCrossEntropy(x, y, 0.25f, x, totals);
            return (x.ToArray(), totals.Read());
        }
    }

    [Theory]
    [InlineData(511)] // one item per row
    [InlineData(512)]
    [InlineData(769)]
    public void Divergences_in_groups_equal_those_of_the_host(int classes)
    {
        using HostBackend host = new(1);
        float[] logits = Numbers.Normal(3L * classes, 1);
        float[] targets = Numbers.Normal(3L * classes, 2);
        logits[classes + 5] = logits[classes + 400] = targets[classes + 5] = 9; // agrees: the first of equals is the largest
        targets[7] = float.NegativeInfinity; // no share of the row
        (float[] expected, LossSums sums) = Run(host);
        (float[] gradient, LossSums found) = Run(wide);

        Close.Equal(expected, gradient, 1e-5, 1e-8, "gradient"); // sums of some hundred exponentials in single precision, a difference of two shares
        Close.Equal(sums.Loss, found.Loss, 1e-5, 0, "loss");
        Assert.Equal(sums with { Loss = 0 }, found with { Loss = 0 });

        (float[] Gradient, LossSums Sums) Run(IBackend backend)
        {
            using Tensor x = backend.Allocate(new Shape(3, classes)), y = backend.Allocate(new Shape(3, classes));
            using LossTotals totals = backend.Loss.CreateTotals();
            x.CopyFrom<float>(logits);
            y.CopyFrom<float>(targets);
            backend.Loss.SoftmaxDivergence(x, y, 0.25f, gradient: null, totals);
            backend.Loss.SoftmaxDivergence(x, y, 0.25f, x, totals);
            return (x.ToArray(), totals.Read());
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 85)] // less than a group
    [InlineData(37, 128)] // several groups, each with several numbers a thread
    public void Squared_errors_in_groups_equal_those_of_the_host(int rows, int columns)
    {
        using HostBackend host = new(1);
        float[] predictions = Numbers.Normal(rows * columns, 1);
        (float[] expected, LossSums sums) = Run(host);
        (float[] gradient, LossSums found) = Run(wide);

        Close.Equal(expected, gradient, 1e-6, 1e-9, "gradient"); // a few roundings each
        Close.Equal(sums.Loss, found.Loss, 1e-6, 0, "loss"); // compensated sums, a rounding for each division
        Assert.Equal(sums with { Loss = 0 }, found with { Loss = 0 });

        (float[] Gradient, LossSums Sums) Run(IBackend backend)
        {
            using Tensor x = backend.Allocate(new Shape(rows, columns)), y = backend.Allocate(new Shape(rows, columns));
            using LossTotals totals = backend.Loss.CreateTotals();
            x.CopyFrom<float>(predictions);
            y.CopyFrom<float>(Numbers.Normal(rows * columns, 2));
            backend.Loss.MeanSquaredError(x, y, 0.5f, gradient: null, totals);
            backend.Loss.MeanSquaredError(x, y, 0.5f, x, totals);
            return (x.ToArray(), totals.Read());
        }
    }
}
