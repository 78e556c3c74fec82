using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// All parameters of a network in one flat tensor [P] with named views, and a twin of it for the gradients, so that an optimiser step, clipping and a copy are one call
/// each. The gaps between the views hold zeros in both and stay zero under every optimiser.
/// </summary>
public sealed class Parameters : IDisposable
{
    private readonly Dictionary<string, Tensor> views;
    private Dictionary<string, Tensor>? gradientViews;
    private Tensor? gradients;

    /// <summary>Zero parameters for <paramref name="architecture"/>.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid.</exception>
    public Parameters(Architecture architecture, IBackend backend)
    {
        architecture.Validate();
        Backend = backend;
        Slots = ParameterSlot.Of(architecture);
        Values = backend.Allocate(new Shape((int)ParameterSlot.Extent(architecture)));
        views = Views(Values);
    }

    /// <summary>Where they live.</summary>
    public IBackend Backend { get; }

    /// <summary>Names, shapes and places, in the order of the block.</summary>
    public IReadOnlyList<ParameterSlot> Slots { get; }

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

    /// <summary>The parameter <paramref name="name"/>, a view of <see cref="Values"/>.</summary>
    public Tensor this[string name] => views[name];

    /// <summary>The gradient of the parameter <paramref name="name"/>, a view of <see cref="Gradients"/>.</summary>
    public Tensor Gradient(string name)
    {
        _ = Gradients;
        return gradientViews![name];
    }

    /// <summary>The weights of recurrent layer <paramref name="layer"/>.</summary>
    public RecurrentWeights Layer(int layer) => Layer(views, layer);

    /// <summary>The gradients of recurrent layer <paramref name="layer"/>.</summary>
    public RecurrentWeights LayerGradients(int layer)
    {
        _ = Gradients;
        return Layer(gradientViews!, layer);
    }

    /// <summary>Copies one parameter to the host.</summary>
    public float[] Read(string name) => this[name].ToArray();

    /// <summary>Replaces one parameter.</summary>
    /// <exception cref="ArgumentException">The number of values is not the parameter's.</exception>
    public void Write(string name, ReadOnlySpan<float> values) => this[name].CopyFrom(values);

    /// <summary>The name and index of the first value that is NaN or infinite in a copy of the block, or null.</summary>
    public (string Name, long Index, float Value)? FindNotFinite(ReadOnlySpan<float> block)
    {
        foreach (ParameterSlot slot in Slots)
        {
            ReadOnlySpan<float> values = block.Slice((int)slot.Offset, (int)slot.Shape.Count);
            for (int i = 0; i < values.Length; i++)
            {
                if (!float.IsFinite(values[i])) return (slot.Name, i, values[i]);
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Values.Dispose();
        gradients?.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} parameters on {Backend.Device.Id}";

    private static RecurrentWeights Layer(Dictionary<string, Tensor> views, int layer) =>
        new(views[$"rnn.weight_ih_l{layer}"], views[$"rnn.weight_hh_l{layer}"], views[$"rnn.bias_ih_l{layer}"], views[$"rnn.bias_hh_l{layer}"]);

    private Dictionary<string, Tensor> Views(Tensor block) => Slots.ToDictionary(slot => slot.Name, slot => block.View(slot.Offset, slot.Shape.ToArray()));
}
