namespace GpuSpectralRnn.Compute.Host;

/// <summary>Loss totals in host memory.</summary>
internal sealed class HostLossTotals(HostBackend backend) : LossTotals, IKept
{
    private static readonly LossSums Empty = new(0, 0, 0, 0, -1);

    private LossSums sums = Empty;

    /// <inheritdoc/>
    public IBackend Backend => backend;

    /// <inheritdoc/>
    public bool IsDisposed { get; private set; }

    /// <summary>Adds the sums of one call.</summary>
    public void Add(double loss, long correct, long rows)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        sums = new LossSums(
            sums.Loss + loss,
            sums.Correct + correct,
            sums.Rows + rows,
            sums.Calls + 1,
            sums.FirstBadCall < 0 && !double.IsFinite(loss) ? sums.Calls : sums.FirstBadCall);
    }

    /// <inheritdoc/>
    public override LossSums Read()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return sums;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        sums = Empty;
    }

    /// <inheritdoc/>
    public override void Dispose() => IsDisposed = true;
}
