namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>Inputs and states of a recurrent node over one run from a zero state.</summary>
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

/// <summary>Data for the refinement of a recurrent node.</summary>
/// <param name="Trajectories">Trajectories of the calibration.</param>
/// <param name="Objectives">The tails whose values are compared, at every step or at the last step of a call alone.</param>
/// <param name="Obstacle">Why the node cannot be refined; null where it can.</param>
internal sealed record NodeTrace(
    IReadOnlyList<Trajectory> Trajectories, IReadOnlyList<(OutputTail Tail, bool IsLastOnly)> Objectives, string? Obstacle = null);
