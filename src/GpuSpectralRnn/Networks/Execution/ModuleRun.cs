using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks.Execution;

/// <summary>A value of a bound graph. Values of fields change with every pass, all others stay where they are.</summary>
internal sealed class ValueSlot
{
    /// <summary>The value.</summary>
    public required Value Value { get; init; }

    /// <summary>Its numbers: [T, B], [T, B, F] or [B, F].</summary>
    public Tensor Values { get; set; } = null!;

    /// <summary>dL/d values, of their shape; null where none is wanted.</summary>
    public Tensor? Gradient { get; set; }

    /// <summary>Steps walked before this one have no gradient: their rows hold anything.</summary>
    public int GradientFrom { get; set; }
}

/// <summary>What all modules of a pass share.</summary>
internal sealed class Pass
{
    /// <summary>The batch.</summary>
    public SequenceBatch Batch { get; set; }

    /// <summary>What is dropped.</summary>
    public DropoutMask Mask { get; set; }

    /// <summary>The recurrences' states between passes; null where none are kept.</summary>
    public CarriedState? State { get; set; }

    /// <summary>Sees gradients; null for none.</summary>
    public IBackwardObserver? Observer { get; set; }
}

/// <summary>What a module is given to run with.</summary>
internal sealed class ModuleBinding
{
    /// <summary>Where it computes.</summary>
    public required IBackend Backend { get; init; }

    /// <summary>The network's parameters.</summary>
    public required Parameters Parameters { get; init; }

    /// <summary>The module in its graph.</summary>
    public required Node Node { get; init; }

    /// <summary>The extents.</summary>
    public required PassShape Shape { get; init; }

    /// <summary>What all modules of a pass share.</summary>
    public required Pass Pass { get; init; }

    /// <summary>What it reads.</summary>
    public required IReadOnlyList<ValueSlot> Inputs { get; init; }

    /// <summary>What it gives.</summary>
    public required ValueSlot Output { get; init; }

    /// <summary>Where it writes the gradient of each input (overwriting); null where none is wanted. Filled once all modules are bound.</summary>
    public required Tensor?[] InputGradients { get; init; }

    /// <summary>From <see cref="Module.Reserve"/>.</summary>
    public IDisposable? Memory { get; init; }

    /// <summary>Where the output lies in the end.</summary>
    public required Placement Placement { get; init; }

    /// <summary>Whether the gradient of a step that is the output is already that step of the input's gradient.</summary>
    public bool SharesGradient { get; init; }

    /// <summary>Takes the memory of the output.</summary>
    public required Func<Tensor> TakeOutput { get; init; }

    /// <summary>T of a value.</summary>
    public int Steps(Value value) => Shape.Steps(Node.Scope.FieldIndex(value));

    /// <summary>A parameter of the module as its kernels read it.</summary>
    public Tensor Formed(string name) => Parameters.Formed(Node, name);

    /// <summary>Where the gradient of <see cref="Formed"/> is gathered.</summary>
    public Tensor FormedGradient(string name) => Parameters.FormedGradient(Node, name);
}

/// <summary>A module with its operands for one shape of passes.</summary>
internal abstract class ModuleRun(ModuleBinding binding) : IDisposable
{
    /// <summary>Its operands.</summary>
    protected ModuleBinding Binding => binding;

    /// <summary>Where it computes.</summary>
    protected IBackend Backend => binding.Backend;

    /// <summary>The numbers of its first input.</summary>
    protected Tensor Input => binding.Inputs[0].Values;

    /// <summary>The numbers of its output.</summary>
    protected Tensor Output => binding.Output.Values;

    /// <summary>dL/d output; its content may be used up.</summary>
    protected Tensor OutputGradient => binding.Output.Gradient!;

    /// <summary>Where the gradient of its first input goes; null where none is wanted.</summary>
    protected Tensor? InputGradient => binding.InputGradients[0];

    /// <summary>Writes the output.</summary>
    public abstract void Forward();

    /// <summary>Writes the gradients of the inputs, adds to those of the parameters.</summary>
    public abstract void Backward();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>The numbers of an input.</summary>
    protected Tensor Read(int input) => binding.Inputs[input].Values;

    /// <summary>Int32 [B], the lengths of a value's sequences in this pass; null where all are whole.</summary>
    protected Tensor? Lengths(Value value) => value.Field is null ? null : binding.Pass.Batch[binding.Node.Scope.FieldIndex(value)].Lengths;
}
