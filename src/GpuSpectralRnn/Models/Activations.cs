using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>What a network computes with for one number of steps and sequences: windows on the network's shared memory, and the backend's workspaces.</summary>
internal sealed class Activations : IDisposable
{
    /// <summary>Lays the windows; all memory comes from <paramref name="memory"/>, which must be large enough (see <see cref="ActivationMemory"/>).</summary>
    public Activations(Architecture architecture, IBackend backend, ActivationMemory memory, int steps, int batch, bool isTraining)
    {
        (Steps, Batch, IsTraining) = (steps, batch, isTraining);
        Hidden = new Tensor[architecture.Layers];
        Workspaces = new RecurrentWorkspace[architecture.Layers];
        HiddenGradients = isTraining ? new Tensor[architecture.Layers] : [];
        for (int layer = 0; layer < architecture.Layers; layer++)
        {
            int hidden = architecture.Hidden[layer];
            Hidden[layer] = memory.Hidden[layer].View(0, steps, batch, hidden);
            if (isTraining) HiddenGradients[layer] = memory.Gradients[layer % memory.Gradients.Length].View(0, steps, batch, hidden);
            Workspaces[layer] = backend.Recurrent.Prepare(new RecurrentShape(architecture.Cell.Kind(), steps, batch, architecture.LayerInputs(layer), hidden), isTraining);
        }

        bool isEvery = architecture.Readout == Readout.Every;
        Outputs = isEvery ? memory.Outputs.View(0, steps, batch, architecture.Outputs) : memory.Outputs.View(0, batch, architecture.Outputs);
        (Seen, SeenGradient) = architecture.Readout switch
        {
            Readout.Last => (Hidden[^1].Slice(steps - 1), isTraining ? HiddenGradients[^1].Slice(steps - 1) : null),
            Readout.Mean => (memory.Mean!.View(0, batch, architecture.Hidden[^1]), isTraining ? memory.MeanGradient!.View(0, batch, architecture.Hidden[^1]) : null),
            _ => (Hidden[^1], isTraining ? HiddenGradients[^1] : null),
        };
    }

    /// <summary>T.</summary>
    public int Steps { get; }

    /// <summary>B.</summary>
    public int Batch { get; }

    /// <summary>Whether it can go backward.</summary>
    public bool IsTraining { get; }

    /// <summary>Hidden states of each layer, [T, B, H].</summary>
    public Tensor[] Hidden { get; }

    /// <summary>Their gradients, [T, B, H]; every second layer shares its memory.</summary>
    public Tensor[] HiddenGradients { get; }

    /// <summary>The backend's part, per layer.</summary>
    public RecurrentWorkspace[] Workspaces { get; }

    /// <summary>What the read-out sees: [B, H], or [T, B, H] at every step.</summary>
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
    public ActivationMemory(Architecture architecture, IBackend backend, long cells, int batch, bool isTraining)
    {
        (Cells, Batch, IsTraining) = (cells, batch, isTraining);
        Hidden = [.. architecture.Hidden.Select(hidden => Allocate(cells * hidden))];
        Outputs = Allocate((architecture.Readout == Readout.Every ? cells : batch) * architecture.Outputs);
        int last = architecture.Hidden[^1];
        if (architecture.Readout == Readout.Mean) Mean = Allocate((long)batch * last);
        if (isTraining)
        {
            // Backpropagation moves from one layer to the next below: two blocks in turn serve any depth.
            int widest = architecture.Hidden.Max();
            Gradients = [.. Enumerable.Range(0, Math.Min(2, architecture.Layers)).Select(_ => Allocate(cells * widest))];
            if (architecture.Readout == Readout.Mean) MeanGradient = Allocate((long)batch * last);
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

    /// <summary>One block per layer.</summary>
    public Tensor[] Hidden { get; }

    /// <summary>One or two blocks, used in turn; none without training.</summary>
    public Tensor[] Gradients { get; } = [];

    /// <summary>Block of the outputs.</summary>
    public Tensor Outputs { get; }

    /// <summary>Block of the mean hidden states.</summary>
    public Tensor? Mean { get; }

    /// <summary>Block of their gradients.</summary>
    public Tensor? MeanGradient { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor? tensor in (Tensor?[])[.. Hidden, .. Gradients, Outputs, Mean, MeanGradient]) tensor?.Dispose();
    }
}
