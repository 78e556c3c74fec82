namespace GpuSpectralRnn.Compute;

/// <summary>An object made by one backend that only this backend can use: totals, workspaces, memory for them.</summary>
internal interface IKept
{
    /// <summary>The backend that made it.</summary>
    IBackend Backend { get; }

    /// <summary>Whether it was disposed.</summary>
    bool IsDisposed { get; }
}
