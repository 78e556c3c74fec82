namespace GpuSpectralRnn.Kernels;

/// <summary>Captured launches that can be queued again with the same arguments.</summary>
public abstract class LaunchGraph : IDisposable
{
    /// <summary>Queues the launches.</summary>
    /// <exception cref="NotSupportedException">The driver refuses; nothing was queued.</exception>
    public abstract void Launch();

    /// <inheritdoc/>
    public abstract void Dispose();
}
