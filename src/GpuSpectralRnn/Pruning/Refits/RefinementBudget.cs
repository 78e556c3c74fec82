using System.Globalization;

namespace GpuSpectralRnn.Pruning;

/// <summary>How much work a refinement may be.</summary>
public sealed record RefinementBudget
{
    private RefinementBudget()
    {
    }

    /// <summary>No refinement.</summary>
    public static RefinementBudget Off { get; } = new() { Steps = 0 };

    /// <summary>As long as it helps: so many steps as the work of one allows at each rate, then more while the outputs come clearly closer.</summary>
    public static RefinementBudget Auto { get; } = new();

    /// <summary>Optimiser steps at each rate; null: as many as fit.</summary>
    public int? Steps { get; private init; }

    /// <summary>Seconds of all rates together; null: no limit. The number of steps then depends on the machine, and the result with it.</summary>
    public double? Seconds { get; private init; }

    /// <summary>Whether there is no refinement.</summary>
    public bool IsOff => Steps == 0;

    /// <summary>So many optimiser steps at each rate; 0 for none.</summary>
    /// <exception cref="InvalidCallException">The number is negative.</exception>
    public static RefinementBudget OfSteps(int steps) => steps >= 0
        ? new RefinementBudget { Steps = steps }
        : throw new InvalidCallException($"`Refine` {steps}: choose a number of steps, or off.");

    /// <summary>So many seconds.</summary>
    /// <exception cref="InvalidCallException">The number is not above zero.</exception>
    public static RefinementBudget OfSeconds(double seconds) => seconds > 0 && double.IsFinite(seconds)
        ? new RefinementBudget { Seconds = seconds }
        : throw new InvalidCallException($"`Refine` {seconds}s: choose a number of seconds above 0.");

    /// <summary>Reads <c>auto</c>, <c>off</c>, a number of steps (<c>250</c>) or of seconds (<c>20s</c>).</summary>
    /// <exception cref="InvalidCallException">It is none of these.</exception>
    public static RefinementBudget Parse(string text)
    {
        if (text == "auto") return Auto;
        if (text == "off") return Off;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int steps)) return OfSteps(steps);
        if (text.EndsWith('s') && double.TryParse(text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds))
            return OfSeconds(seconds);
        throw new InvalidCallException($"`Refine` {text}: choose auto, off, a number of steps (250) or of seconds (20s).");
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() =>
        Steps is { } steps ? steps == 0 ? "off" : steps.ToString(CultureInfo.InvariantCulture)
        : Seconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"{seconds}s")
        : "auto";
}
