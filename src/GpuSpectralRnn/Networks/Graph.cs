using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Networks;

/// <summary>A module in its graph.</summary>
public sealed class Node
{
    internal Node(Module module, int index, Scope scope)
    {
        (Module, Index, Scope) = (module, index, scope);
        _ = scope.Output; // refuses values that the module cannot read, on whose number and extents the rest counts
        Uses = [.. module.Uses(scope)];
        Declared = [.. module.DeclareParameters(scope)];
        Parameters = [.. Declared.Select(spec => spec.Name)];
        Vectors = [.. Declared.Where(spec => spec.Shape.Rank == 1).Select(spec => spec.Name)];
        Matrices = [.. Uses.Select(ParameterOf).OfType<string>().Distinct().Except(Vectors)];
    }

    /// <summary>The module.</summary>
    public Module Module { get; }

    /// <summary>Its place in the order of a forward pass.</summary>
    public int Index { get; }

    /// <summary>The values that it reads.</summary>
    public IReadOnlyList<Value> Inputs => Scope.Inputs;

    /// <summary>The value that it gives.</summary>
    public Value Output => Scope.Output;

    /// <summary>How it meets units.</summary>
    public IReadOnlyList<UnitUse> Uses { get; }

    /// <summary>The names of its stored parameters.</summary>
    public IReadOnlyList<string> Parameters { get; }

    /// <summary>How it meets units through one parameter.</summary>
    public IEnumerable<UnitUse> UsesOf(string parameter) => Uses.Where(use => ParameterOf(use) == parameter);

    /// <summary>Those of its parameters that are vectors.</summary>
    internal IReadOnlyList<string> Vectors { get; }

    /// <summary>The matrices that it computes with, which are stored as they are or as factors.</summary>
    internal IReadOnlyList<string> Matrices { get; }

    /// <summary>Its stored parameters, without their places.</summary>
    internal IReadOnlyList<ParameterSpec> Declared { get; }

    internal Scope Scope { get; }

    /// <inheritdoc/>
    public override string ToString() => Module.Name;

    private static string? ParameterOf(UnitUse use) => use switch
    {
        RowsOfUnits rows => rows.Parameter,
        ProducesByColumns made => made.Parameter,
        ReadsLinearly read => read.Parameter,
        _ => null,
    };
}

/// <summary>
/// A network as a static graph of coarse modules with named unit axes. Modules stand in the order of a forward pass; parameters and axes are known
/// by name, so that a parameter may belong to several modules. Immutable.
/// </summary>
public sealed class Graph
{
    private readonly Dictionary<string, Value> values = [];
    private readonly Dictionary<string, Node> nodes = [];
    private readonly Dictionary<string, UnitAxis> axes;
    private readonly HashSet<string> recurrentAxes = []; // of the modules connected so far
    private IReadOnlyList<PrunableAxis>? prunable;

    /// <summary>Connects modules.</summary>
    /// <param name="fields">What the graph is fed with.</param>
    /// <param name="axes">All unit axes.</param>
    /// <param name="modules">Each after those whose values it reads.</param>
    /// <param name="outputs">The values that the network gives.</param>
    /// <exception cref="InvalidCallException">A name is there twice or missing, a module cannot read what it is given, a value is read by nobody, or
    /// an output is a field.</exception>
    public Graph(IReadOnlyList<Field> fields, IEnumerable<UnitAxis> axes, IReadOnlyList<Module> modules, IReadOnlyList<string> outputs)
    {
        this.axes = [];
        foreach (UnitAxis axis in axes)
        {
            if (axis.Size < 1) throw new InvalidCallException($"The axis {axis.Name} has {axis.Size} units; it needs one or more.");
            if (!this.axes.TryAdd(axis.Name, axis)) throw new InvalidCallException($"The axis {axis.Name} is there twice; name each once.");
        }

        Fields = fields;
        foreach (Field field in fields) Add(CreateValue(field));
        List<Node> order = [];
        foreach (Module module in modules)
        {
            Value[] inputs = [.. module.Inputs.Select(name => values.TryGetValue(name, out Value? value)
                ? value
                : throw new InvalidCallException($"The module {module.Name} reads {name}, which no field or module before it gives."))];
            Node node = new(module, order.Count, new Scope(module, inputs, this));
            if (node.Output.Name != module.Name) throw new InvalidOperationException($"The module {module.Name} calls its output {node.Output.Name}.");
            Add(node.Output);
            nodes.Add(module.Name, node);
            order.Add(node);
            if (module is Modules.Recurrent cell) recurrentAxes.Add(cell.Axis);
        }

        Nodes = order;
        Outputs = [.. outputs.Select(name => values.TryGetValue(name, out Value? value)
            ? value
            : throw new InvalidCallException($"The graph's output {name} is no value of it."))];
        if (outputs.FirstOrDefault(name => !nodes.ContainsKey(name)) is { } given)
            throw new InvalidCallException($"The graph's output {given} is a field; let a module give it.");
        if (outputs.Distinct().Count() < outputs.Count) throw new InvalidCallException("An output is named twice; name each once.");
        foreach (Value value in values.Values)
        {
            bool isRead = order.Any(node => node.Inputs.Contains(value)) || fields.Any(field => field.CharactersOf == value.Name);
            if (!outputs.Contains(value.Name) && !isRead)
                throw new InvalidCallException($"Nobody reads {value.Name}, and it is no output; leave it out.");
        }

        (Parameters, Extent) = LayOut(order);
    }

    /// <summary>What it is fed with.</summary>
    public IReadOnlyList<Field> Fields { get; }

    /// <summary>All unit axes.</summary>
    public IReadOnlyCollection<UnitAxis> Axes => axes.Values;

    /// <summary>The modules in the order of a forward pass.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>The values it gives.</summary>
    public IReadOnlyList<Value> Outputs { get; }

    /// <summary>Names, shapes and places of the parameters, in the order of the block.</summary>
    public IReadOnlyList<ParameterSpec> Parameters { get; }

    /// <summary>P: elements of the whole block, gaps included.</summary>
    public long Extent { get; }

    /// <summary>The axes whose units can be taken away: those of recurrences first, each group in the order of a forward pass.</summary>
    public IReadOnlyList<PrunableAxis> PrunableAxes => prunable ??= PrunableAxis.Find(this);

    /// <summary>Number of weights and biases.</summary>
    public long ParameterCount => Parameters.Sum(spec => spec.Shape.Count);

    /// <summary>Multiply-adds of all products for one sequence of a layout.</summary>
    public long MultiplyAdds(SequenceLayout layout) => Nodes.Sum(node => node.Module.MultiplyAdds(node.Scope, layout));

    /// <summary>Multiply-adds for one step of one sequence of a single field, of the modules that answer every step.</summary>
    public long MultiplyAddsPerStep =>
        Nodes.Where(node => node.Output.Kind == ValueKind.Sequence).Sum(node => node.Module.MultiplyAdds(node.Scope, new SequenceLayout(1, 1)));

    /// <summary>Whether a recurrence's cell has gates.</summary>
    public bool HasGates => Nodes.Any(node => node.Module is Modules.Recurrent recurrence && recurrence.Cell.Gates() > 1);

    /// <summary>Whether a recurrence walks from the last step to the first, so that it must know the end.</summary>
    public bool HasReverse => Nodes.Any(node => node.Module is Modules.Recurrent { IsReverse: true });

    /// <summary>A field or what a module gives.</summary>
    /// <exception cref="ArgumentException">There is no such value.</exception>
    public Value Value(string name) => values.TryGetValue(name, out Value? value) ? value : throw new ArgumentException($"The graph has no value {name}.", nameof(name));

    /// <summary>The place in <see cref="Fields"/> of a value's field.</summary>
    /// <exception cref="ArgumentException">The value is a vector.</exception>
    public int FieldIndex(Value value) => FieldIndex(value.Field ?? throw new ArgumentException($"The {value} has no steps.", nameof(value)));

    /// <summary>The place in <see cref="Fields"/> of the field with a name.</summary>
    /// <exception cref="ArgumentException">There is no such field.</exception>
    public int FieldIndex(string field)
    {
        for (int i = 0; i < Fields.Count; i++)
            if (Fields[i].Name == field) return i;
        throw new ArgumentException($"The graph has no field {field}.", nameof(field));
    }

    /// <summary>Whether a recurrence makes these units.</summary>
    internal bool IsRecurrent(UnitAxis axis) => recurrentAxes.Contains(axis.Name);

    /// <summary>An axis by its name; null where there is none.</summary>
    internal UnitAxis? FindAxis(string name) => axes.GetValueOrDefault(name);

    /// <summary>A module by its name.</summary>
    /// <exception cref="ArgumentException">There is no such module.</exception>
    public Node Node(string name) => nodes.TryGetValue(name, out Node? node) ? node : throw new ArgumentException($"The graph has no module {name}.", nameof(name));

    /// <summary>An axis by its name.</summary>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public UnitAxis Axis(string name) => FindAxis(name) ?? throw new ArgumentException($"The graph has no axis {name}.", nameof(name));

    /// <summary>Whether the first output is there for every step.</summary>
    public bool AnswersEveryStep => Outputs[0].Kind == ValueKind.Sequence;

    /// <summary>The module that gives the first output.</summary>
    public Node OutputNode => Node(Outputs[0].Name);

    /// <summary>The recurrent module that makes the units of an axis; null where none does.</summary>
    public Modules.Recurrent? Recurrence(UnitAxis axis) => Nodes.Select(node => node.Module).OfType<Modules.Recurrent>().FirstOrDefault(module => module.Axis == axis.Name);

    /// <summary>How the modules meet an axis, from the first module to the last.</summary>
    public IEnumerable<UnitUse> UsesOf(string axis) => Nodes.SelectMany(node => node.Uses).Where(use => use.Axis.Name == axis)
        .Concat(Boundaries().Where(use => use.Axis.Name == axis));

    // What the world outside sees has to stay as it is.
    private IEnumerable<UnitUse> Boundaries()
    {
        foreach (Field field in Fields)
            foreach (UnitAxis axis in Value(field.Name).Units) yield return new Opaque(axis, $"the features of {field.Name} are the caller's");
        foreach (Value output in Outputs)
            foreach (UnitAxis axis in output.Units) yield return new Opaque(axis, $"{output.Name} is an output");
    }

    private Value CreateValue(Field field)
    {
        if (field.CharactersOf is { } words)
        {
            if (field.Vocabulary < 1 || !values.TryGetValue(words, out Value? spelt) || spelt.Kind == ValueKind.Characters)
                throw new InvalidCallException($"The field {field.Name} needs a vocabulary, and a field {words} of words before it.");
            return new Value(field.Name, ValueKind.Characters, words, []) { Vocabulary = field.Vocabulary };
        }

        if (field.Vocabulary > 0) return new Value(field.Name, ValueKind.Tokens, field.Name, []) { Vocabulary = field.Vocabulary };
        if (field.Axis is null || !axes.TryGetValue(field.Axis, out UnitAxis? axis))
            throw new InvalidCallException($"The field {field.Name} needs a vocabulary or an axis of the graph.");
        return new Value(field.Name, ValueKind.Sequence, field.Name, [axis]);
    }

    private void Add(Value value)
    {
        if (!values.TryAdd(value.Name, value)) throw new InvalidCallException($"The name {value.Name} is there twice; give every field and module its own.");
    }

    private static (IReadOnlyList<ParameterSpec> Specs, long Extent) LayOut(IReadOnlyList<Node> order)
    {
        List<ParameterSpec> specs = [];
        Dictionary<string, ParameterSpec> known = [];
        long end = 0;
        foreach (ParameterSpec declared in order.SelectMany(node => node.Declared))
        {
            if (known.TryGetValue(declared.Name, out ParameterSpec? shared))
            {
                if (shared.Shape != declared.Shape)
                    throw new InvalidCallException($"The parameter {declared.Name} is {shared.Shape} for one module and {declared.Shape} for another.");
                continue;
            }

            ParameterSpec placed = declared with { Offset = end };
            known.Add(placed.Name, placed);
            specs.Add(placed);
            end = placed.End;
        }

        return (specs, end);
    }
}
