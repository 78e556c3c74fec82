namespace GpuSpectralRnn.Compute;

/// <summary>Something that one backend makes and keeps for its caller, and that no other can use: totals, workspaces, memory for them.</summary>
internal interface IKept
{
    /// <summary>Who made it.</summary>
    IBackend Backend { get; }

    /// <summary>Whether it was given back.</summary>
    bool IsDisposed { get; }
}
