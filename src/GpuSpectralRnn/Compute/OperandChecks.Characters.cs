namespace GpuSpectralRnn.Compute;

/// <summary>Extents of a convolution over the characters of words.</summary>
/// <param name="Characters">W, the most of a word.</param>
/// <param name="Words">N.</param>
/// <param name="Extent">E, of a character.</param>
/// <param name="Filters">F.</param>
/// <param name="Width">K, the characters that a filter sees.</param>
internal readonly record struct ConvolutionShape(int Characters, int Words, int Extent, int Filters, int Width);

/// <content>Words as their characters.</content>
internal static partial class OperandChecks
{
    /// <summary>A convolution with its maximum: returns the extents.</summary>
    public static ConvolutionShape ConvolveMax(IBackend backend, ConvolveMaxForward o)
    {
        (Tensor characters, Tensor filters, Tensor bias, Tensor lengths) = (o.Characters, o.Filters, o.Bias, o.Lengths);
        (Tensor output, Tensor places) = (o.Output, o.Places);
        Float(backend, characters);
        if (characters.Shape.Rank != 3) Fail($"Words are [W, N, E], not {characters.Shape}.", nameof(characters));
        (int w, int n, int e) = (characters.Shape[0], characters.Shape[1], characters.Shape[2]);
        Float(backend, filters);
        (int f, int weights) = (filters.Shape.Rows, filters.Shape.Columns);
        if (w < 1 || e < 1 || f < 1 || weights < 1)
            Fail($"Words {characters.Shape} and filters {filters.Shape}: every extent but N is one or more.", nameof(characters));
        if (weights % e != 0)
            Fail($"Filters of {weights} weights do not fit characters of {e}; a filter has {e} for each that it sees.", nameof(filters));
        Float(backend, bias, f);
        Typed(backend, lengths, ElementType.Int32);
        if (lengths.Count != n) Fail($"There are {lengths.Count} lengths for {n} words.", nameof(lengths));
        Float(backend, output, n, f);
        Typed(backend, places, ElementType.Int32);
        if (places.Shape.Rows != n || places.Shape.Columns != f) Fail($"{nameof(places)} is {places.Shape}; it must be [{n}, {f}].", nameof(places));
        Apart(backend, output, characters);
        Apart(backend, output, filters);
        Apart(backend, output, bias);
        Apart(backend, places, lengths);
        return new(w, n, e, f, weights / e);
    }

    /// <summary>Its backward: returns the extents.</summary>
    public static ConvolutionShape ConvolveMaxBackward(IBackend backend, ConvolveMaxBackward o)
    {
        ConvolutionShape shape = ConvolveMax(backend, o.Forward);
        (Tensor outputGradient, Tensor? characterGradient) = (o.OutputGradient, o.CharacterGradient);
        (Tensor filterGradient, Tensor biasGradient) = (o.FilterGradient, o.BiasGradient);
        (Tensor characters, Tensor filters) = (o.Forward.Characters, o.Forward.Filters);
        Float(backend, outputGradient, shape.Words, shape.Filters);
        Float(backend, filterGradient, shape.Filters, shape.Width * shape.Extent);
        Float(backend, biasGradient, shape.Filters);
        Apart(backend, filterGradient, biasGradient);
        foreach (Tensor gradient in (ReadOnlySpan<Tensor>)[filterGradient, biasGradient])
        {
            Apart(backend, gradient, outputGradient);
            Apart(backend, gradient, characters);
            Apart(backend, gradient, filters);
        }

        if (characterGradient is null) return shape;
        Float(backend, characterGradient, shape.Characters, shape.Words, shape.Extent);
        Apart(backend, characterGradient, outputGradient);
        Apart(backend, characterGradient, characters);
        Apart(backend, characterGradient, filters);
        Apart(backend, characterGradient, filterGradient);
        Apart(backend, characterGradient, biasGradient);
        return shape;
    }
}
