using System.Globalization;
using System.Text;
using GpuSpectralRnn.Compute;
using Xunit.Sdk;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// Comparison by |value - reference| &lt;= atol + rtol |reference|, element by element. A failure prints how many elements are off, and the first
/// and the worst of them
/// with their indices. NaN is close to nothing; infinities only to themselves.
/// </summary>
public static class Close
{
    private const int Shown = 8;

    /// <summary>Compares two scalars.</summary>
    public static void Equal(double reference, double value, double rtol, double atol, string what = "value") =>
        Equal([reference], [value], rtol, atol, what);

    /// <summary>Compares a tensor with its reference, in the tensor's own indices.</summary>
    public static void Equal(double[] reference, Tensor value, double rtol, double atol, string what = "tensor") =>
        Equal(reference, Array.ConvertAll(value.ToArray(), x => (double)x), rtol, atol, what, value.Shape.ToArray());

    /// <summary>Compares two tensors; the first is the reference.</summary>
    public static void Equal(Tensor reference, Tensor value, double rtol, double atol, string what = "tensor") =>
        Equal(Array.ConvertAll(reference.ToArray(), x => (double)x), value, rtol, atol, what);

    /// <summary>Compares floats with a reference.</summary>
    public static void Equal(double[] reference, float[] value, double rtol, double atol, string what = "array", params int[] extents) =>
        Equal(reference, Array.ConvertAll(value, x => (double)x), rtol, atol, what, extents);

    /// <summary>Compares floats with floats.</summary>
    public static void Equal(float[] reference, float[] value, double rtol, double atol, string what = "array", params int[] extents) =>
        Equal(Array.ConvertAll(reference, x => (double)x), value, rtol, atol, what, extents);

    /// <summary>Compares row-major arrays of the shape <paramref name="extents"/> (flat where none are given).</summary>
    public static void Equal(double[] reference, double[] value, double rtol, double atol, string what = "array", params int[] extents)
    {
        if (reference.Length != value.Length) throw new XunitException($"{what}: {value.Length} elements, the reference has {reference.Length}.");
        List<int> off = [];
        int worst = -1;
        for (int i = 0; i < value.Length; i++)
        {
            if (IsClose(reference[i], value[i], rtol, atol)) continue;
            off.Add(i);
            if (worst < 0 || !(Math.Abs(value[i] - reference[i]) <= Math.Abs(value[worst] - reference[worst]))) worst = i;
        }

        if (off.Count == 0) return;
        StringBuilder text = new($"{what}: {off.Count} of {value.Length} elements are off (rtol {rtol:g3}, atol {atol:g3}).");
        foreach (int i in off.Take(Shown))
            text.Append(CultureInfo.InvariantCulture, $"\n  [{Place(i, extents)}] {value[i]:g9}, reference {reference[i]:g9}");
        double difference = Math.Abs(value[worst] - reference[worst]);
        text.Append(
            CultureInfo.InvariantCulture, $"\n  worst [{Place(worst, extents)}] {value[worst]:g9}, reference {reference[worst]:g9}, difference {difference:g3}");
        throw new XunitException(text.ToString());
    }

    private static bool IsClose(double reference, double value, double rtol, double atol) =>
        reference.Equals(value)
            ? !double.IsNaN(value)
            : double.IsFinite(reference) && Math.Abs(value - reference) <= atol + rtol * Math.Abs(reference);

    private static string Place(int index, int[] extents)
    {
        if (extents.Length == 0) return $"{index}";
        int[] place = new int[extents.Length];
        for (int d = extents.Length - 1; d >= 0; d--)
        {
            place[d] = index % extents[d];
            index /= extents[d];
        }

        return string.Join(", ", place);
    }
}
