using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>What a network computes with for one number of steps and sequences: windows on the network's shared memory, and the backend's workspaces.</summary>
internal sealed class Activations : IDisposable
{
    /// <summary>Lays the windows; all memory comes from <paramref name="memory"/>, which must be large enough (see <see cref="ActivationMemory"/>).</summary>
    public Activations(Architecture architecture, IBackend backend, ActivationMemory memory, int steps, int batch, bool isTraining, bool drops)
    {
        (Steps, Batch, IsTraining, Drops) = (steps, batch, isTraining, drops);
        (int layers, int directions) = (architecture.Layers, architecture.Directions);
        Hidden = new Tensor[layers * directions];
        Passed = new Tensor[layers];
        Workspaces = new RecurrentWorkspace[layers * directions];
        HiddenGradients = isTraining ? new Tensor[layers * directions] : [];
        PassedGradients = isTraining ? new Tensor[layers] : [];
        for (int layer = 0; layer < layers; layer++)
        {
            int hidden = architecture.Hidden[layer];
            for (int direction = 0; direction < directions; direction++)
            {
                int at = layer * directions + direction;
                Hidden[at] = memory.Hidden[at].View(0, steps, batch, hidden);
                Tensor[] blocks = memory.Gradients;
                if (isTraining) HiddenGradients[at] = blocks[directions == 2 ? direction : layer % blocks.Length].View(0, steps, batch, hidden);
                RecurrentShape shape = new(architecture.Cell.Kind(), steps, batch, architecture.LayerInputs(layer), hidden) { IsReverse = direction == 1 };
                Workspaces[at] = backend.Recurrent.Prepare(shape, isTraining);
            }

            int width = architecture.LayerOutputs(layer);
            bool isOwn = directions == 2 || (drops && layer < layers - 1);
            Passed[layer] = isOwn ? memory.Passed[layer].View(0, steps, batch, width) : Hidden[layer];
            if (!isTraining) continue;
            PassedGradients[layer] = directions == 1
                ? HiddenGradients[layer]
                : memory.PassedGradients[layer % memory.PassedGradients.Length].View(0, steps, batch, width);
        }

        bool isEvery = architecture.Readout == Readout.Every;
        Outputs = isEvery ? memory.Outputs.View(0, steps, batch, architecture.Outputs) : memory.Outputs.View(0, batch, architecture.Outputs);
        (Seen, SeenGradient) = architecture.Readout switch
        {
            Readout.Last when directions == 1 => (Hidden[^1].Slice(steps - 1), isTraining ? HiddenGradients[^1].Slice(steps - 1) : null),
            Readout.Every => (Passed[^1], isTraining ? PassedGradients[^1] : null),
            _ => (
                memory.Seen!.View(0, batch, architecture.LayerOutputs(layers - 1)),
                isTraining ? memory.SeenGradient!.View(0, batch, architecture.LayerOutputs(layers - 1)) : null),
        };
        if (isTraining && directions == 2 && layers > 1) OtherGradient = memory.OtherGradient!.View(0, memory.OtherGradient.Shape[0]);
    }

    /// <summary>T.</summary>
    public int Steps { get; }

    /// <summary>B.</summary>
    public int Batch { get; }

    /// <summary>Whether it can go backward.</summary>
    public bool IsTraining { get; }

    /// <summary>Whether some of what the layers hand on is dropped.</summary>
    public bool Drops { get; }

    /// <summary>Hidden states of each layer and direction, [T, B, H]; the directions of a layer side by side.</summary>
    public Tensor[] Hidden { get; }

    /// <summary>Their gradients, [T, B, H]; with one direction every second layer shares its memory, with two every layer.</summary>
    public Tensor[] HiddenGradients { get; }

    /// <summary>What each layer hands on, [T, B, D*H]: its hidden states, joined and dropped where that is asked for.</summary>
    public Tensor[] Passed { get; }

    /// <summary>The gradients of that, [T, B, D*H]; every second layer shares its memory. With one direction they are the hidden states' own.</summary>
    public Tensor[] PassedGradients { get; }

    /// <summary>Room for the reverse direction's input gradient, flat; null with one direction.</summary>
    public Tensor? OtherGradient { get; }

    /// <summary>The backend's part, per layer and direction.</summary>
    public RecurrentWorkspace[] Workspaces { get; }

    /// <summary>What the read-out sees: [B, D*H], or [T, B, D*H] at every step.</summary>
    public Tensor Seen { get; }

    /// <summary>The gradient of <see cref="Seen"/>; null without training.</summary>
    public Tensor? SeenGradient { get; }

    /// <summary>Logits or predictions, [B, O] or [T, B, O].</summary>
    public Tensor Outputs { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (RecurrentWorkspace workspace in Workspaces) workspace.Dispose();
    }
}

/// <summary>The memory behind a network's activations, sized for the largest number of steps times sequences met so far.</summary>
internal sealed class ActivationMemory : IDisposable
{
    /// <summary>Allocates for up to <paramref name="cells"/> = T B step-sequence pairs and <paramref name="batch"/> = B sequences.</summary>
    public ActivationMemory(Architecture architecture, IBackend backend, long cells, int batch, bool isTraining, bool drops)
    {
        (Cells, Batch, IsTraining, Drops) = (cells, batch, isTraining, drops);
        (int layers, bool isJoined) = (architecture.Layers, architecture.IsBidirectional);
        Hidden = [.. architecture.Hidden.SelectMany(hidden => Enumerable.Range(0, architecture.Directions).Select(_ => Allocate(cells * hidden)))];
        Passed = [.. Enumerable.Range(0, isJoined ? layers : drops ? layers - 1 : 0).Select(layer => Allocate(cells * architecture.LayerOutputs(layer)))];
        Outputs = Allocate((architecture.Readout == Readout.Every ? cells : batch) * architecture.Outputs);
        bool seesMore = architecture.Readout == Readout.Mean || (isJoined && architecture.Readout == Readout.Last);
        long seen = (long)batch * architecture.LayerOutputs(layers - 1);
        if (seesMore) Seen = Allocate(seen);
        if (isTraining)
        {
            // Backpropagation moves from one layer to the next below: two blocks in turn serve any depth.
            int widest = architecture.Hidden.Max();
            int turns = Math.Min(2, layers);
            Gradients = [.. Enumerable.Range(0, isJoined ? 2 : turns).Select(_ => Allocate(cells * widest))];
            if (isJoined) PassedGradients = [.. Enumerable.Range(0, turns).Select(_ => Allocate(2 * cells * widest))];
            if (isJoined && layers > 1) OtherGradient = Allocate(2 * cells * widest);
            if (seesMore) SeenGradient = Allocate(seen);
        }

        Tensor Allocate(long count) => count <= int.MaxValue
            ? backend.Allocate(new Shape((int)count))
            : throw new InvalidCallException($"{cells} steps x sequences need {count} activations in one layer, more than {int.MaxValue}; choose a smaller batch.");
    }

    /// <summary>T B it has room for.</summary>
    public long Cells { get; }

    /// <summary>B it has room for.</summary>
    public int Batch { get; }

    /// <summary>Whether gradients have room.</summary>
    public bool IsTraining { get; }

    /// <summary>Whether dropped states have room.</summary>
    public bool Drops { get; }

    /// <summary>One block per layer and direction.</summary>
    public Tensor[] Hidden { get; }

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

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor? tensor in (Tensor?[])[.. Hidden, .. Passed, .. Gradients, .. PassedGradients, OtherGradient, Outputs, Seen, SeenGradient]) tensor?.Dispose();
    }
}
