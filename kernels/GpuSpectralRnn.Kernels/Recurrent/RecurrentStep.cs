namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Which step of a recurrent layer a launch computes. The states lie in T + 1 slots in order of time: forward in time, step t turns slot t into slot
/// t + 1; backward in time, slot t + 1 into slot t. So the states before all steps lie together, and one product makes the weight gradient.
/// </summary>
public struct RecurrentStep
{
    /// <summary>t, counted forward in time.</summary>
    public int Time;

    /// <summary>The slot of the states that the step starts from.</summary>
    public int Before;

    /// <summary>The slot of the states that it leads to.</summary>
    public int After;

    /// <summary>Backward: the time of the step that follows in the walk, whose gradients flow back into this one.</summary>
    public int Following;

    /// <summary>How many terms the recurrent product has; 0 where its left factor is zero.</summary>
    public int Summed;

    /// <summary>Backward: 1 where this step's outputs have a gradient.</summary>
    public int HasGradient;

    /// <summary>B.</summary>
    public int Batch;

    /// <summary>H.</summary>
    public int Width;

    /// <summary>Where a unit's number stands among those of a step or slot [B, H].</summary>
    internal readonly int Place(int step, int row, int unit) => (step * Batch + row) * Width + unit;
}

/// <summary>The steps of a recurrent layer in the order in which it takes them.</summary>
/// <param name="Steps">T.</param>
/// <param name="Batch">B.</param>
/// <param name="Width">H.</param>
/// <param name="IsReverse">From the last step to the first.</param>
public readonly record struct RecurrentWalk(int Steps, int Batch, int Width, bool IsReverse)
{
    /// <summary>The slot of the initial states.</summary>
    public int First => IsReverse ? Steps : 0;

    /// <summary>The slot of the final states.</summary>
    public int Last => IsReverse ? 0 : Steps;

    /// <summary>The time of the first step.</summary>
    public int FirstTime => IsReverse ? Steps - 1 : 0;

    /// <summary>The slot from which on the T states before the steps lie, in order of time.</summary>
    public int SlotsBefore => IsReverse ? 1 : 0;

    /// <summary>The walk's step <paramref name="index"/>, forward.</summary>
    /// <param name="index">Counted from 0.</param>
    /// <param name="startsAtZero">Whether the initial states are zero: the first step then needs no product.</param>
    public RecurrentStep Forward(int index, bool startsAtZero) => At(index) with { Summed = index == 0 && startsAtZero ? 0 : Width };

    /// <summary>The walk's step <paramref name="index"/>, backward.</summary>
    /// <param name="index">Counted from 0.</param>
    /// <param name="gates">How many blocks of H a step's gradients have.</param>
    /// <param name="gradientFrom">The first index that has an output gradient.</param>
    public RecurrentStep Backward(int index, int gates, int gradientFrom)
    {
        RecurrentStep step = At(index);
        if (index + 1 < Steps)
        {
            step.Following = IsReverse ? step.Time - 1 : step.Time + 1;
            step.Summed = gates * Width;
        }

        step.HasGradient = index >= gradientFrom ? 1 : 0;
        return step;
    }

    private RecurrentStep At(int index)
    {
        int time = IsReverse ? Steps - 1 - index : index;
        return new() { Time = time, Before = IsReverse ? time + 1 : time, After = IsReverse ? time : time + 1, Batch = Batch, Width = Width };
    }
}
