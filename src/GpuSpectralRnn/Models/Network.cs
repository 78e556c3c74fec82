using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Stacked recurrent layers under a linear read-out, on one backend. Memory for the activations is kept between calls and shared by all batch sizes; what a forward
/// call returns belongs to the network and holds until the next one.
/// </summary>
public sealed class Network : IDisposable
{
    /// <summary>Sizes kept at hand: the full batch and the last partial one, in training and in inference.</summary>
    private const int KeptSizes = 8;

    private readonly List<Activations> sizes = [];
    private readonly RecurrentWeights[] layers; // the directions of a layer side by side
    private readonly Tensor readoutWeight;
    private readonly Tensor readoutBias;
    private ActivationMemory? memory;
    private Activations? current;
    private Tensor? currentInput;
    private bool canGoBack;
    private DropoutMask currentMask;

    /// <summary>A network whose parameters are all zero.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid.</exception>
    public Network(Architecture architecture, IBackend backend)
    {
        Architecture = architecture;
        Backend = backend;
        Parameters = new Parameters(architecture, backend);
        layers =
        [
            .. from layer in Enumerable.Range(0, architecture.Layers)
               from direction in Enumerable.Range(0, architecture.Directions)
               select Parameters.Layer(layer, direction == 1),
        ];
        readoutWeight = Parameters["readout.weight"];
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
    /// <param name="isTraining">Whether <see cref="Backward"/> will follow; what <paramref name="batch"/> holds must then stay as it is until then.</param>
    /// <param name="dropout">What to drop between the layers in training; nothing by default.</param>
    /// <returns>Logits or predictions: [B, O], or [T, B, O] for a read-out of every step.</returns>
    /// <exception cref="ArgumentException">The input is not [T, B, I] of this network.</exception>
    public Tensor Forward(SequenceBatch batch, bool isTraining = false, DropoutMask dropout = default)
    {
        if (Architecture.Vocabulary > 0) throw new InvalidCallException("Networks with an embedding cannot run yet.");
        if (batch.Lengths is not null) throw new InvalidCallException("Sequences of unequal length cannot run yet.");
        if (batch.Continues) throw new InvalidCallException("State cannot be carried from batch to batch yet.");
        Tensor input = batch.Inputs;
        if (input.Shape.Rank != 3 || input.Shape[2] != Architecture.Inputs || input.Count == 0)
            throw new ArgumentException($"The input is {input}; this network takes [T, B, {Architecture.Inputs}] with T and B of one or more.", nameof(input));
        current = Prepare(input.Shape[0], input.Shape[1], isTraining, isTraining && dropout.Rate > 0 && Architecture.Layers > 1);
        currentInput = input;
        canGoBack = isTraining;
        currentMask = dropout;
        Parameters.FormProducts();
        int directions = Architecture.Directions;
        for (int layer = 0; layer < Architecture.Layers; layer++)
        {
            Tensor below = layer == 0 ? input : current.Passed[layer - 1];
            for (int at = layer * directions; at < (layer + 1) * directions; at++)
                Backend.Recurrent.Forward(current.Workspaces[at], layers[at], below, null, current.Hidden[at]);
            if (directions == 2) Join(current.Hidden[2 * layer], current.Hidden[2 * layer + 1], current.Passed[layer]);
            if (!current.Drops || layer == Architecture.Layers - 1) continue;
            Tensor whole = directions == 2 ? current.Passed[layer] : current.Hidden[layer];
            Backend.Random.Dropout(whole, dropout.Rate, dropout.Seed, dropout.Stream(layer), current.Passed[layer]);
        }

        if (Architecture.Readout == Readout.Mean) Backend.Matrix.MeanOverSteps(current.Passed[^1], current.Seen);
        else if (SeesBothEnds) Join(current.Hidden[^2].Slice(current.Steps - 1), current.Hidden[^1].Slice(0), current.Seen);
        Backend.Matrix.Linear(current.Seen, readoutWeight, readoutBias, current.Outputs);
        return current.Outputs;
    }

    /// <summary>
    /// Backpropagation for the last <see cref="Forward(SequenceBatch, bool, DropoutMask)"/>, which was called for training. Adds to the gradients of <see cref="Parameters"/>; fill them with zero before a new step.
    /// </summary>
    /// <param name="outputGradient">dL/d outputs, of the outputs' shape; may be the outputs themselves, overwritten by the loss.</param>
    /// <param name="observer">Sees the gradients of each layer on the way, where given.</param>
    /// <exception cref="InvalidOperationException">No forward call for training went before.</exception>
    public void Backward(Tensor outputGradient, IBackwardObserver? observer = null)
    {
        if (!canGoBack || current is null || currentInput is null)
            throw new InvalidOperationException("Backward needs a Forward call with isTraining before it.");
        Backend.Matrix.LinearBackward(
            current.Seen, readoutWeight, outputGradient, current.SeenGradient, Parameters.Gradient("readout.weight"), Parameters.Gradient("readout.bias"));
        if (Architecture.Readout == Readout.Mean) Backend.Matrix.SpreadOverSteps(current.SeenGradient!, current.PassedGradients[^1]);
        else if (SeesBothEnds) Part(current.SeenGradient!, current.HiddenGradients[^2].Slice(current.Steps - 1), current.HiddenGradients[^1].Slice(0));

        // Only the last state has a gradient from outside where the read-out sees only that: the rows walked before it are never filled.
        int gradientFrom = Architecture.Readout == Readout.Last ? current.Steps - 1 : 0;
        for (int layer = Architecture.Layers - 1; layer >= 0; layer--)
        {
            bool isTop = layer == Architecture.Layers - 1;
            Tensor passed = current.PassedGradients[layer];
            if (current.Drops && !isTop) Backend.Random.Dropout(passed, currentMask.Rate, currentMask.Seed, currentMask.Stream(layer), passed);
            if (Architecture.IsBidirectional && !(isTop && SeesBothEnds))
                Part(passed, current.HiddenGradients[2 * layer], current.HiddenGradients[2 * layer + 1]);
            Tensor? inputGradient = layer == 0 ? null : current.PassedGradients[layer - 1];
            GoBack(current, layer, isReverse: false, gradientFrom, inputGradient, observer);
            if (Architecture.IsBidirectional)
            {
                Tensor? other = inputGradient is null ? null : current.OtherGradient!.View(0, inputGradient.Shape.ToArray());
                GoBack(current, layer, isReverse: true, gradientFrom, other, observer);
                if (other is not null) Backend.Matrix.CopyColumns(other, 0, inputGradient!, 0, other.Shape.Columns, adds: true);
            }

            gradientFrom = 0;
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

    /// <summary>The hidden states of one recurrence (<see cref="Architecture.Recurrences"/>) in the last forward call, [T, B, H]. They hold until the next one.</summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor RecurrenceStates(int recurrence) =>
        (current ?? throw new InvalidOperationException("Hidden states are there after a forward call.")).Hidden[recurrence];

    /// <summary>
    /// What <paramref name="layer"/> took in the last forward call: inputs or embedded tokens [T, B, I], or what the layer below handed on. It holds until
    /// the next one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor LayerInput(int layer)
    {
        if (current is null || currentInput is null) throw new InvalidOperationException("A layer's input is there after a forward call.");
        return layer == 0 ? currentInput : current.Passed[layer - 1];
    }

    /// <summary>
    /// What the read-out saw in the last forward call: [B, D*H], or [T, B, D*H] for a read-out of every step. It holds until the next one.
    /// </summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor SeenByReadout => (current ?? throw new InvalidOperationException("The read-out sees something after a forward call.")).Seen;

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseActivations();
        Parameters.Dispose();
    }

    /// <summary>For example <c>irnn 28-128-10 on host</c>.</summary>
    public override string ToString() => $"{Architecture.Cell.Name()} {Architecture.Inputs}-{string.Join("-", Architecture.Hidden)}-{Architecture.Outputs} on {Backend.Device.Id}";

    // Whether the read-out sees the last state of both directions, which stand at different steps.
    private bool SeesBothEnds => Architecture is { IsBidirectional: true, Readout: Readout.Last };

    private void GoBack(Activations now, int layer, bool isReverse, int gradientFrom, Tensor? inputGradient, IBackwardObserver? observer)
    {
        int at = layer * Architecture.Directions + (isReverse ? 1 : 0);
        observer?.Enter(at, now.HiddenGradients[at], gradientFrom);
        Backend.Recurrent.Backward(
            now.Workspaces[at],
            layers[at],
            layer == 0 ? currentInput! : now.Passed[layer - 1],
            initial: null,
            now.Hidden[at],
            now.HiddenGradients[at],
            gradientFrom,
            Parameters.LayerGradients(layer, isReverse),
            inputGradient,
            initialGradient: null);
        observer?.Leave(at, now.Workspaces[at].ProductGradient!);
    }

    // both [..., 2H] = forward [..., H] | reverse [..., H]
    private void Join(Tensor forward, Tensor reverse, Tensor both)
    {
        int hidden = forward.Shape.Columns;
        Backend.Matrix.CopyColumns(forward, 0, both, 0, hidden);
        Backend.Matrix.CopyColumns(reverse, 0, both, hidden, hidden);
    }

    private void Part(Tensor both, Tensor forward, Tensor reverse)
    {
        int hidden = forward.Shape.Columns;
        Backend.Matrix.CopyColumns(both, 0, forward, 0, hidden);
        Backend.Matrix.CopyColumns(both, hidden, reverse, 0, hidden);
    }

    private Activations Prepare(int steps, int batch, bool isTraining, bool drops)
    {
        int found = sizes.FindIndex(a => a.Steps == steps && a.Batch == batch && a.IsTraining == isTraining && a.Drops == drops);
        if (found >= 0)
        {
            Activations known = sizes[found];
            sizes.RemoveAt(found);
            sizes.Add(known);
            return known;
        }

        long cells = (long)steps * batch;
        if (memory is null || memory.Cells < cells || memory.Batch < batch || (isTraining && !memory.IsTraining) || (drops && !memory.Drops))
        {
            drops |= memory is { Drops: true };
            (cells, int room, bool forTraining) = (Math.Max(cells, memory?.Cells ?? 0), Math.Max(batch, memory?.Batch ?? 0), isTraining || memory is { IsTraining: true });
            ReleaseActivations();
            memory = new ActivationMemory(Architecture, Backend, cells, room, forTraining, drops);
        }

        if (sizes.Count == KeptSizes)
        {
            sizes[0].Dispose();
            sizes.RemoveAt(0);
        }

        Activations made = new(Architecture, Backend, memory, steps, batch, isTraining, drops);
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
