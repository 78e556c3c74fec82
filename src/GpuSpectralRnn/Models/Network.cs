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
    private readonly RecurrentWeights[] layers;
    private readonly Tensor readoutWeight;
    private readonly Tensor readoutBias;
    private ActivationMemory? memory;
    private Activations? current;
    private Tensor? currentInput;

    /// <summary>A network whose parameters are all zero.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid.</exception>
    public Network(Architecture architecture, IBackend backend)
    {
        Architecture = architecture;
        Backend = backend;
        Parameters = new Parameters(architecture, backend);
        layers = [.. Enumerable.Range(0, architecture.Layers).Select(Parameters.Layer)];
        readoutWeight = Parameters["readout.weight"];
        readoutBias = Parameters["readout.bias"];
    }

    /// <summary>What the network is.</summary>
    public Architecture Architecture { get; }

    /// <summary>Where it computes.</summary>
    public IBackend Backend { get; }

    /// <summary>Its weights and their gradients.</summary>
    public Parameters Parameters { get; }

    /// <summary>A network with the initial weights of <see cref="Initialization"/>.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid.</exception>
    public static Network Create(Architecture architecture, IBackend backend, ulong seed)
    {
        Network network = new(architecture, backend);
        network.Parameters.Values.CopyFrom<float>(Initialization.Draw(architecture, seed));
        return network;
    }

    /// <summary>Runs all layers over all steps and the read-out.</summary>
    /// <param name="input">[T, B, I].</param>
    /// <param name="isTraining">Whether <see cref="Backward"/> will follow; <paramref name="input"/> must then stay as it is until then.</param>
    /// <returns>Logits or predictions: [B, O], or [T, B, O] for a read-out of every step.</returns>
    /// <exception cref="ArgumentException">The input is not [T, B, I] of this network.</exception>
    public Tensor Forward(Tensor input, bool isTraining = false)
    {
        if (input.Shape.Rank != 3 || input.Shape[2] != Architecture.Inputs || input.Count == 0)
            throw new ArgumentException($"The input is {input}; this network takes [T, B, {Architecture.Inputs}] with T and B of one or more.", nameof(input));
        current = Prepare(input.Shape[0], input.Shape[1], isTraining);
        currentInput = input;
        Parameters.FormProducts();
        for (int layer = 0; layer < layers.Length; layer++)
            Backend.Recurrent.Forward(current.Workspaces[layer], layers[layer], layer == 0 ? input : current.Hidden[layer - 1], null, current.Hidden[layer]);
        if (Architecture.Readout == Readout.Mean) Backend.Matrix.MeanOverSteps(current.Hidden[^1], current.Seen);
        Backend.Matrix.Linear(current.Seen, readoutWeight, readoutBias, current.Outputs);
        return current.Outputs;
    }

    /// <summary>
    /// Backpropagation for the last <see cref="Forward"/>, which was called for training. Adds to the gradients of <see cref="Parameters"/>; fill them with zero before a new step.
    /// </summary>
    /// <param name="outputGradient">dL/d outputs, of the outputs' shape; may be the outputs themselves, overwritten by the loss.</param>
    /// <param name="observer">Sees the gradients of each layer on the way, where given.</param>
    /// <exception cref="InvalidOperationException">No forward call for training went before.</exception>
    public void Backward(Tensor outputGradient, IBackwardObserver? observer = null)
    {
        if (current is not { IsTraining: true } || currentInput is null)
            throw new InvalidOperationException("Backward needs a Forward call with isTraining before it.");
        Backend.Matrix.LinearBackward(
            current.Seen, readoutWeight, outputGradient, current.SeenGradient, Parameters.Gradient("readout.weight"), Parameters.Gradient("readout.bias"));
        if (Architecture.Readout == Readout.Mean) Backend.Matrix.SpreadOverSteps(current.SeenGradient!, current.HiddenGradients[^1]);

        // Only the last step's hidden state has a gradient from outside where the read-out sees only that: the rows before it are never filled.
        int gradientFrom = Architecture.Readout == Readout.Last ? current.Steps - 1 : 0;
        for (int layer = layers.Length - 1; layer >= 0; layer--)
        {
            observer?.Enter(layer, current.HiddenGradients[layer], gradientFrom);
            Backend.Recurrent.Backward(
                current.Workspaces[layer],
                layers[layer],
                layer == 0 ? currentInput : current.Hidden[layer - 1],
                initial: null,
                current.Hidden[layer],
                current.HiddenGradients[layer],
                gradientFrom,
                Parameters.LayerGradients(layer),
                inputGradient: layer == 0 ? null : current.HiddenGradients[layer - 1],
                initialGradient: null);
            observer?.Leave(layer, current.HiddenGradients[layer]);
            gradientFrom = 0;
        }

        Parameters.SpreadProductGradients();

        currentInput = null;
    }

    /// <summary>The hidden states of <paramref name="layer"/> in the last forward call, [T, B, H]. They hold until the next one.</summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor HiddenStates(int layer) =>
        (current ?? throw new InvalidOperationException("Hidden states are there after a forward call.")).Hidden[layer];

    /// <summary>
    /// What the read-out saw in the last forward call: [B, H], or [T, B, H] for a read-out of every step. It holds until the next one.
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

    private Activations Prepare(int steps, int batch, bool isTraining)
    {
        int found = sizes.FindIndex(a => a.Steps == steps && a.Batch == batch && a.IsTraining == isTraining);
        if (found >= 0)
        {
            Activations known = sizes[found];
            sizes.RemoveAt(found);
            sizes.Add(known);
            return known;
        }

        long cells = (long)steps * batch;
        if (memory is null || memory.Cells < cells || memory.Batch < batch || (isTraining && !memory.IsTraining))
        {
            (cells, int room, bool forTraining) = (Math.Max(cells, memory?.Cells ?? 0), Math.Max(batch, memory?.Batch ?? 0), isTraining || memory is { IsTraining: true });
            ReleaseActivations();
            memory = new ActivationMemory(Architecture, Backend, cells, room, forTraining);
        }

        if (sizes.Count == KeptSizes)
        {
            sizes[0].Dispose();
            sizes.RemoveAt(0);
        }

        Activations made = new(Architecture, Backend, memory, steps, batch, isTraining);
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
