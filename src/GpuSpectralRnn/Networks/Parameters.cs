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

    /// <summary>Zero parameters for <paramref name="graph"/>.</summary>
    public Parameters(Graph graph, IBackend backend)
    {
        (this.graph, Backend) = (graph, backend);
        Slots = graph.Parameters;
        Values = backend.Allocate(new Shape((int)graph.Extent));
        views = Views(Values);
        foreach (Recurrent module in graph.Nodes.Select(node => node.Module).OfType<Recurrent>().Where(module => module.Rank > 0))
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

    /// <summary>What kernels read under a name: a stored parameter, or what a transform forms.</summary>
    public Tensor Formed(string name) => transforms.Select(transform => transform.Formed.GetValueOrDefault(name)).FirstOrDefault(formed => formed is not null) ?? views[name];

    /// <summary>Where the gradient of <see cref="Formed"/> is gathered.</summary>
    public Tensor FormedGradient(string name) =>
        transforms.Select(transform => transform.FormedGradients.GetValueOrDefault(name)).FirstOrDefault(formed => formed is not null) ?? Gradient(name);

    /// <summary>The weights of a recurrent module, as kernels read them.</summary>
    /// <param name="name">The module's name.</param>
    public RecurrentWeights Recurrent(string name) => Recurrent((Recurrent)graph.Node(name).Module);

    /// <summary>The gradients of a recurrent module's weights.</summary>
    /// <param name="name">The module's name.</param>
    public RecurrentWeights RecurrentGradients(string name) => RecurrentGradients((Recurrent)graph.Node(name).Module);

    internal RecurrentWeights Recurrent(Recurrent module) =>
        new(Formed(module.InputWeight), Formed(module.HiddenWeight), Formed(module.InputBias), Formed(module.HiddenBias), module.Cell.Spec().HasPeepholes ? Formed(module.Peephole) : null);

    internal RecurrentWeights RecurrentGradients(Recurrent module) =>
        new(
            FormedGradient(module.InputWeight),
            FormedGradient(module.HiddenWeight),
            FormedGradient(module.InputBias),
            FormedGradient(module.HiddenBias),
            module.Cell.Spec().HasPeepholes ? FormedGradient(module.Peephole) : null);

    /// <summary>Forms what transforms stand for, before a forward pass.</summary>
    public void Form()
    {
        foreach (WeightTransform transform in transforms) transform.Form();
    }

    /// <summary>Hands gradients on to what is stored, after a backward pass.</summary>
    public void SpreadGradients()
    {
        foreach (WeightTransform transform in transforms) transform.SpreadGradients();
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

        Mask.View(slot.Offset, slot.Shape.ToArray()).CopyFrom(ones);
        ApplyMask();
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

    private Dictionary<string, Tensor> Views(Tensor block) => Slots.ToDictionary(slot => slot.Name, slot => block.View(slot.Offset, slot.Shape.ToArray()));
}
