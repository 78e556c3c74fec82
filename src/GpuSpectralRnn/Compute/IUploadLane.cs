namespace GpuSpectralRnn.Compute;

/// <summary>
/// A queue of uploads beside the queue of the work, so that a batch travels while the device works on the one before. The host waits for neither. A
/// caller keeps two places and fills them in turn, each time between <see cref="Begin"/> and <see cref="End"/>; it also calls <see cref="Begin"/>
/// once when the places are made.
/// </summary>
public interface IUploadLane
{
    /// <summary>
    /// Uploads from here on wait for all work that was queued before the <see cref="Begin"/> before this one: for the last user of the place that is
    /// now filled, but not for that of the other place.
    /// </summary>
    void Begin();

    /// <summary>Queues a copy of host memory, which may change when the call returns, to the device; the counts must agree.</summary>
    void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged;

    /// <summary>Work that is queued from here on waits for all uploads so far.</summary>
    void End();
}
