using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>What a forward call asks for.</summary>
/// <param name="Steps">T.</param>
/// <param name="Batch">B.</param>
/// <param name="IsTraining">Whether it can go backward.</param>
/// <param name="Drops">Whether something is dropped.</param>
/// <param name="HasLengths">Whether some sequence is shorter than T.</param>
internal readonly record struct ActivationShape(int Steps, int Batch, bool IsTraining, bool Drops, bool HasLengths)
{
    /// <summary>T B.</summary>
    public long Cells => (long)Steps * Batch;
}

/// <summary>
/// What a network computes with for one number of steps and sequences: windows on the network's shared memory, and the backend's workspaces.
/// </summary>
internal sealed class Activations : IDisposable
{
    /// <summary>
    /// Lays the windows; all memory comes from <paramref name="memory"/>, which must be large enough (see <see cref="ActivationMemory"/>).
    /// </summary>
    public Activations(Architecture architecture, IBackend backend, ActivationMemory memory, ActivationShape shape)
    {
        Shape = shape;
        (int steps, int batch, bool isTraining, bool drops, _) = shape;
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
                Tensor[] blocks = memory.Gradients;
                if (isTraining) HiddenGradients[at] = blocks[directions == 2 ? direction : layer % blocks.Length].View(0, steps, batch, hidden);
                RecurrentShape work = new(architecture.Cell.Kind(), steps, batch, architecture.LayerInputs(layer), hidden) { IsReverse = direction == 1 };
                Workspaces[at] = backend.Recurrent.Prepare(work, isTraining, memory.Recurrent[at]);
                Tensor? kept = shape.HasLengths ? null : Workspaces[at].Outputs;
                Hidden[at] = kept ?? memory.Hidden(at).View(0, steps, batch, hidden);
            }

            int width = architecture.LayerOutputs(layer);
            bool isOwn = directions == 2 || (drops && (layer < layers - 1 || architecture.DropsLastLayer));
            Passed[layer] = isOwn ? memory.Passed[layer].View(0, steps, batch, width) : Hidden[layer];
            if (!isTraining) continue;
            PassedGradients[layer] = directions == 1
                ? HiddenGradients[layer]
                : memory.PassedGradients[layer % memory.PassedGradients.Length].View(0, steps, batch, width);
        }

        if (architecture.HasEmbedding)
        {
            Embedded = memory.Embedded!.View(0, steps, batch, architecture.Inputs);
            if (isTraining) EmbeddedGradient = memory.EmbeddedGradient!.View(0, steps, batch, architecture.Inputs);
        }

        bool isEvery = architecture.Readout == Readout.Every;
        Outputs = isEvery ? memory.Outputs.View(0, steps, batch, architecture.Outputs) : memory.Outputs.View(0, batch, architecture.Outputs);
        (Seen, SeenGradient) = architecture.Readout switch
        {
            Readout.Last when !SeesOwn(architecture, shape) => (Hidden[^1].Slice(steps - 1), isTraining ? HiddenGradients[^1].Slice(steps - 1) : null),
            Readout.Every => (Passed[^1], isTraining ? PassedGradients[^1] : null),
            _ => (
                memory.Seen!.View(0, batch, architecture.LayerOutputs(layers - 1)),
                isTraining ? memory.SeenGradient!.View(0, batch, architecture.LayerOutputs(layers - 1)) : null),
        };
        LastStates = Hidden[^directions].Slice(steps - 1);
        FirstStates = Hidden[^1].Slice(0);
        LastPassed = Passed[^1].Slice(steps - 1);
        if (!isTraining) return;
        LastGradients = HiddenGradients[^directions].Slice(steps - 1);
        FirstGradients = HiddenGradients[^1].Slice(0);
        LastPassedGradients = PassedGradients[^1].Slice(steps - 1);
        if (memory.OtherGradient is { } other)
        {
            OtherGradients =
            [
                .. Enumerable.Range(0, layers).Select(
                    layer => layer > 0 || architecture.HasEmbedding ? other.View(0, steps, batch, architecture.LayerInputs(layer)) : null),
            ];
        }
    }

    /// <summary>What they were made for.</summary>
    public ActivationShape Shape { get; }

    /// <summary>T.</summary>
    public int Steps => Shape.Steps;

    /// <summary>Whether some of what the layers hand on is dropped.</summary>
    public bool Drops => Shape.Drops;

    /// <summary>The embedded tokens [T, B, E]; null without an embedding.</summary>
    public Tensor? Embedded { get; }

    /// <summary>Their gradient; null without an embedding or without training.</summary>
    public Tensor? EmbeddedGradient { get; }

    /// <summary>Hidden states of each layer and direction, [T, B, H]; the directions of a layer side by side.</summary>
    public Tensor[] Hidden { get; }

    /// <summary>Their gradients, [T, B, H]; with one direction every second layer shares its memory, with two every layer.</summary>
    public Tensor[] HiddenGradients { get; }

    /// <summary>What each layer hands on, [T, B, D*H]: its hidden states, joined and dropped where that is asked for.</summary>
    public Tensor[] Passed { get; }

    /// <summary>
    /// The gradients of that, [T, B, D*H]; every second layer shares its memory. With one direction they are the hidden states' own.
    /// </summary>
    public Tensor[] PassedGradients { get; }

    /// <summary>
    /// The reverse direction's input gradients of each layer, [T, B, I], all in one place; null where the inputs are not computed, none with one
    /// direction.
    /// </summary>
    public Tensor?[] OtherGradients { get; } = [];

    /// <summary>The top layer's forward states at the last step, [B, H].</summary>
    public Tensor LastStates { get; }

    /// <summary>Their gradients; null without training.</summary>
    public Tensor? LastGradients { get; }

    /// <summary>The top layer's reverse states (with one direction its only ones) at the first step, [B, H].</summary>
    public Tensor FirstStates { get; }

    /// <summary>Their gradients; null without training.</summary>
    public Tensor? FirstGradients { get; }

    /// <summary>What the top layer hands on at the last step, [B, D*H].</summary>
    public Tensor LastPassed { get; }

    /// <summary>Its gradient; null without training.</summary>
    public Tensor? LastPassedGradients { get; }

    /// <summary>The backend's part, per layer and direction.</summary>
    public RecurrentWorkspace[] Workspaces { get; }

    /// <summary>What the read-out sees: [B, D*H], or [T, B, D*H] at every step.</summary>
    public Tensor Seen { get; }

    /// <summary>Whether <see cref="Seen"/> has memory of its own instead of being a step, or all, of what the top layer hands on.</summary>
    public static bool SeesOwn(Architecture architecture, ActivationShape shape) => architecture.Readout switch
    {
        Readout.Last => architecture.IsBidirectional || shape.HasLengths || (shape.Drops && architecture.HasEmbedding),
        Readout.Mean or Readout.LastStep => true,
        _ => false,
    };

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
