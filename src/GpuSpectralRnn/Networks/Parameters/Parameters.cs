using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// All parameters of a network in one flat tensor [P] with named views, and a twin of it for the gradients, so that an optimiser step, clipping and a
/// copy are one call each. The gaps between the views hold zeros in both and stay zero under every optimiser.
/// </summary>
public sealed class Parameters : IDisposable
{
    private readonly Graph graph;
    private readonly Dictionary<string, Tensor> views;
    private readonly List<WeightTransform> transforms = [];
    private Dictionary<string, Tensor>? gradientViews;
    private Tensor? gradients;
    private Tensor[]? allGradients;
    private int allGradientsVersion;

    /// <summary>Zero parameters for <paramref name="graph"/>.</summary>
    public Parameters(Graph graph, IBackend backend)
    {
        (this.graph, Backend) = (graph, backend);
        Slots = graph.Parameters;
        Values = backend.Allocate(new Shape((int)graph.Extent));
        views = Views(Values);
        IEnumerable<Recurrent> recurrences = graph.Nodes.Select(node => node.Module).OfType<Recurrent>();
        foreach (Recurrent module in recurrences.Where(module => module.Rank > 0).DistinctBy(module => module.HiddenWeight))
            transforms.Add(new LowRankWeight(this, module.HiddenWeight, module.LeftFactor, module.RightFactor));
    }

    /// <summary>Where they live.</summary>
    public IBackend Backend { get; }

    /// <summary>Names, shapes and places, in the order of the block.</summary>
    public IReadOnlyList<ParameterSpec> Slots { get; }

    /// <summary>Number of weights and biases; gaps do not count.</summary>
    public long Count => Slots.Sum(slot => slot.Shape.Count);

    /// <summary>The flat block [P].</summary>
    public Tensor Values { get; }

    /// <summary>The gradients' flat block [P], allocated (zero) when first asked for.</summary>
    public Tensor Gradients
    {
        get
        {
            if (gradients is null)
            {
                gradients = Backend.Allocate(Values.Shape);
                gradientViews = Views(gradients);
            }

            return gradients;
        }
    }

    /// <summary>All that a backward pass adds to: <see cref="Gradients"/>, and those of gates.</summary>
    internal Tensor[] AllGradients
    {
        get
        {
            if (allGradients is null || allGradientsVersion != Version)
                (allGradients, allGradientsVersion) = ([Gradients, .. transforms.OfType<UnitGates>().Select(gates => gates.Gradients)], Version);
            return allGradients;
        }
    }

    /// <summary>Sets to zero what a backward pass adds to.</summary>
    public void ClearGradients()
    {
        foreach (Tensor gradient in AllGradients) Backend.Fill(gradient, 0);
    }

    /// <summary>
    /// Ones, and zeros for weights that were taken away for good [P]: every optimiser step multiplies the parameters by it. Null where none was. It
    /// is kept in model files.
    /// </summary>
    public Tensor? Mask { get; private set; }

    /// <summary>The parameter <paramref name="name"/>, a view of <see cref="Values"/>.</summary>
    /// <exception cref="KeyNotFoundException">There is no such parameter.</exception>
    public Tensor this[string name] => views[name];

    /// <summary>The gradient of the parameter <paramref name="name"/>, a view of <see cref="Gradients"/>.</summary>
    public Tensor Gradient(string name)
    {
        _ = Gradients;
        return gradientViews![name];
    }

    /// <summary>What a module's kernels read under the name of a parameter: what is stored, or what the last transform of it forms.</summary>
    /// <param name="reader">The module.</param>
    /// <param name="name">The name that the module uses.</param>
    /// <exception cref="KeyNotFoundException">There is no such parameter.</exception>
    public Tensor Formed(Node reader, string name) => Formed(reader, name, before: null);

    /// <summary>Where the gradient of <see cref="Formed(Node, string)"/> is gathered.</summary>
    public Tensor FormedGradient(Node reader, string name) => FormedGradient(reader, name, before: null);

    /// <summary>The weights of a recurrent module, as kernels read them.</summary>
    /// <param name="name">The module's name.</param>
    public RecurrentWeights Recurrent(string name) => Recurrent(graph.Node(name), Formed);

    /// <summary>The gradients of a recurrent module's weights.</summary>
    /// <param name="name">The module's name.</param>
    public RecurrentWeights RecurrentGradients(string name) => Recurrent(graph.Node(name), FormedGradient);

    /// <summary>
    /// Puts gates on the units of an axis, ones at first, behind those that are there already. Forward passes from now on see them; what a network
    /// returned before holds no longer.
    /// </summary>
    /// <param name="axis">An axis that is read linearly only: its units' gates are numbers by which the columns that read them are scaled.</param>
    /// <returns>Owned by the parameters; see <see cref="RemoveGates"/>.</returns>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    /// <exception cref="InvalidCallException">Somebody reads the units otherwise, or nobody reads them.</exception>
    public UnitGates AddGates(string axis) => AddGates(axis, withTied: false);

    /// <summary>Puts gates on an axis, where wanted on all axes that are tied to it as well, whose units then go together.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="withTied">
    /// Whether modules may read the units element by element; then the units can be taken away (<see cref="Graph.PrunableAxes"/>).
    /// </param>
    internal UnitGates AddGates(string axis, bool withTied)
    {
        UnitAxis units = graph.Axis(axis);
        PrunableAxis? prunable = withTied ? graph.PrunableAxes.FirstOrDefault(own => own.Name == axis) : null;
        UnitUse[] uses = [.. graph.Nodes.SelectMany(node => node.Uses).Where(use => use.Axis == units)];
        if (graph.Outputs.FirstOrDefault(output => output.Units.Contains(units)) is { } output)
            throw new InvalidCallException($"Gates on {axis}: its units are the output {output.Name}; choose an axis that only modules read.");
        if (prunable is null && uses.Any(use => use is ReadsByElement { TiedTo: not null }))
            throw new InvalidCallException($"Gates on {axis}: a module reads its units element by element; choose an axis that weights read.");
        if (!uses.Any(use => use is ReadsLinearly)) throw new InvalidCallException($"Gates on {axis}: no weights read its units.");
        UnitGates gates = new(this, units, [.. (prunable?.TiedTo ?? []).Select(graph.Axis)]);
        transforms.Add(gates);
        gates.Connect(graph);
        Version++;
        return gates;
    }

    /// <summary>Takes gates away again and disposes of them; the stored weights stay as they are.</summary>
    /// <exception cref="ArgumentException">They are not on these parameters.</exception>
    public void RemoveGates(UnitGates gates)
    {
        int place = transforms.IndexOf(gates);
        if (place < 0) throw new ArgumentException($"The {gates} are not on these parameters.", nameof(gates));
        transforms.RemoveAt(place);
        gates.Dispose();
        foreach (UnitGates behind in transforms.Skip(place).OfType<UnitGates>()) behind.Connect(graph);
        Version++;
    }

    /// <summary>Refuses gates where weights are written that others read.</summary>
    /// <exception cref="InvalidCallException">There are gates.</exception>
    public void RefuseGates()
    {
        if (transforms.OfType<UnitGates>().FirstOrDefault() is { } gates)
            throw new InvalidCallException($"The network has {gates}; slice it to the units that are left, or remove the gates, before an export.");
    }

    /// <summary>Counts the changes of what kernels read, after which operands must be bound anew.</summary>
    internal int Version { get; private set; }

    /// <summary>What a transform reads: what those before it form, or what is stored.</summary>
    internal Tensor Formed(Node reader, string name, WeightTransform? before)
    {
        for (int i = Last(before); i >= 0; i--)
            if (transforms[i].Formed(reader, name) is { } formed) return formed;
        return views[name];
    }

    /// <summary>Where the gradient of what a transform reads is gathered.</summary>
    internal Tensor FormedGradient(Node reader, string name, WeightTransform? before)
    {
        for (int i = Last(before); i >= 0; i--)
            if (transforms[i].FormedGradient(reader, name) is { } gradient) return gradient;
        return Gradient(name);
    }

    /// <summary>Forms what transforms stand for, before a forward pass.</summary>
    public void Form()
    {
        foreach (WeightTransform transform in transforms) transform.Form();
    }

    /// <summary>Hands gradients on to what is stored, after a backward pass.</summary>
    public void SpreadGradients()
    {
        for (int i = transforms.Count - 1; i >= 0; i--) transforms[i].SpreadGradients();
    }

    /// <summary>Copies one parameter to the host.</summary>
    public float[] Read(string name) => this[name].ToArray();

    /// <summary>Replaces one parameter.</summary>
    /// <exception cref="ArgumentException">The number of values is not the parameter's.</exception>
    public void Write(string name, ReadOnlySpan<float> values) => this[name].CopyFrom(values);

    /// <summary>The name and index of the first value that is NaN or infinite in a copy of the block, or null.</summary>
    public (string Name, long Index, float Value)? FindNotFinite(ReadOnlySpan<float> block)
    {
        foreach (ParameterSpec slot in Slots)
        {
            ReadOnlySpan<float> values = block.Slice((int)slot.Offset, (int)slot.Shape.Count);
            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i])) return (slot.Name, i, values[i]);
            }
        }

        return null;
    }

    /// <summary>Copies the whole block to the host.</summary>
    /// <exception cref="RunFailedException">A value is NaN or infinite.</exception>
    public float[] ReadFinite()
    {
        float[] block = Values.ToArray();
        return FindNotFinite(block) is { } bad
            ? throw new RunFailedException(
                $"{bad.Name} holds {bad.Value} at index {bad.Index}. The model is broken; train it again or take an earlier one.")
            : block;
    }

    /// <summary>Takes single weights of one parameter away for good: they are zero now and stay so in training.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="ones">Ones for the weights that stay and zeros for the others, in the parameter's order.</param>
    /// <exception cref="ArgumentException">The number of values is not the parameter's.</exception>
    public void SetMask(string name, ReadOnlySpan<float> ones)
    {
        ParameterSpec slot = Slots.Single(slot => slot.Name == name);
        if (ones.Length != slot.Shape.Count) throw new ArgumentException($"A mask of {ones.Length} does not fit {name}, {slot.Shape}.", nameof(ones));
        if (Mask is null)
        {
            Mask = Backend.Allocate(Values.Shape);
            Backend.Fill(Mask, 1);
        }

        MaskView(name).CopyFrom(ones);
        ApplyMask();
    }

    /// <summary>The mask of one parameter, a view of <see cref="Mask"/>, which is there.</summary>
    internal Tensor MaskView(string name)
    {
        ParameterSpec slot = Slots.Single(slot => slot.Name == name);
        return Mask!.View(slot.Offset, slot.Shape.ToArray());
    }

    /// <summary>
    /// The mask of one parameter, ones and zeros in its order; null where none of its weights was taken away, or there is no such parameter.
    /// </summary>
    public float[]? MaskOf(string name)
    {
        if (Mask is null || Slots.SingleOrDefault(slot => slot.Name == name) is not { } slot) return null;
        float[] ones = Mask.View(slot.Offset, slot.Shape.ToArray()).ToArray();
        return ones.Contains(0) ? ones : null;
    }

    /// <summary>Weights and biases that no mask took away; reads the device.</summary>
    public long CountKept() => Slots.Sum(slot => MaskOf(slot.Name)?.LongCount(x => x != 0) ?? slot.Shape.Count);

    /// <summary>Sets the weights that were taken away to zero again, after an optimiser step.</summary>
    public void ApplyMask()
    {
        if (Mask is not null) Backend.Optimizer.Mask(new(Values, Mask));
    }

    /// <summary>Copies values and mask from a network of the same parameters on the same backend.</summary>
    /// <exception cref="ArgumentException">The blocks differ in extent.</exception>
    public void CopyFrom(Parameters other)
    {
        Backend.Copy(other.Values, Values);
        if (other.Mask is null) return;
        Mask ??= Backend.Allocate(Values.Shape);
        Backend.Copy(other.Mask, Mask);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        gradients?.Dispose();
        Mask?.Dispose();
        foreach (WeightTransform transform in transforms) transform.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} parameters on {Backend.Device.Id}";

    private static RecurrentWeights Recurrent(Node node, Func<Node, string, Tensor> part)
    {
        Recurrent module = (Recurrent)node.Module;
        return new(
            part(node, module.InputWeight),
            part(node, module.HiddenWeight),
            part(node, module.InputBias),
            part(node, module.HiddenBias),
            module.Cell.Spec().HasPeepholes ? part(node, module.Peephole) : null);
    }

    private int Last(WeightTransform? before) => (before is null ? transforms.Count : transforms.IndexOf(before)) - 1;

    private Dictionary<string, Tensor> Views(Tensor block) => Slots.ToDictionary(slot => slot.Name, slot => block.View(slot.Offset, slot.Shape.ToArray()));
}
