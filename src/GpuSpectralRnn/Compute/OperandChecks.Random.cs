namespace GpuSpectralRnn.Compute;

/// <content>Random numbers.</content>
internal static partial class OperandChecks
{
    /// <summary>A fill with uniform numbers: returns the count.</summary>
    public static long Uniform(IBackend backend, UniformOperands o)
    {
        if (!(o.Low < o.High)) throw new ArgumentOutOfRangeException(nameof(o.High), o.High, $"A uniform range ends above its start {o.Low}.");
        return Float(backend, o.Destination);
    }

    /// <summary>A fill with normal numbers: returns the count.</summary>
    public static long Normal(IBackend backend, NormalOperands o)
    {
        if (!(o.Deviation >= 0)) throw new ArgumentOutOfRangeException(nameof(o.Deviation), o.Deviation, "A standard deviation is zero or more.");
        Window(o.Numbers);
        return Float(backend, o.Destination);
    }

    /// <summary>Dropout: returns the count.</summary>
    public static long Dropout(IBackend backend, DropoutOperands o)
    {
        if (!(o.Rate >= 0 && o.Rate < 1)) throw new ArgumentOutOfRangeException(nameof(o.Rate), o.Rate, "A share of zeros is one of 0 to below 1.");
        (Tensor x, Tensor y) = (o.X, o.Y);
        Float(backend, x);
        Float(backend, y);
        if (x.Count != y.Count) Fail($"y is {y.Shape}; x is {x.Shape}.", nameof(y));
        if (x.Offset != y.Offset) Apart(backend, y, x);
        Window(o.Numbers);
        return x.Count;
    }

    private static void Window(NumberWindow numbers)
    {
        if (numbers.First < 0 || numbers.Period < 0 || numbers.Gap < 0)
            throw new ArgumentOutOfRangeException(nameof(numbers), numbers, "Random numbers count from 0 and upwards.");
    }
}
