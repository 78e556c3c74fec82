namespace GpuSpectralRnn.Kernels;

/// <summary>Launches that were taken down once and can be queued again as they are, with the same operands.</summary>
public abstract class LaunchGraph : IDisposable
{
    /// <summary>Queues them.</summary>
    /// <exception cref="NotSupportedException">The driver refuses; nothing is queued.</exception>
    public abstract void Launch();

    /// <inheritdoc/>
    public abstract void Dispose();
}
