using System.Globalization;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>How much of the training data is set aside: a number of sequences (of a text: windows), or a share of them (of a text: of its
/// tokens).</summary>
internal sealed class HoldOut
{
    private readonly string given;
    private readonly int? count;
    private readonly double share;

    /// <summary>Reads <c>2000</c> or <c>10%</c>.</summary>
    public HoldOut(string given)
    {
        this.given = given;
        if (int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0)
        {
            count = number;
            return;
        }

        if (!given.EndsWith('%') || !double.TryParse(given[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent)
            || percent is not (> 0 and < 100))
            throw new InvalidCallException($"--holdout {given}: choose a number of 1 or more, or a share such as 10%.");
        share = percent / 100;
    }

    /// <summary>How many of a set's sequences are kept.</summary>
    public int Kept(int all, string name)
    {
        int held = count ?? (int)Math.Round(all * share);
        return held >= 1 && held < all
            ? all - held
            : throw new InvalidCallException($"--holdout {given}: {name} has {all} sequences; hold out 1 to {all - 1}.");
    }

    /// <summary>Sets the end of <paramref name="all"/> aside.</summary>
    public (ISequenceData Kept, ISequenceData Held) Cut(ISequenceData all)
    {
        if (count is null && all is TextData text) return text.HoldOut(share);
        int held = all.Count - Kept(all.Count, all.Name);
        return all is TextData windows ? windows.HoldOut(held) : Subset.HoldOut(all, held);
    }
}
