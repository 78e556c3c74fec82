using System.Globalization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Training to be compressible: a price on the trace norm of what reads the units of each recurrence, C [r, m], all matrices that read them one under the
/// other: lambda Tr (C^T C + eps I)^(1/2), the sum of its singular values (docs/method.md, section 15). Units are then read in few directions, which
/// spectral pruning can do without. It takes nothing away by itself. (C^T C + eps I)^(-1/2) is renewed every <see cref="Renewal"/> steps.
/// </summary>
/// <param name="traceNorm">lambda, the price.</param>
/// <exception cref="InvalidCallException">It is not above 0.</exception>
public sealed class TraceNorm(double traceNorm) : ITrainedPruning
{
    /// <summary>Its name in calls.</summary>
    public const string MethodName = "trace-norm";

    /// <summary>Steps for which an inverse root serves; to renew it C^T C comes to the host.</summary>
    internal const int Renewal = 25;

    /// <summary>eps over the mean square Tr C^T C / m.</summary>
    private const double Smoothing = 1e-4;

    private readonly double lambda = traceNorm > 0 && double.IsFinite(traceNorm)
        ? traceNorm
        : throw new InvalidCallException($"`traceNorm` {traceNorm}: choose a number above 0, for example 0.001.");

    private Network? network;
    private ReadAxis[] axes = [];

    /// <inheritdoc/>
    public string Name => MethodName;

    /// <inheritdoc/>
    public string Settings => string.Create(CultureInfo.InvariantCulture, $$"""{"lambda":{{lambda}}}""");

    /// <inheritdoc/>
    public bool SpansAllSteps => false;

    /// <inheritdoc/>
    public IReadOnlyList<(string Name, Tensor Values)> State => [.. axes.Select(axis => ($"inverse.{axis.Name}", axis.Inverse))];

    private Network Network => network ?? throw new InvalidOperationException("The norm is there once a run has begun.");

    /// <inheritdoc/>
    public void Begin(Network network, RunExtent extent)
    {
        if (this.network is not null) throw new InvalidOperationException("This norm is another run's.");
        Budget.Check(network.Recipe, network.Graph, network.Recipe.CountUnits(network.Graph));
        this.network = network;
        axes = [.. network.Graph.PrunableAxes.Where(axis => network.Graph.Recurrence(axis.Axis) is not null).Select(axis => new ReadAxis(network, axis.Axis))];
        if (axes.Length == 0) throw new InvalidCallException("The network has no recurrence whose units could be taken away; a trace norm has nothing to act on.");
    }

    /// <inheritdoc/>
    public void AfterBackward(long step)
    {
        foreach (ReadAxis axis in axes)
        {
            axis.Gather();
            if ((step - 1) % Renewal == 0) axis.Renew();
            axis.AddGradients((float)lambda);
        }
    }

    /// <inheritdoc/>
    public PruningReport Report(long step) => new(Name) { Penalty = lambda };

    /// <inheritdoc/>
    public Network? Slice() => null;

    /// <inheritdoc/>
    public Network? Finish() => null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ReadAxis axis in axes) axis.Dispose();
    }

    /// <summary>eps of a Gram matrix.</summary>
    internal static double Epsilon(Matrix gram) => Smoothing * gram.Trace() / gram.Rows;

    // What reads one axis.
    private sealed class ReadAxis : IDisposable
    {
        private readonly IBackend backend;
        private readonly Reader[] readers;
        private readonly Tensor stack, gradient, gram;
        private readonly Matrix moments;
        private readonly float[] copy;
        private readonly int units;

        public ReadAxis(Network network, UnitAxis axis)
        {
            (backend, Name, units) = (network.Backend, axis.Name, axis.Size);
            var reads = network.Graph.Nodes.SelectMany(node => node.Uses).OfType<ReadsLinearly>().Where(use => use.Axis == axis)
                .Select(use => (use.Parameter, use.FirstColumn)).Distinct().ToArray();
            int rows = reads.Sum(read => network.Parameters[read.Parameter].Shape.Rows);
            (stack, gradient) = (backend.Allocate(new Shape(rows, units)), backend.Allocate(new Shape(rows, units)));
            (gram, Inverse) = (backend.Allocate(new Shape(units, units)), backend.Allocate(new Shape(units, units)));
            (moments, copy) = (new Matrix(units, units), new float[units * units]);
            int row = 0;
            List<Reader> found = [];
            foreach ((string parameter, int from) in reads)
            {
                Tensor weights = network.Parameters[parameter];
                int own = weights.Shape.Rows;
                Tensor part = stack.View((long)row * units, own, units), partGradient = gradient.View((long)row * units, own, units);
                found.Add(new Reader(weights, network.Parameters.Gradient(parameter), from, part, partGradient));
                row += own;
            }

            readers = [.. found];
        }

        public string Name { get; }

        /// <summary>(C^T C + eps I)^(-1/2) [m, m].</summary>
        public Tensor Inverse { get; }

        public void Gather()
        {
            foreach (Reader reader in readers) backend.Matrix.CopyColumns(new(reader.Weights, reader.From, reader.Part, 0, units));
        }

        public void Renew()
        {
            backend.Matrix.Gemm(new(true, false, 1, stack, stack, 0, gram));
            gram.CopyTo<float>(copy);
            for (int i = 0; i < copy.Length; i++) moments.Data[i] = copy[i];
            double epsilon = Epsilon(moments);
            SymmetricEigen eigen = SymmetricEigen.Compute(moments);
            Matrix scaled = eigen.Vectors.Clone();
            for (int i = 0; i < units; i++)
                for (int j = 0; j < units; j++) scaled[i, j] /= Math.Sqrt(Math.Max(0, eigen.Values[j]) + epsilon);
            Inverse.CopyFrom<float>(Matrix.Product(scaled, eigen.Vectors, transposeB: true).ToSingle());
        }

        public void AddGradients(float lambda)
        {
            backend.Matrix.Gemm(new(false, false, lambda, stack, Inverse, 0, gradient));
            foreach (Reader reader in readers) backend.Matrix.CopyColumns(new(reader.PartGradient, 0, reader.Gradient, reader.From, units, Adds: true));
        }

        public void Dispose()
        {
            foreach (Tensor tensor in (Tensor[])[stack, gradient, gram, Inverse]) tensor.Dispose();
        }

        private sealed record Reader(Tensor Weights, Tensor Gradient, int From, Tensor Part, Tensor PartGradient);
    }
}
