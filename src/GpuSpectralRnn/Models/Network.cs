using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Stacked recurrent layers under a linear read-out, on one backend. Memory for the activations is kept between calls and shared by all batch sizes;
/// what a forward call returns belongs to the network and holds until the next one.
/// </summary>
public sealed class Network : IDisposable
{
    /// <summary>Sizes kept at hand: the full batch and the last partial one, in training and in inference.</summary>
    private const int KeptSizes = 8;

    private readonly List<Activations> sizes = [];
    private readonly RecurrentWeights[] layers; // the directions of a layer side by side
    private RecurrentWeights[]? layerGradients; // the same, made when first needed
    private readonly Tensor readoutWeight;
    private readonly Tensor readoutBias;
    private ActivationMemory? memory;
    private Activations? current;
    private CarriedState? state;
    private SequenceBatch currentBatch;
    private bool canGoBack;
    private DropoutMask currentMask;

    /// <summary>A network whose parameters are all zero.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid.</exception>
    public Network(Architecture architecture, IBackend backend)
    {
        Architecture = architecture;
        Backend = backend;
        Parameters = new Parameters(architecture, backend);
        layers = PerRecurrence(Parameters.Layer);
        readoutWeight = Parameters[ParameterSpec.Readout];
        readoutBias = Parameters["readout.bias"];
    }

    /// <summary>What the network is.</summary>
    public Architecture Architecture { get; }

    /// <summary>Where it computes.</summary>
    public IBackend Backend { get; }

    /// <summary>Its weights and their gradients.</summary>
    public Parameters Parameters { get; }

    /// <summary>A network with the initial weights of <see cref="Initialization"/>, or all of them uniform in +- <paramref name="range"/>.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid, or the range no number above zero.</exception>
    public static Network Create(Architecture architecture, IBackend backend, ulong seed, double? range = null)
    {
        Network network = new(architecture, backend);
        network.Parameters.Values.CopyFrom<float>(Initialization.Draw(architecture, seed, range));
        return network;
    }

    /// <summary>Runs all layers over all steps and the read-out, every sequence at its full length and from zero.</summary>
    /// <param name="input">[T, B, I], or tokens [T, B].</param>
    /// <param name="isTraining">Whether <see cref="Backward"/> will follow; <paramref name="input"/> must then stay as it is until then.</param>
    /// <param name="dropout">What to drop in training; nothing by default.</param>
    /// <returns>Logits or predictions: [B, O], or [T, B, O] for a read-out of every step.</returns>
    /// <exception cref="ArgumentException">The input is not [T, B, I] of this network.</exception>
    public Tensor Forward(Tensor input, bool isTraining = false, DropoutMask dropout = default) => Forward(new SequenceBatch(input), isTraining, dropout);

    /// <summary>Runs all layers over all steps and the read-out.</summary>
    /// <param name="batch">Inputs, lengths, and where the rows start from.</param>
    /// <param name="isTraining">Whether <see cref="Backward"/> will follow; what <paramref name="batch"/> holds must then stay as it is until
    /// then.</param>
    /// <param name="dropout">What to drop in training; nothing by default.</param>
    /// <returns>
    /// Logits or predictions: [B, O], or [T, B, O] for a read-out of every step, whose rows beyond a sequence's length say nothing.
    /// </returns>
    /// <exception cref="ArgumentException">The inputs are not those of this network.</exception>
    /// <exception cref="InvalidCallException">
    /// The batch goes on but the last call was over another number of sequences, or the network is bidirectional: it would have to know the end
    /// first.
    /// </exception>
    public Tensor Forward(SequenceBatch batch, bool isTraining = false, DropoutMask dropout = default)
    {
        Tensor input = batch.Inputs;
        CheckInput(input);
        if (batch.Continues && Architecture.IsBidirectional)
            throw new InvalidCallException("A bidirectional network cannot carry its state from batch to batch: it walks from the end as well.");
        bool drops = isTraining && dropout.Rate > 0 && (Architecture.Layers > 1 || Architecture.HasEmbedding);
        current = Prepare(new ActivationShape(input.Shape[0], input.Shape[1], isTraining, drops, batch.Lengths is not null));
        (currentBatch, currentMask, canGoBack) = (batch, dropout, isTraining);
        if (KeepsState) PrepareState(input.Shape[1]).Begin(batch, input.Shape[1]);
        else state?.Forget();
        Parameters.FormProducts();
        if (current.Embedded is { } embedded)
        {
            Backend.Embedding.Forward(new(input, Parameters[ParameterSpec.Embedding], embedded));
            if (drops) Drop(embedded, DropoutMask.Embedding, embedded);
        }

        for (int layer = 0; layer < Architecture.Layers; layer++) RunLayer(current, layer);
        See(current);
        Backend.Matrix.Linear(new(current.Seen, readoutWeight, readoutBias, current.Outputs));
        return current.Outputs;
    }

    /// <summary>
    /// Backpropagation for the last <see cref="Forward(SequenceBatch, bool, DropoutMask)"/>, which was called for training. Adds to the gradients of
    /// <see cref="Parameters"/>; fill them with zero before a new step.
    /// </summary>
    /// <param name="outputGradient">dL/d outputs, of the outputs' shape; may be the outputs themselves, overwritten by the loss.</param>
    /// <param name="observer">Sees the gradients of each layer on the way, where given.</param>
    /// <exception cref="InvalidOperationException">No forward call for training went before.</exception>
    public void Backward(Tensor outputGradient, IBackwardObserver? observer = null)
    {
        if (!canGoBack || current is null)
            throw new InvalidOperationException("Backward needs a Forward call with isTraining before it.");
        Backend.Matrix.LinearBackward(
            new(current.Seen, readoutWeight, outputGradient, current.SeenGradient, Parameters.Gradient(ParameterSpec.Readout), Parameters.Gradient("readout.bias")));
        int gradientFrom = SpreadSeen(current);
        for (int layer = Architecture.Layers - 1; layer >= 0; layer--)
        {
            bool isTop = layer == Architecture.Layers - 1;
            Tensor passed = current.PassedGradients[layer];
            if (current.Drops && (!isTop || Architecture.DropsLastLayer)) Drop(passed, layer, passed);
            if (Architecture.IsBidirectional && !(isTop && Architecture.Readout == Readout.Last))
                Part(passed, current.HiddenGradients[2 * layer], current.HiddenGradients[2 * layer + 1]);
            Tensor? inputGradient = layer == 0 ? current.EmbeddedGradient : current.PassedGradients[layer - 1];
            GoBack(current, layer, isReverse: false, gradientFrom, inputGradient, observer);
            if (Architecture.IsBidirectional)
            {
                Tensor? other = inputGradient is null ? null : current.OtherGradients[layer];
                GoBack(current, layer, isReverse: true, gradientFrom, other, observer);
                if (other is not null) Backend.Matrix.CopyColumns(new(other, 0, inputGradient!, 0, other.Shape.Columns, Adds: true));
            }

            gradientFrom = 0;
        }

        if (current.EmbeddedGradient is { } embeddedGradient)
        {
            observer?.Inputs(embeddedGradient);
            if (current.Drops) Drop(embeddedGradient, DropoutMask.Embedding, embeddedGradient);
            Backend.Embedding.Backward(new(currentBatch.Inputs, Parameters.Gradient(ParameterSpec.Embedding), embeddedGradient));
        }

        Parameters.SpreadProductGradients();
        canGoBack = false;
    }

    /// <summary>
    /// The hidden states of <paramref name="layer"/> in the last forward call, [T, B, H], or of both directions [T, B, 2H]. They hold until the next
    /// one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor HiddenStates(int layer) =>
        (current ?? throw new InvalidOperationException("Hidden states are there after a forward call.")) is var made && Architecture.IsBidirectional
            ? made.Passed[layer]
            : made.Hidden[layer];

    /// <summary>
    /// The hidden states of one recurrence (<see cref="Architecture.Recurrences"/>) in the last forward call, [T, B, H]. They hold until the next
    /// one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor RecurrenceStates(int recurrence) =>
        (current ?? throw new InvalidOperationException("Hidden states are there after a forward call.")).Hidden[recurrence];

    /// <summary>
    /// What <paramref name="layer"/> took in the last forward call: inputs or embedded tokens [T, B, I], or what the layer below handed on. It holds
    /// until the next one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor LayerInput(int layer)
    {
        if (current is null) throw new InvalidOperationException("A layer's input is there after a forward call.");
        return BelowOf(current, layer);
    }

    /// <summary>
    /// What the read-out saw in the last forward call: [B, D*H], or [T, B, D*H] for a read-out of every step. It holds until the next one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor SeenByReadout => (current ?? throw new InvalidOperationException("The read-out sees something after a forward call.")).Seen;

    /// <summary>
    /// The state [B, H] from which <paramref name="layer"/> started in the last forward call; null where that was zero. It holds until the next one.
    /// </summary>
    public RecurrentState? StartOf(int layer) => KeepsState ? state?.Start(layer) : null;

    /// <summary>
    /// The state in which the last forward call ended, by name (<c>h_l0</c>, <c>c_l0</c>, ...), each [B, H]; empty before the first call and for a
    /// bidirectional network. They hold until the next one.
    /// </summary>
    public IEnumerable<(string Name, Tensor Values)> CarriedState => state?.Ends() ?? [];

    /// <summary>Puts a state of <see cref="CarriedState"/> back, for the next forward call to go on from.</summary>
    /// <param name="batch">B.</param>
    /// <param name="values">Gives the [B, H] numbers of a name.</param>
    /// <exception cref="ArgumentException">The numbers are not B H.</exception>
    public void RestoreState(int batch, Func<string, float[]> values) => PrepareState(batch).Restore(batch, values);

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseActivations();
        state?.Dispose();
        Parameters.Dispose();
    }

    /// <summary>For example <c>irnn 28-128-10 on host</c>.</summary>
    public override string ToString() => $"{Architecture.Cell.Name()} {(Architecture.HasEmbedding ? $"{Architecture.Vocabulary}-" : "")}{Architecture.Inputs}-{string.Join("-", Architecture.Hidden)}-{Architecture.Outputs} on {Backend.Device.Id}";

    private void CheckInput(Tensor input)
    {
        bool fits = Architecture.HasEmbedding
            ? input.Type == ElementType.Int32 && input.Shape.Rank == 2
            : input.Shape.Rank == 3 && input.Shape[2] == Architecture.Inputs;
        if (fits && input.Count > 0) return;
        string takes = Architecture.HasEmbedding ? "Int32 tokens [T, B]" : $"[T, B, {Architecture.Inputs}]";
        throw new ArgumentException($"The input is {input}; this network takes {takes} with T and B of one or more.", nameof(input));
    }

    private RecurrentWeights[] PerRecurrence(Func<int, bool, RecurrentWeights> weights) =>
    [
        .. from layer in Enumerable.Range(0, Architecture.Layers)
           from direction in Enumerable.Range(0, Architecture.Directions)
           select weights(layer, direction == 1),
    ];

    private bool KeepsState => !Architecture.IsBidirectional && !currentBatch.IsWhole;

    private Tensor BelowOf(Activations now, int layer) => layer > 0 ? now.Passed[layer - 1] : now.Embedded ?? currentBatch.Inputs;

    private void RunLayer(Activations now, int layer)
    {
        int directions = Architecture.Directions;
        for (int at = layer * directions; at < (layer + 1) * directions; at++)
        {
            Backend.Recurrent.Forward(new(
                now.Workspaces[at], layers[at], BelowOf(now, layer), StartOf(layer), now.Hidden[at], KeepsState ? state!.End(layer) : null, currentBatch.Lengths));
        }

        if (directions == 2) Join(now.Hidden[2 * layer], now.Hidden[2 * layer + 1], now.Passed[layer]);
        if (!now.Drops || (layer == Architecture.Layers - 1 && !Architecture.DropsLastLayer)) return;
        Drop(directions == 2 ? now.Passed[layer] : now.Hidden[layer], layer, now.Passed[layer]);
    }

    // What the read-out sees, where that is not what the top layer hands on.
    private void See(Activations now)
    {
        if (!Activations.SeesOwn(Architecture, now.Shape)) return;
        Tensor top = now.Hidden[^Architecture.Directions]; // the forward direction's states
        if (Architecture.Readout == Readout.Mean) Backend.Matrix.MeanOverSteps(new(now.Passed[^1], now.Seen, currentBatch.Lengths));
        else if (Architecture.Readout == Readout.LastStep) SeeLastStep(now);
        else if (currentBatch.Lengths is { } lengths) Backend.Matrix.LastSteps(new(top, lengths, now.Seen));
        else Backend.Matrix.CopyColumns(new(now.LastStates, 0, now.Seen, 0, top.Shape.Columns));
        if (Architecture is { Readout: Readout.Last, IsBidirectional: true })
            Backend.Matrix.CopyColumns(new(now.FirstStates, 0, now.Seen, top.Shape.Columns, top.Shape.Columns));
        if (now.Drops && Architecture.HasEmbedding) Drop(now.Seen, Architecture.Layers - 1, now.Seen);
    }

    // Backward of See: returns the first step walked with a gradient from outside; the rows walked before it are never filled.
    private int SpreadSeen(Activations now)
    {
        int last = now.Steps - 1;
        if (!Activations.SeesOwn(Architecture, now.Shape)) return Architecture.Readout == Readout.Last ? last : 0;
        Tensor seen = now.SeenGradient!;
        if (now.Drops && Architecture.HasEmbedding) Drop(seen, Architecture.Layers - 1, seen);
        if (Architecture.Readout == Readout.Mean)
        {
            Backend.Matrix.SpreadOverSteps(new(now.PassedGradients[^1], seen, currentBatch.Lengths));
            return 0;
        }

        if (Architecture.Readout == Readout.LastStep)
        {
            SpreadLastStep(now, seen);
            return 0; // where a reverse direction begins
        }

        Tensor top = now.HiddenGradients[^Architecture.Directions], reverse = now.HiddenGradients[^1];
        int hidden = top.Shape.Columns;
        if (currentBatch.Lengths is { } lengths)
        {
            if (Architecture.IsBidirectional) Backend.Fill(reverse, 0);
            Backend.Matrix.SpreadToLastSteps(new(top, lengths, seen));
        }
        else
        {
            Backend.Matrix.CopyColumns(new(seen, 0, now.LastGradients!, 0, hidden));
        }

        if (Architecture.IsBidirectional) Backend.Matrix.CopyColumns(new(seen, hidden, now.FirstGradients!, 0, hidden));
        return currentBatch.Lengths is null ? last : 0;
    }

    private void SeeLastStep(Activations now)
    {
        if (currentBatch.Lengths is { } lengths) Backend.Matrix.LastSteps(new(now.Passed[^1], lengths, now.Seen));
        else Backend.Matrix.CopyColumns(new(now.LastPassed, 0, now.Seen, 0, now.Seen.Shape.Columns));
    }

    private void SpreadLastStep(Activations now, Tensor seen)
    {
        if (currentBatch.Lengths is { } lengths)
        {
            Backend.Matrix.SpreadToLastSteps(new(now.PassedGradients[^1], lengths, seen));
            return;
        }

        Backend.Fill(now.PassedGradients[^1], 0);
        Backend.Matrix.CopyColumns(new(seen, 0, now.LastPassedGradients!, 0, seen.Shape.Columns));
    }

    private void Drop(Tensor x, int place, Tensor y) => Backend.Random.Dropout(new(x, currentMask.Rate, currentMask.Seed, currentMask.Stream(place), y));

    private void GoBack(Activations now, int layer, bool isReverse, int gradientFrom, Tensor? inputGradient, IBackwardObserver? observer)
    {
        int at = layer * Architecture.Directions + (isReverse ? 1 : 0);
        observer?.Enter(at, now.HiddenGradients[at], gradientFrom);
        Backend.Recurrent.Backward(new(
            now.Workspaces[at],
            layers[at],
            BelowOf(now, layer),
            StartOf(layer),
            now.Hidden[at],
            now.HiddenGradients[at],
            gradientFrom,
            (layerGradients ??= PerRecurrence(Parameters.LayerGradients))[at],
            inputGradient,
            InitialGradient: null,
            currentBatch.Lengths));
        observer?.Leave(at, now.Workspaces[at].ProductGradient!);
    }

    // both [..., 2H] = forward [..., H] | reverse [..., H]
    private void Join(Tensor forward, Tensor reverse, Tensor both)
    {
        int hidden = forward.Shape.Columns;
        Backend.Matrix.CopyColumns(new(forward, 0, both, 0, hidden));
        Backend.Matrix.CopyColumns(new(reverse, 0, both, hidden, hidden));
    }

    private void Part(Tensor both, Tensor forward, Tensor reverse)
    {
        int hidden = forward.Shape.Columns;
        Backend.Matrix.CopyColumns(new(both, 0, forward, 0, hidden));
        Backend.Matrix.CopyColumns(new(both, hidden, reverse, 0, hidden));
    }

    private CarriedState PrepareState(int batch)
    {
        if (state is not null && state.Serves(batch)) return state;
        state?.Dispose();
        return state = new CarriedState(Architecture, Backend, batch);
    }

    private Activations Prepare(ActivationShape shape)
    {
        for (int i = 0; i < sizes.Count; i++)
        {
            Activations known = sizes[i];
            if (known.Shape != shape) continue;
            sizes.RemoveAt(i);
            sizes.Add(known);
            return known;
        }

        if (memory is null || !memory.Serves(shape))
        {
            ActivationMemory? before = memory;
            ReleaseActivations();
            memory = new ActivationMemory(Architecture, Backend, shape, before);
        }

        if (sizes.Count == KeptSizes)
        {
            sizes[0].Dispose();
            sizes.RemoveAt(0);
        }

        Activations made = new(Architecture, Backend, memory, shape);
        sizes.Add(made);
        return made;
    }

    private void ReleaseActivations()
    {
        foreach (Activations size in sizes) size.Dispose();
        sizes.Clear();
        memory?.Dispose();
        memory = null;
        current = null;
    }
}
