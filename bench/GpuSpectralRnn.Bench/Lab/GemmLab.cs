using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Training;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Bench.Lab;

/// <summary>Runs the steps of <see cref="GemmSteps"/> and the library's product on an ILGPU device: first each is checked, then timed.</summary>
internal sealed class GemmLab(IlgpuBackend backend, int order)
{
    private const int Runs = 5;
    private readonly KernelLoader loader = backend.Loader;

    /// <summary>Prints a line per step.</summary>
    public static void Run(string device, int order)
    {
        if (order < GemmSteps.Block || order % GemmSteps.Block != 0)
            throw new InvalidCallException($"Order {order}: choose a multiple of {GemmSteps.Block}.");
        using IBackend opened = BenchDevices.Open(device);
        if (opened is not IlgpuBackend backend) throw new InvalidCallException($"{device} runs no kernels; choose cuda, opencl, pocl or ilgpu-cpu.");
        new GemmLab(backend, order).Run();
    }

    private void Run()
    {
        using DisposableBag owned = new();
        Tensor a = owned.Keep(backend.Allocate(new Shape(order, order)));
        Tensor b = owned.Keep(backend.Allocate(new Shape(order, order)));
        Tensor c = owned.Keep(backend.Allocate(new Shape(order, order)));
        backend.Random.Normal(new(a, 1, 0, 0, 1));
        backend.Random.Normal(new(b, 1, 1, 0, 1));
        (ArrayView<float> left, ArrayView<float> right, ArrayView<float> result) = (backend.View(a), backend.View(b), backend.View(c));
        AcceleratorStream stream = backend.Stream;
        Console.WriteLine($"{backend.Device.Name}, {order}^3, medians of {Runs}");

        var naive = loader.Items<GemmSteps.Naive>();
        Time("1 naive", () => naive(stream, order * order, new(left, right, result, order)));
        if (loader.Accelerator.MaxNumThreadsPerGroup >= 256)
        {
            var tiles = loader.Groups<GemmSteps.SharedTiles>();
            int across = order / GemmSteps.Tile;
            Time("2 shared tiles", () => tiles(stream, across * across, new(left, right, result, order)));
            var blocks = loader.Groups<GemmSteps.RegisterTiles>();
            int wide = order / GemmSteps.Block;
            Time("3 register tiles", () => blocks(stream, wide * wide, new(left, right, result, order)));
        }
        else
        {
            Console.WriteLine("steps 2 and 3 need groups of 256, which this device does not grant");
        }

        using ColumnSums sums = new(loader);
        using Gemm gemm = new(loader, sums);
        GemmPlan plan = gemm.PlanFor(order, order, order);
        Time($"4 library, {plan}", () => gemm.Run(stream, new(left, right, result, order, order, order)));
        TimeTensorCores();

        void TimeTensorCores()
        {
            if (!Gemm.HasTensorCores(loader.Accelerator))
            {
                Console.WriteLine("step 5 needs tensor cores that take TF32 (CUDA from compute capability 8.0 on), which this device has not");
                return;
            }

            using Gemm rounding = new(loader, sums, roundsToTf32: true);
            if (rounding.PlanFor(order, order, order) != GemmPlan.TensorCores) Console.WriteLine("step 5 needs an order above 64");
            else Time("5 tensor cores", () => rounding.Run(stream, new(left, right, result, order, order, order)), factorRounding: 1.0 / (1 << 11));
        }

        void Time(string name, Action product, double factorRounding = 0)
        {
            backend.Fill(c, float.NaN);
            product();
            Check(name, a.ToArray(), b.ToArray(), c.ToArray(), factorRounding);
            double milliseconds = MedianTime.Measure(backend, product, Runs);
            Console.WriteLine($"{name,-24} {milliseconds,10:0.000} ms {2.0 * order * order * order / milliseconds * 1e-6,10:0.0} GFLOP/s");
        }
    }

    // Elements all over C, some from each block, against the definition in double precision; a sum of n products of unit numbers errs by 6e-8 n at
    // most, and factors that are rounded at random, by a share of themselves at most, make it err by as many times the square root of n: six times
    // that.
    private void Check(string name, float[] a, float[] b, float[] c, double factorRounding)
    {
        double tolerance = 3e-7 * order + 6 * factorRounding * Math.Sqrt(order);
        for (long i = 0; i < c.Length; i += i < 4 * order ? 1 : 977)
        {
            long row = i / order;
            long column = i % order;
            double sum = 0;
            for (int k = 0; k < order; k++) sum += (double)a[row * order + k] * b[k * (long)order + column];
            if (!(Math.Abs(sum - c[i]) <= tolerance)) throw new RunFailedException($"{name} is wrong at ({row}, {column}): {c[i]}, not {sum}.");
        }
    }
}
