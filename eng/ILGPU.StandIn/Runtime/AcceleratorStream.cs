namespace ILGPU.Runtime;

/// <summary>A queue of work; here all work is done when the call returns.</summary>
public class AcceleratorStream : IDisposable
{
    internal AcceleratorStream()
    {
    }

    /// <summary>Waits for all work.</summary>
    public void Synchronize()
    {
    }

    /// <inheritdoc/>
    public void Dispose() => GC.SuppressFinalize(this);
}
