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
}
