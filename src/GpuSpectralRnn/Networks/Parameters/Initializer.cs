using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Networks;

/// <summary>How a parameter's initial values are drawn: on the host from Philox, so that one seed gives the same bits on every device.</summary>
public abstract record Initializer
{
    /// <summary>All zero.</summary>
    public static Initializer Zeros { get; } = new Constant(0);

    /// <summary>Ones on the diagonal, zeros elsewhere.</summary>
    public static Initializer Identity { get; } = new OnDiagonal();

    /// <summary>Uniform in +- <paramref name="bound"/>.</summary>
    public static Initializer Uniform(float bound) => new UniformWithin(bound);

    /// <summary>Uniform in +- <paramref name="bound"/>, but for the last <paramref name="ones"/> values, which are one.</summary>
    public static Initializer UniformAndOnes(float bound, int ones) => new UniformBeforeOnes(bound, ones);

    /// <summary>Normal of mean 0.</summary>
    public static Initializer Normal(float deviation) => new NormalOf(deviation);

    /// <summary>Fills <paramref name="values"/>, which are zero before.</summary>
    internal abstract void Fill(Span<float> values, Shape shape, ulong seed, ulong stream);

    private sealed record Constant(float Number) : Initializer
    {
        internal override void Fill(Span<float> values, Shape shape, ulong seed, ulong stream) => values.Fill(Number);
    }

    private sealed record OnDiagonal : Initializer
    {
        internal override void Fill(Span<float> values, Shape shape, ulong seed, ulong stream)
        {
            for (int i = 0; i < Math.Min(shape.Rows, shape.Columns); i++) values[(i * shape.Columns) + i] = 1f;
        }
    }

    private sealed record UniformWithin(float Bound) : Initializer
    {
        internal override void Fill(Span<float> values, Shape shape, ulong seed, ulong stream)
        {
            for (int i = 0; i < values.Length; i++) values[i] = Bound * ((2f * Philox.Uniform(seed, stream, (ulong)i)) - 1f);
        }
    }

    private sealed record UniformBeforeOnes(float Bound, int Ones) : Initializer
    {
        internal override void Fill(Span<float> values, Shape shape, ulong seed, ulong stream)
        {
            new UniformWithin(Bound).Fill(values[..^Ones], shape, seed, stream);
            values[^Ones..].Fill(1);
        }
    }

    private sealed record NormalOf(float Deviation) : Initializer
    {
        // Box-Muller, a pair of uniform numbers for each normal one; 1 - u keeps the logarithm's argument above zero.
        internal override void Fill(Span<float> values, Shape shape, ulong seed, ulong stream)
        {
            for (int i = 0; i < values.Length; i++)
            {
                double radius = Math.Sqrt(-2.0 * Math.Log(1.0 - Philox.Uniform(seed, stream, 2 * (ulong)i)));
                double angle = 2.0 * Math.PI * Philox.Uniform(seed, stream, (2 * (ulong)i) + 1);
                values[i] = (float)(Deviation * radius * Math.Cos(angle));
            }
        }
    }
}
