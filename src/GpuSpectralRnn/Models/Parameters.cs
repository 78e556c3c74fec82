using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// All parameters of a network in one flat tensor [P] with named views, and a twin of it for the gradients, so that an optimiser step, clipping and a
/// copy are one call each. The gaps between the views hold zeros in both and stay zero under every optimiser.
/// </summary>
public sealed class Parameters : IDisposable
{
    private readonly Dictionary<string, Tensor> views;
    private readonly Dictionary<string, Tensor> products = []; // of factored recurrent matrices, by the end of their names
    private readonly Dictionary<string, Tensor> productGradients = [];
    private Dictionary<string, Tensor>? gradientViews;
    private Tensor? gradients;

    /// <summary>Zero parameters for <paramref name="architecture"/>.</summary>
    /// <exception cref="InvalidCallException">The architecture is not valid.</exception>
    public Parameters(Architecture architecture, IBackend backend)
    {
        architecture.Validate();
        Backend = backend;
        Slots = ParameterSpec.From(architecture);
        Values = backend.Allocate(new Shape((int)ParameterSpec.Extent(architecture)));
        views = Views(Values);
        for (int layer = 0; layer < architecture.Layers; layer++)
        {
            if (architecture.Rank(layer) > 0)
                products[End(layer, isReverse: false)] = backend.Allocate(new Shape(architecture.Cell.Gates() * architecture.Hidden[layer], architecture.Hidden[layer]));
        }
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
                foreach ((string end, Tensor product) in products) productGradients[end] = Backend.Allocate(product.Shape);
            }

            return gradients;
        }
    }

    /// <summary>
    /// Ones, and zeros for weights that were taken away for good [P]: every optimiser step multiplies the parameters by it. Null where none was. It
    /// is kept in model files.
    /// </summary>
    public Tensor? Mask { get; private set; }

    /// <summary>The parameter <paramref name="name"/> (of tied weights either name), a view of <see cref="Values"/>.</summary>
    public Tensor this[string name] => views[name];

    /// <summary>The gradient of the parameter <paramref name="name"/>, a view of <see cref="Gradients"/>.</summary>
    public Tensor Gradient(string name)
    {
        _ = Gradients;
        return gradientViews![name];
    }

    /// <summary>
    /// The weights of recurrent layer <paramref name="layer"/>; of a factored recurrent matrix the product, which <see cref="FormProducts"/> forms.
    /// </summary>
    /// <param name="layer">0-based.</param>
    /// <param name="isReverse">Whether the reverse direction is meant.</param>
    public RecurrentWeights Layer(int layer, bool isReverse = false) => Layer(views, products, layer, isReverse);

    /// <summary>The gradients of recurrent layer <paramref name="layer"/>.</summary>
    /// <param name="layer">0-based.</param>
    /// <param name="isReverse">Whether the reverse direction is meant.</param>
    public RecurrentWeights LayerGradients(int layer, bool isReverse = false)
    {
        _ = Gradients;
        return Layer(gradientViews!, productGradients, layer, isReverse);
    }

    /// <summary>W_hh = left right for every factored recurrent matrix, before a forward pass.</summary>
    public void FormProducts()
    {
        foreach ((string end, Tensor product) in products)
            Backend.Matrix.Gemm(false, false, 1, views[$"rnn.weight_hh_left_{end}"], views[$"rnn.weight_hh_right_{end}"], 0, product);
    }

    /// <summary>Hands the gradients of the products on to the factors, after a backward pass: dleft += dW right^T, dright += left^T dW.</summary>
    public void SpreadProductGradients()
    {
        foreach ((string end, Tensor gradient) in productGradients)
        {
            Backend.Matrix.Gemm(false, true, 1, gradient, views[$"rnn.weight_hh_right_{end}"], 1, gradientViews![$"rnn.weight_hh_left_{end}"]);
            Backend.Matrix.Gemm(true, false, 1, views[$"rnn.weight_hh_left_{end}"], gradient, 1, gradientViews[$"rnn.weight_hh_right_{end}"]);
            Backend.Fill(gradient, 0);
        }
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
        if (Mask is not null) Backend.Optimizer.Mask(Values, Mask);
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
        foreach (Tensor product in products.Values.Concat(productGradients.Values)) product.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Count} parameters on {Backend.Device.Id}";

    // How the names of a layer's parameters end.
    private static string End(int layer, bool isReverse) => $"l{layer}{(isReverse ? ParameterSpec.Reverse : "")}";

    private static RecurrentWeights Layer(Dictionary<string, Tensor> views, Dictionary<string, Tensor> products, int layer, bool isReverse)
    {
        string end = End(layer, isReverse);
        return new RecurrentWeights(
            views[$"rnn.weight_ih_{end}"],
            products.TryGetValue(end, out Tensor? product) ? product : views[$"rnn.weight_hh_{end}"],
            views[$"rnn.bias_ih_{end}"],
            views[$"rnn.bias_hh_{end}"],
            views.GetValueOrDefault(ParameterSpec.Peephole + end));
    }

    // Tied weights go by both names.
    private Dictionary<string, Tensor> Views(Tensor block)
    {
        Dictionary<string, Tensor> made = Slots.ToDictionary(slot => slot.Name, slot => block.View(slot.Offset, slot.Shape.ToArray()));
        if (!made.ContainsKey(ParameterSpec.Readout)) made.Add(ParameterSpec.Readout, made[ParameterSpec.Embedding]);
        return made;
    }
}
