namespace GpuSpectralRnn.Compute;

/// <summary>
/// A second queue for uploads, so that a batch is copied while the device works on the one before; the host waits for neither. A caller alternates
/// between two sets of tensors and fills each between <see cref="Begin"/> and <see cref="End"/>; it also calls <see cref="Begin"/> once after
/// allocating them.
/// </summary>
public interface IUploadLane
{
    /// <summary>
    /// Makes later uploads wait for all work queued before the previous <see cref="Begin"/>: for the last use of the set that is filled now, but not
    /// for that of the other set.
    /// </summary>
    void Begin();

    /// <summary>Queues a copy of host memory, which may change when the call returns, to the device; the counts must agree.</summary>
    void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged;

    /// <summary>Makes later work wait for all uploads so far.</summary>
    void End();
}
