using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>Times of one operation.</summary>
/// <param name="Milliseconds">Median time.</param>
/// <param name="Gflops">Arithmetic in 1e9 operations per second; 0 where it is not counted.</param>
/// <param name="GigabytesPerSecond">Every operand read or written once, in 1e9 bytes per second.</param>
public readonly record struct OperationTiming(double Milliseconds, double Gflops, double GigabytesPerSecond);

/// <summary>A benchmark of a single operation.</summary>
/// <param name="Name">Short name of the case.</param>
/// <param name="Operations">Floating-point operations by the definition; 0 where they depend on the data.</param>
/// <param name="Bytes">Bytes of the operands, each counted once for reading and once for writing.</param>
public sealed record OperationBenchmark(string Name, double Operations, double Bytes)
{
    /// <summary>
    /// The known cases: square products, the products of a layer over all its steps (its inputs, its weight gradients), a read-out over a
    /// vocabulary, those of one step (m sequences, n gates, k units), second moments, eigenvalues, and what is done element by element.
    /// </summary>
    public static IReadOnlyList<OperationBenchmark> Cases { get; } =
    [
        Product("gemm-128", 128, 128, 128),
        Product("gemm-256", 256, 256, 256),
        Product("gemm-512", 512, 512, 512),
        Product("gemm-1024", 1024, 1024, 1024),
        Product("gemm-4096", 4096, 4096, 4096),
        Product("gemm-inputs", 1792, 128, 128, transposeB: true),
        Product("gemm-weights", 128, 128, 50176, transposeA: true),
        Product("gemm-vocabulary", 700, 10000, 650, transposeB: true),
        Product("gemm-20-800-200", 20, 800, 200, transposeB: true),
        Product("gemm-64-512-128", 64, 512, 128, transposeB: true),
        Product("gemm-20-2600-650", 20, 2600, 650, transposeB: true),
        Product("gemm-1-512-128", 1, 512, 128, transposeB: true),
        Gram("gram-128", 200_000, 128),
        Gram("gram-512", 2_000_000, 512),
        Eigen("eigen-128", 128),
        Eigen("eigen-512", 512),
        Softmax("softmax-10000", 700, 10_000),
        Sums("column-sums", 50_176, 128),
        Adam("adam-6m", 6_770_400),
        Copy("copy", 1 << 25),
    ];

    /// <summary>Whether it takes seconds on a processor: such a case runs only on request.</summary>
    public bool IsLong => Operations > 5e10;

    /// <summary>Returns an ILGPU device's plan of this product; null for other operations.</summary>
    public Func<IlgpuBackend, string?> Plan { get; private init; } = _ => null;

    private Func<IBackend, DisposableBag, Action> Prepare { get; init; } = (_, _) => () => { };

    /// <summary>Runs the case <paramref name="runs"/> times after a warm-up, as <see cref="MedianTime.Measure"/> has it.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="runs"/> is below one.</exception>
    public OperationTiming Run(IBackend backend, int runs = 7, TimeSpan warmUp = default)
    {
        using DisposableBag owned = new();
        double milliseconds = MedianTime.Measure(backend, Prepare(backend, owned), runs, warmUp);
        return new OperationTiming(milliseconds, Operations / milliseconds * 1e-6, Bytes / milliseconds * 1e-6);
    }

    /// <summary>C = op(A) op(B), C [m, n].</summary>
    internal static OperationBenchmark Product(string name, int m, int n, int k, bool transposeA = false, bool transposeB = false) =>
        new(name, 2.0 * m * n * k, sizeof(float) * ((double)m * k + (double)k * n + (double)m * n))
        {
            Prepare = (backend, owned) =>
            {
                Tensor a = transposeA ? Normal(backend, owned, k, m) : Normal(backend, owned, m, k);
                Tensor b = transposeB ? Normal(backend, owned, n, k) : Normal(backend, owned, k, n);
                Tensor c = Zeros(backend, owned, m, n);
                return () => backend.Matrix.Gemm(new(transposeA, transposeB, 1, a, b, 0, c));
            },
            Plan = backend => backend.ProductPlan(m, n, k, transposeA, transposeB),
        };

    /// <summary>A copy of <paramref name="count"/> numbers within the device.</summary>
    internal static OperationBenchmark Copy(string name, int count) => new(name, 0, 2.0 * sizeof(float) * count)
    {
        Prepare = (backend, owned) =>
        {
            Tensor source = Zeros(backend, owned, count);
            Tensor target = Zeros(backend, owned, count);
            return () => backend.Copy(source, target);
        },
    };

    private static OperationBenchmark Gram(string name, int rows, int units) =>
        new(name, (double)rows * units * (units + 1), sizeof(float) * (double)rows * units)
        {
            Prepare = (backend, owned) =>
            {
                Tensor states = Normal(backend, owned, rows, units);
                GramAccumulator sums = owned.Keep(backend.Spectral.CreateGram(units));
                return () => sums.Add(new(states));
            },
        };

    private static OperationBenchmark Eigen(string name, int order) => new(name, 0, 2.0 * sizeof(double) * order * order)
    {
        Prepare = (backend, owned) =>
        {
            Tensor rows = Normal(backend, owned, 2 * order, order);
            double[] matrix = new double[order * order];
            using (GramAccumulator sums = backend.Spectral.CreateGram(order))
            {
                sums.Add(new(rows));
                sums.Read(matrix);
            }

            double[] values = new double[order];
            double[] vectors = new double[order * order];
            return () => backend.Spectral.SymmetricEigen(new(order, matrix, values, vectors));
        },
    };

    private static OperationBenchmark Softmax(string name, int rows, int classes) => new(name, 0, 2.0 * sizeof(float) * rows * classes)
    {
        Prepare = (backend, owned) =>
        {
            Tensor logits = Normal(backend, owned, rows, classes);
            Tensor gradient = Zeros(backend, owned, rows, classes);
            Tensor labels = owned.Keep(backend.Allocate(new Shape(rows), ElementType.Int32));
            LossTotals totals = owned.Keep(backend.Loss.CreateTotals());
            return () => backend.Loss.SoftmaxCrossEntropy(new(logits, labels, 1, gradient, totals));
        },
    };

    private static OperationBenchmark Sums(string name, int rows, int columns) =>
        new(name, (double)rows * columns, sizeof(float) * (double)rows * columns)
    {
        Prepare = (backend, owned) =>
        {
            Tensor x = Normal(backend, owned, rows, columns);
            Tensor sums = Zeros(backend, owned, columns);
            return () => backend.Matrix.ColumnSums(new(x, 0, sums));
        },
    };

    private static OperationBenchmark Adam(string name, int count) => new(name, 0, 7.0 * sizeof(float) * count)
    {
        Prepare = (backend, owned) =>
        {
            Tensor[] p = [.. Enumerable.Range(0, 4).Select(_ => Zeros(backend, owned, count))];
            return () => backend.Optimizer.Adam(new(p[0], p[1], p[2], p[3], new(1e-4f, 0.9f, 0.999f, 1e-8f, 0, decoupled: false, 1)));
        },
    };

    private static Tensor Zeros(IBackend backend, DisposableBag owned, params int[] extents) => owned.Keep(backend.Allocate(new Shape(extents)));

    private static Tensor Normal(IBackend backend, DisposableBag owned, params int[] extents)
    {
        Tensor tensor = Zeros(backend, owned, extents);
        backend.Random.Normal(new(tensor, Seed: 0, Stream: (ulong)tensor.Count, 0, 1));
        return tensor;
    }
}
