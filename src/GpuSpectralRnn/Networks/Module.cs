using System.Text.Json.Serialization;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks.Execution;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// One coarse operation of a graph, as plain data: which values it reads by name, and its own choices. Everything else follows from the values that
/// it reads (<see cref="Scope"/>).
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Activation), "activation")]
[JsonDerivedType(typeof(Attention), "attention")]
[JsonDerivedType(typeof(CharacterConvolution), "character-convolution")]
[JsonDerivedType(typeof(Concat), "concat")]
[JsonDerivedType(typeof(Dropout), "dropout")]
[JsonDerivedType(typeof(Embedding), "embedding")]
[JsonDerivedType(typeof(Highway), "highway")]
[JsonDerivedType(typeof(LastStep), "last-step")]
[JsonDerivedType(typeof(Linear), "linear")]
[JsonDerivedType(typeof(MeanOverSteps), "mean-over-steps")]
[JsonDerivedType(typeof(Multiply), "multiply")]
[JsonDerivedType(typeof(Recurrent), "recurrent")]
[JsonDerivedType(typeof(SoftmaxOverSteps), "softmax-over-steps")]
[JsonDerivedType(typeof(StepScores), "step-scores")]
public abstract record Module
{
    /// <summary>Its name, which is also that of its output; unique in a graph.</summary>
    public required string Name { get; init; }

    /// <summary>The values that it reads.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Its output; checks the inputs.</summary>
    /// <exception cref="InvalidCallException">It cannot read these values.</exception>
    internal abstract Value Infer(Scope scope);

    /// <summary>Its parameters in the order of the block, without their places. Modules that name the same parameter share it.</summary>
    internal virtual IEnumerable<ParameterSpec> DeclareParameters(Scope scope) => [];

    /// <summary>How it meets the axes of its inputs and of its output.</summary>
    internal virtual IEnumerable<UnitUse> Uses(Scope scope) => [];

    /// <summary>Where its output lies.</summary>
    internal virtual Placement Place(Scope scope, PassShape shape) => Placement.Own;

    /// <summary>Whether it hands units on as they are: side by side, one step of them, their mean over steps.</summary>
    internal virtual bool PassesOn => false;

    /// <summary>Whether its backward pass reads its output again, so that no one may overwrite it.</summary>
    internal virtual bool KeepsOutput => false;

    /// <summary>Whether its backward pass can turn the gradient of its output into that of its first input in place.</summary>
    internal virtual bool GoesBackInPlace => false;

    /// <summary>Whether its backward pass writes the gradients of all its inputs, wanted or not.</summary>
    internal virtual bool WritesAllGradients => false;

    /// <summary>Whether it takes a gradient of its output of which only the last or the first step is filled.</summary>
    internal virtual bool TakesGradientOf(Placement step) => false;

    /// <summary>The same module with parameters under its own name only.</summary>
    internal virtual Module WithOwnParameters() => this;

    /// <summary>What it runs with for one shape of passes.</summary>
    internal abstract ModuleRun Bind(ModuleBinding binding);

    /// <summary>Memory that all shapes share beside values and gradients; null for none.</summary>
    internal virtual IDisposable? Reserve(Scope scope, Compute.IBackend backend, Reservation size) => null;

    /// <summary>Multiply-adds of its products for one sequence of a layout; what is done number by number does not count.</summary>
    internal virtual long MultiplyAdds(Scope scope, SequenceLayout layout) => 0;
}

/// <summary>Where a module's output lies.</summary>
internal enum Placement
{
    /// <summary>In memory of its own.</summary>
    Own,

    /// <summary>It is its first input.</summary>
    Input,

    /// <summary>It overwrites its first input, if nobody else reads that.</summary>
    OverInput,

    /// <summary>It is the last step of its first input.</summary>
    LastStep,

    /// <summary>It is the first step of its first input.</summary>
    FirstStep,
}

/// <summary>What a module finds in a graph: the values it reads and the axes there are.</summary>
internal sealed class Scope(Module module, IReadOnlyList<Value> inputs, Graph graph)
{
    private Value? output;

    /// <summary>The values that the module reads.</summary>
    public IReadOnlyList<Value> Inputs => inputs;

    /// <summary>The value that it gives.</summary>
    public Value Output => output ??= module.Infer(this);

    /// <summary>The only value that it reads.</summary>
    /// <exception cref="InvalidCallException">It reads none or several.</exception>
    public Value Input => inputs.Count == 1 ? inputs[0] : throw Refuse($"reads {inputs.Count} values and takes one");

    /// <summary>Whether a recurrence makes these units.</summary>
    public bool IsRecurrent(UnitAxis axis) => graph.IsRecurrent(axis);

    /// <summary>The place in <see cref="Graph.Fields"/> of a value's field.</summary>
    public int FieldIndex(Value value) => graph.FieldIndex(value);

    /// <summary>The place in <see cref="Graph.Fields"/> of the field with a name.</summary>
    public int FieldIndex(string field) => graph.FieldIndex(field);

    /// <summary>T of a value in sequences of a layout; 1 of a vector.</summary>
    public long Steps(Value value, SequenceLayout layout) => value.Kind == ValueKind.Vector ? 1 : layout.Fields[FieldIndex(value)].Steps;

    /// <summary>W of a field of characters in sequences of a layout.</summary>
    public long Characters(Value field, SequenceLayout layout) => layout.Fields[FieldIndex(field.Name)].Characters;

    /// <summary>An axis by its name.</summary>
    /// <exception cref="InvalidCallException">The graph has no such axis.</exception>
    public UnitAxis Axis(string name) => graph.FindAxis(name) ?? throw Refuse($"names the axis {name}, which the graph lacks");

    /// <summary>The input of one of some kinds.</summary>
    /// <exception cref="InvalidCallException">It is of another kind.</exception>
    public Value Take(Value value, params ReadOnlySpan<ValueKind> kinds)
    {
        if (kinds.Contains(value.Kind)) return value;
        string[] names = new string[kinds.Length];
        for (int i = 0; i < names.Length; i++) names[i] = kinds[i].Name();
        throw Refuse($"reads the {value} and takes a {string.Join(" or a ", names)}");
    }

    /// <summary>How each part of a value that is read through columns from <paramref name="firstColumn"/> on is read.</summary>
    public static IEnumerable<UnitUse> ReadColumns(Value value, string parameter, string? bias, int firstColumn = 0) =>
        value.Parts.Select(part => new ReadsLinearly(part.Axis, parameter, firstColumn + part.First, bias));

    /// <summary>How values of one width are read unit by unit: their axes are tied, place by place.</summary>
    /// <exception cref="InvalidCallException">Their axes are not of the same sizes.</exception>
    public IEnumerable<UnitUse> TieUnits(Value first, Value other)
    {
        if (!first.Units.Select(axis => axis.Size).SequenceEqual(other.Units.Select(axis => axis.Size)))
            throw Refuse($"reads the {first} and the {other} unit by unit, whose axes have other sizes");
        return first.Units.Zip(other.Units).Select(pair => new ReadsByElement(pair.First, pair.Second));
    }

    /// <summary>An error of this module's.</summary>
    public InvalidCallException Refuse(string fault) => new($"The module {module.Name} {fault}.");
}
