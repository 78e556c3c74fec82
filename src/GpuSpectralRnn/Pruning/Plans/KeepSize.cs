using System.Globalization;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>How many units to keep: one number for every layer, or one for each. Compared by what it says.</summary>
public sealed record KeepSize
{
    private readonly string text;

    /// <summary>The same number for every layer, or one for each.</summary>
    public KeepSize(params IReadOnlyList<int> units)
    {
        Units = units;
        text = string.Join('x', units);
    }

    /// <summary>One number, or one for each layer from the input up.</summary>
    public IReadOnlyList<int> Units { get; }

    /// <summary>The mean over the layers: where the size stands on an axis.</summary>
    public double Mean => Units.Average();

    /// <summary>One number for every layer.</summary>
    public static implicit operator KeepSize(int units) => new(units);

    /// <summary>Reads <c>42</c>, or <c>64x32</c> for a network of two layers.</summary>
    /// <exception cref="InvalidCallException">It is neither, or a number is below one.</exception>
    public static KeepSize Parse(string text)
    {
        string[] parts = text.Split('x');
        int[] units = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out units[i]))
                throw new InvalidCallException($"`keep` {text}: give a number of units, 42, or one for each layer, 64x32.");
            if (units[i] < 1) throw new InvalidCallException($"`keep` {text}: choose 1 unit or more.");
        }

        return new KeepSize(units);
    }

    /// <summary>The units of every layer.</summary>
    public int[] Of(Architecture architecture) => Units.Count == 1 ? [.. Enumerable.Repeat(Units[0], architecture.Layers)] : [.. Units];

    /// <inheritdoc/>
    public bool Equals(KeepSize? other) => text == other?.text;

    /// <inheritdoc/>
    public override int GetHashCode() => text.GetHashCode(StringComparison.Ordinal);

    /// <summary><c>42</c> or <c>64x32</c>.</summary>
    public override string ToString() => text;
}
