using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// log alpha of all gates of a network in one block [n], each axis' own part in it, with gradients and the state of Adam: a group of parameters that
/// moves at a rate of its own. The gaps between the parts hold zeros, whose gradients are zero.
/// </summary>
internal sealed class GateBlock : IDisposable
{
    /// <summary>Deviation of the first log alpha.</summary>
    private const float Spread = 0.1f;

    /// <summary>Above the streams of initial weights and shuffles, below those of dropout.</summary>
    private const ulong Streams = 1UL << 62;

    private readonly IBackend backend;
    private readonly ulong seed;
    private readonly Tensor probabilities, probabilityGradients, sums, firstMoment, secondMoment;

    /// <summary>Puts gates onto axes.</summary>
    /// <param name="network">The network.</param>
    /// <param name="axes">The axes.</param>
    /// <param name="seed">Of first values and of draws.</param>
    /// <exception cref="InvalidCallException">An axis cannot have gates.</exception>
    public GateBlock(Network network, IEnumerable<string> axes, ulong seed)
    {
        (backend, this.seed) = (network.Backend, seed);
        UnitGates[] gates = [.. axes.Select(axis => network.Parameters.AddGates(axis, withTied: true))];
        int[] starts = new int[gates.Length];
        int end = 0;
        for (int i = 0; i < gates.Length; i++)
        {
            starts[i] = end;
            end = (int)ParameterSpec.Align(end + gates[i].Axis.Size);
        }

        (LogAlpha, Gradients, firstMoment, secondMoment) = (Allocate(end), Allocate(end), Allocate(end), Allocate(end));
        (probabilities, probabilityGradients) = (Allocate(end), Allocate(end));
        sums = Allocate(gates.Length * ParameterSpec.Alignment);
        Axes = [.. gates.Select((gate, i) => new GatedAxis(gate)
        {
            LogAlpha = LogAlpha.View(starts[i], gate.Axis.Size),
            LogAlphaGradient = Gradients.View(starts[i], gate.Axis.Size),
            Open = probabilities.View(starts[i], gate.Axis.Size, 1),
            OpenGradient = probabilityGradients.View(starts[i], gate.Axis.Size, 1),
            OpenSum = sums.View(i * ParameterSpec.Alignment, 1),
        })];
    }

    /// <summary>The gated axes.</summary>
    public IReadOnlyList<GatedAxis> Axes { get; }

    /// <summary>log alpha [n].</summary>
    public Tensor LogAlpha { get; }

    /// <summary>dL/d log alpha [n].</summary>
    public Tensor Gradients { get; }

    /// <summary>What a checkpoint keeps.</summary>
    public IEnumerable<(string Name, Tensor Values)> State =>
        [("log_alpha", LogAlpha), ("first_moment", firstMoment), ("second_moment", secondMoment)];

    /// <summary>The first log alpha: normal numbers.</summary>
    public void Start(double mean)
    {
        for (int i = 0; i < Axes.Count; i++)
        {
            float[] values = new float[Axes[i].Units];
            Initializer.Normal(Spread).Fill(values, new Shape(values.Length), seed, Streams | (uint)i);
            for (int j = 0; j < values.Length; j++) values[j] += (float)mean;
            Axes[i].LogAlpha.CopyFrom<float>(values);
        }
    }

    /// <summary>Draws the gates of a step (1-based), the same for all sequences and steps of its minibatch.</summary>
    public void Sample(long step)
    {
        for (int i = 0; i < Axes.Count; i++)
        {
            GatedAxis axis = Axes[i];
            backend.Gates.Sample(new(axis.LogAlpha, seed, Streams | ((ulong)step << 12) | (uint)i, axis.Gates.Values));
        }
    }

    /// <summary>The gates of tests.</summary>
    public void SetTestGates()
    {
        foreach (GatedAxis axis in Axes) backend.Gates.TestGates(axis.LogAlpha, axis.Gates.Values);
    }

    /// <summary>The probabilities that gates are open and their sums; afterwards their gradients are to be written.</summary>
    public void SumOpen()
    {
        backend.Gates.OpenProbabilities(LogAlpha, probabilities);
        foreach (GatedAxis axis in Axes) backend.Matrix.ColumnSums(new(axis.Open, 0, axis.OpenSum));
    }

    /// <summary>
    /// The gradients of log alpha: from those of the drawn gates, and from those of the probabilities (<see cref="GatedAxis.OpenGradient"/>, all of
    /// them written).
    /// </summary>
    public void Backpropagate()
    {
        backend.Fill(Gradients, 0);
        foreach (GatedAxis axis in Axes)
        {
            backend.Gates.OpenProbabilitiesBackward(new(axis.LogAlpha, axis.OpenGradient, axis.LogAlphaGradient));
            backend.Gates.SampleBackward(new(axis.Gates.Values, axis.Gates.Gradients, axis.LogAlphaGradient));
        }
    }

    /// <summary>A step of Adam, and back into the range in which gates can move.</summary>
    public void Step(double rate, long step)
    {
        backend.Optimizer.Adam(new(LogAlpha, Gradients, firstMoment, secondMoment, new((float)rate, 0.9f, 0.999f, 1e-8f, 0, false, step)));
        backend.Gates.Clamp(LogAlpha);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in (Tensor[])[LogAlpha, Gradients, probabilities, probabilityGradients, sums, firstMoment, secondMoment]) tensor.Dispose();
    }

    private Tensor Allocate(int count) => backend.Allocate(new Shape(count));
}

/// <summary>The gates of one axis.</summary>
/// <param name="Gates">z, as the network reads it.</param>
internal sealed record GatedAxis(UnitGates Gates)
{
    /// <summary>log alpha [m].</summary>
    public required Tensor LogAlpha { get; init; }

    /// <summary>dL/d log alpha [m].</summary>
    public required Tensor LogAlphaGradient { get; init; }

    /// <summary>p = P(z != 0) [m, 1].</summary>
    public required Tensor Open { get; init; }

    /// <summary>dL/dp [m, 1].</summary>
    public required Tensor OpenGradient { get; init; }

    /// <summary>sum p [1].</summary>
    public required Tensor OpenSum { get; init; }

    /// <summary>The axis' name.</summary>
    public string Name => Gates.Axis.Name;

    /// <summary>m.</summary>
    public int Units => Gates.Axis.Size;
}
