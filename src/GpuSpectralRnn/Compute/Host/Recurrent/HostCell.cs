namespace GpuSpectralRnn.Compute.Host;

/// <summary>The mathematics of a recurrent cell on the processor: all steps of some rows of the batch, on one thread.</summary>
internal abstract unsafe class HostCell
{
    /// <summary>Runs all steps of rows from..to.</summary>
    public abstract void Forward(RecurrentPass pass, HostRecurrentWorkspace own, long from, long to);

    /// <summary>
    /// Goes back over all steps of rows from..to: what the workspace keeps of them turns into gradients (<see cref="HostRecurrentWorkspace.Gates"/>,
    /// <see cref="HostRecurrentWorkspace.Products"/>; where there are no gates, <paramref name="outputGradient"/> does), its carries into those of
    /// the initial state.
    /// </summary>
    /// <param name="pass">The operands of the forward pass.</param>
    /// <param name="own">The layer's workspace.</param>
    /// <param name="outputGradient">dL/dh [T, B, H].</param>
    /// <param name="gradientFrom">The steps walked before this one have none.</param>
    /// <param name="initialGradient">dL/dh_0 [B, H], written by cells without gates; null where it is not wanted.</param>
    /// <param name="from">The first row.</param>
    /// <param name="to">Behind the last one.</param>
    public abstract void Backward(
        RecurrentPass pass, HostRecurrentWorkspace own, float* outputGradient, int gradientFrom, float* initialGradient, long from, long to);

    /// <summary>
    /// Where the walk enters a block of <see cref="HostRecurrentWorkspace.Block"/> steps with the step walked as number <paramref name="number"/>:
    /// W_ih x + b of all of them, rows from..to, into the gates, or into the states where there are none.
    /// </summary>
    protected static void MultiplyInputs(RecurrentPass pass, HostRecurrentWorkspace own, int number, long from, long to)
    {
        (_, int steps, int batch, int inputs, _) = pass.Shape;
        int block = pass.StepAt(number) / own.Block;
        if (number > 0 && pass.StepAt(number - 1) / own.Block == block) return;
        int first = block * own.Block;
        nint width = pass.Shape.GateRows;
        float* x = pass.Input + (first * (long)batch + from) * inputs; // [steps of the block, B, I]
        float* target = own.Gates is null ? pass.Row(pass.Output, first, from) : own.GatesAt(first, from); // [steps of the block, B, G*H]
        (nint, nint, nint) walk = (Math.Min(own.Block, steps - first), (nint)batch * inputs, batch * width);
        own.Input.Multiply(walk, (nint)(to - from), x, inputs, target, width, own.Bias);
    }
}
