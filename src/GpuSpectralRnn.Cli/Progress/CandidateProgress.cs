using System.Diagnostics;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Cli.Progress;

/// <summary>Progress of a method that tries many candidates: one line that counts them, and at the end the best five.</summary>
internal sealed class CandidateProgress(Terminal terminal)
{
    private const int Shown = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Stopwatch sinceLine = Stopwatch.StartNew();
    private readonly List<Candidate> tried = [];

    /// <summary>Candidates since the last <see cref="Restart"/>.</summary>
    public IReadOnlyList<Candidate> Tried => tried;

    /// <summary>Clears the candidates.</summary>
    public void Restart() => tried.Clear();

    /// <summary>Adds a candidate.</summary>
    public void Add(Candidate candidate)
    {
        tried.Add(candidate);
        string line = $"{tried.Count} tried, closest so far {tried.MinBy(Rank)!.OutputDivergence}";
        if (terminal.Overwrite(line) || sinceLine.Elapsed < Pause) return;
        terminal.Note(line);
        sinceLine.Restart();
    }

    /// <summary>Prints the best, closest to the big network first.</summary>
    public void Finish()
    {
        terminal.EraseLine();
        if (tried.Count == 0) return;
        terminal.Note($"{tried.Count} candidates, the closest to the big network on inputs held apart:");
        foreach (Candidate candidate in tried.OrderBy(Rank).Take(Shown)) terminal.Note($"  {candidate.Settings}: {candidate.OutputDivergence}");
    }

    private static double Rank(Candidate candidate) =>
        double.IsNaN(candidate.OutputDivergence.Divergence) ? double.PositiveInfinity : candidate.OutputDivergence.Divergence;
}
