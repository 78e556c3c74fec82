using System.Globalization;

namespace GpuSpectralRnn.Reports;

/// <summary>The range of an axis and its ticks.</summary>
internal sealed class AxisScale
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    private readonly bool isLogarithmic;

    private AxisScale(bool isLogarithmic, double least, double largest, IReadOnlyList<(double Value, string Label)> ticks)
    {
        this.isLogarithmic = isLogarithmic;
        (Least, Largest, Ticks) = (least, largest, ticks);
    }

    /// <summary>The value at the axis' beginning.</summary>
    public double Least { get; }

    /// <summary>The value at its end.</summary>
    public double Largest { get; }

    /// <summary>Ticks within the range, ascending.</summary>
    public IReadOnlyList<(double Value, string Label)> Ticks { get; }

    /// <summary>A scale for values.</summary>
    /// <param name="axis">Linear or logarithmic.</param>
    /// <param name="values">Values to cover; those that cannot be shown are ignored.</param>
    /// <param name="mostTicks">Largest number of ticks, 2 or more.</param>
    /// <param name="isRounded">Whether the range is widened to the next ticks.</param>
    public static AxisScale Create(Axis axis, IEnumerable<double> values, int mostTicks, bool isRounded)
    {
        double least = double.PositiveInfinity, largest = double.NegativeInfinity;
        foreach (double value in values.Where(value => CanShow(axis, value))) (least, largest) = (Math.Min(least, value), Math.Max(largest, value));
        if (least > largest) (least, largest) = axis.IsLogarithmic ? (1, 10) : (0, 1);
        return axis.IsLogarithmic ? Logarithmic(least, largest, mostTicks, isRounded) : Linear(least, largest, mostTicks, isRounded);
    }

    /// <summary>Whether an axis can show the value.</summary>
    public static bool CanShow(Axis axis, double value) => double.IsFinite(value) && (!axis.IsLogarithmic || value > 0);

    /// <summary>Relative position of a value: 0 at the beginning, 1 at the end.</summary>
    public double Place(double value) => isLogarithmic
        ? Math.Log10(value / Least) / Math.Log10(Largest / Least)
        : (value - Least) / (Largest - Least);

    private static AxisScale Linear(double least, double largest, int mostTicks, bool isRounded)
    {
        // A single value, or values equal within rounding, get a margin.
        double size = Math.Max(Math.Abs(least), Math.Abs(largest));
        if (largest - least <= 1e-9 * size || largest == least)
        {
            double air = size == 0 ? 1 : 0.1 * size;
            (least, largest, size) = (least - air, largest + air, size + air);
        }

        // The range is extended to a zero that is near.
        if (isRounded && least > 0 && least < 0.3 * largest) least = 0;
        double step = Step((largest - least) / (mostTicks - 1));
        while (isRounded && Math.Ceiling(largest / step - 1e-9) - Math.Floor(least / step + 1e-9) + 1 > mostTicks) step = Step(1.01 * step);
        long first = (long)Math.Ceiling(least / step - 1e-9), last = (long)Math.Floor(largest / step + 1e-9);
        if (isRounded)
        {
            (first, last) = ((long)Math.Floor(least / step + 1e-9), (long)Math.Ceiling(largest / step - 1e-9));
            (least, largest) = (first * step, last * step);
        }

        List<(double, string)> ticks = [];
        for (long i = first; i <= last; i++) ticks.Add((i * step, LinearLabel(i * step, step, size)));
        return new AxisScale(false, least, largest, ticks);
    }

    private static AxisScale Logarithmic(double least, double largest, int mostTicks, bool isRounded)
    {
        int low = (int)Math.Floor(Math.Log10(least) + 1e-9), high = (int)Math.Ceiling(Math.Log10(largest) - 1e-9);
        if (low == high) high++;
        if (isRounded || largest <= least) (least, largest) = (Power(low), Power(high));
        List<double> values = [];
        int stride = Math.Max(1, (int)Math.Ceiling((high - low + 1.0) / mostTicks));
        double[] within = high - low <= 1 && mostTicks >= 6 ? [1, 2, 3, 5] : high - low <= 2 && mostTicks >= 7 ? [1, 2, 5] : [1];
        for (int exponent = low; exponent <= high; exponent += stride) values.AddRange(within.Select(digit => digit * Power(exponent)));
        values.RemoveAll(value => value < least * (1 - 1e-9) || value > largest * (1 + 1e-9));
        bool isPlain = values.Count == 0 || (values[0] >= 1e-3 * (1 - 1e-9) && values[^1] <= 1e5 * (1 + 1e-9));
        return new AxisScale(true, least, largest, [.. values.Select(value => (value, isPlain ? Plain(value) : PowerLabel(value)))]);
    }

    // The least of 1, 2, 2.5, 5 times a power of ten that is not below the given width.
    private static double Step(double width)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(width)));
        foreach (double digit in (double[])[1, 2, 2.5, 5])
            if (digit * power >= width * (1 - 1e-9)) return digit * power;
        return 10 * power;
    }

    private static double Power(int exponent) => double.Parse($"1e{exponent}", CultureInfo.InvariantCulture);

    private static string LinearLabel(double value, double step, double size)
    {
        if (value == 0) return "0";
        if (size is >= 1e6 or < 1e-3) return Signed(value.ToString("0.###e0", CultureInfo.InvariantCulture));
        int decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9) + (IsHalfStep(step) ? 1 : 0), 0, 12);
        return Signed(value.ToString($"#,0.{new string('0', decimals)}", CultureInfo.InvariantCulture));
    }

    // 2.5 needs one more decimal than its size says: 0.25, 2.5, but not 25.
    private static bool IsHalfStep(double step)
    {
        double digit = step / Math.Pow(10, Math.Floor(Math.Log10(step) + 1e-9));
        return step < 10 && Math.Abs(digit - 2.5) < 1e-6;
    }

    private static string Plain(double value) => value.ToString(value >= 1 ? "#,0" : "0.######", CultureInfo.InvariantCulture);

    private static string PowerLabel(double value)
    {
        int exponent = (int)Math.Floor(Math.Log10(value) + 1e-9);
        int digit = (int)Math.Round(value / Power(exponent));
        string raised = string.Concat(Math.Abs(exponent).ToString(CultureInfo.InvariantCulture).Select(c => Superscripts[c - '0']));
        return $"{(digit == 1 ? "" : $"{digit}·")}10{(exponent < 0 ? "⁻" : "")}{raised}";
    }

    private static string Signed(string number) => number.Replace('-', '−');
}
