using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>The memory behind a network's activations, sized for the largest number of steps times sequences met so far.</summary>
internal sealed class ActivationMemory : IDisposable
{
    private readonly IBackend backend;
    private readonly ActivationShape largest;
    private readonly long cells;
    private readonly long[] hiddenCounts;
    private readonly Tensor?[] hidden;

    /// <summary>Allocates what <paramref name="shape"/> needs, and no less than what <paramref name="before"/> had.</summary>
    public ActivationMemory(Architecture architecture, IBackend backend, ActivationShape shape, ActivationMemory? before)
    {
        this.backend = backend;
        largest = before is null ? shape : new ActivationShape(
            Steps: 0,
            Math.Max(shape.Batch, before.largest.Batch),
            shape.IsTraining || before.largest.IsTraining,
            shape.Drops || before.largest.Drops,
            shape.HasLengths || before.largest.HasLengths);
        cells = Math.Max(shape.Cells, before?.cells ?? 0);
        (_, int batch, bool isTraining, bool drops, _) = largest;
        (int layers, bool isJoined) = (architecture.Layers, architecture.IsBidirectional);
        hiddenCounts = [.. architecture.Hidden.SelectMany(hidden => Enumerable.Repeat(cells * hidden, architecture.Directions))];
        hidden = new Tensor?[hiddenCounts.Length];
        Passed = [.. Enumerable.Range(0, isJoined || (drops && architecture.DropsLastLayer) ? layers : drops ? layers - 1 : 0).Select(layer => Allocate(cells * architecture.LayerOutputs(layer)))];
        Recurrent =
        [
            .. architecture.Hidden.SelectMany(hidden => Enumerable.Range(0, architecture.Directions).Select(
                _ => backend.Recurrent.Reserve(architecture.Cell.Kind(), hidden, cells, batch, isTraining))),
        ];
        Outputs = Allocate((architecture.Readout == Readout.Every ? cells : batch) * architecture.Outputs);
        if (architecture.HasEmbedding) Embedded = Allocate(cells * architecture.Inputs);
        bool seesOwn = Activations.SeesOwn(architecture, largest);
        long seen = (long)batch * architecture.LayerOutputs(layers - 1);
        if (seesOwn) Seen = Allocate(seen);
        if (isTraining)
        {
            // Backpropagation moves from one layer to the next below: two blocks in turn serve any depth.
            int widest = architecture.Hidden.Max();
            int turns = Math.Min(2, layers);
            if (architecture.HasEmbedding) EmbeddedGradient = Allocate(cells * architecture.Inputs);
            Gradients = [.. Enumerable.Range(0, isJoined ? 2 : turns).Select(_ => Allocate(cells * widest))];
            if (isJoined) PassedGradients = [.. Enumerable.Range(0, turns).Select(_ => Allocate(2 * cells * widest))];
            int widestInput = Math.Max(layers > 1 ? 2 * widest : 0, architecture.HasEmbedding ? architecture.Inputs : 0);
            if (isJoined && widestInput > 0) OtherGradient = Allocate(cells * widestInput);
            if (seesOwn) SeenGradient = Allocate(seen);
        }
    }

    /// <summary>Block of the embedded tokens.</summary>
    public Tensor? Embedded { get; }

    /// <summary>Block of their gradients.</summary>
    public Tensor? EmbeddedGradient { get; }

    /// <summary>What the workspaces of each layer and direction share; null where they have their own.</summary>
    public RecurrentMemory?[] Recurrent { get; }

    /// <summary>One block per layer that hands on other than its hidden states.</summary>
    public Tensor[] Passed { get; }

    /// <summary>One or two blocks, used in turn, or one per direction; none without training.</summary>
    public Tensor[] Gradients { get; } = [];

    /// <summary>One or two blocks, used in turn, with two directions.</summary>
    public Tensor[] PassedGradients { get; } = [];

    /// <summary>Block of the reverse direction's input gradients.</summary>
    public Tensor? OtherGradient { get; }

    /// <summary>Block of the outputs.</summary>
    public Tensor Outputs { get; }

    /// <summary>Block of what the read-out sees, where that is computed.</summary>
    public Tensor? Seen { get; }

    /// <summary>Block of its gradients.</summary>
    public Tensor? SeenGradient { get; }

    /// <summary>
    /// Block of the hidden states of a layer and direction; taken when first asked for, since the workspace may have a place for them.
    /// </summary>
    public Tensor Hidden(int recurrence) => hidden[recurrence] ??= Allocate(hiddenCounts[recurrence]);

    /// <summary>Whether there is room for <paramref name="shape"/>.</summary>
    public bool Serves(ActivationShape shape) =>
        shape.Cells <= cells
        && shape.Batch <= largest.Batch
        && (largest.IsTraining || !shape.IsTraining)
        && (largest.Drops || !shape.Drops)
        && (largest.HasLengths || !shape.HasLengths);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (RecurrentMemory? shared in Recurrent) shared?.Dispose();
        Tensor?[] single = [Embedded, EmbeddedGradient, OtherGradient, Outputs, Seen, SeenGradient];
        foreach (Tensor? tensor in (Tensor?[])[.. hidden, .. Passed, .. Gradients, .. PassedGradients, .. single]) tensor?.Dispose();
    }

    private Tensor Allocate(long count) => count <= int.MaxValue
        ? backend.Allocate(new Shape((int)count))
        : throw new InvalidCallException($"{cells} steps x sequences need {count} activations in one layer, more than {int.MaxValue}; choose a smaller batch.");
}
