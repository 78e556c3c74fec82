namespace GpuSpectralRnn.Pruning;

/// <summary>The methods by name.</summary>
public static class PruningMethods
{
    /// <summary>All names, the main method first.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["spectral", "random", "magnitude-unit", "magnitude-weight", "random-weight", "column", "low-rank"];

    /// <summary>A method.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="settings">Of the spectral method; fold and ridge also of <c>random</c> and <c>magnitude-unit</c>.</param>
    /// <param name="isAuto">Whether the spectral method tries all criteria instead of the given one.</param>
    /// <param name="tried">Called for each candidate that is tried so.</param>
    /// <exception cref="InvalidCallException">There is no such method.</exception>
    public static IPruningMethod Create(string name, SpectralSettings settings, bool isAuto = true, Action<Candidate>? tried = null)
    {
        bool isReconstructed = settings.Fold != FoldKind.None;
        return name switch
        {
            "spectral" => isAuto ? new AutoPruning(settings) { Tried = tried } : new SpectralPruning(settings),
            "random" => new RandomUnits(isReconstructed, settings.Ridge),
            "magnitude-unit" => new MagnitudeUnits(isReconstructed, settings.Ridge),
            "magnitude-weight" => new MagnitudeWeights(),
            "random-weight" => new RandomWeights(),
            "column" => new ColumnSparsification(),
            "low-rank" => new LowRank(),
            _ => throw new InvalidCallException($"'{name}' is no pruning method; choose one of {string.Join(", ", Names)}."),
        };
    }
}
