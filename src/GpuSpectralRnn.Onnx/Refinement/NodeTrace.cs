namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>What a recurrent node was given and what it made of it, over one run from a zero state on.</summary>
internal sealed class Trajectory
{
    /// <summary>x [steps, I].</summary>
    public List<float> Inputs { get; } = [];

    /// <summary>h [steps, D H], forward first.</summary>
    public List<float> States { get; } = [];

    /// <summary>Whether a step was the last of its call.</summary>
    public List<bool> IsLast { get; } = [];

    /// <summary>Number of steps.</summary>
    public int Steps => IsLast.Count;
}

/// <summary>What refinement knows of a recurrent node.</summary>
/// <param name="Trajectories">Seen in the calibration.</param>
/// <param name="Objectives">What to compare: behind these tails, at every step or at the last of a call alone.</param>
/// <param name="Obstacle">Why the node cannot be refined; null where it can.</param>
internal sealed record NodeTrace(
    IReadOnlyList<Trajectory> Trajectories, IReadOnlyList<(OutputTail Tail, bool IsLastOnly)> Objectives, string? Obstacle = null);
