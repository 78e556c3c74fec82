namespace GpuSpectralRnn.Compute.Host;

/// <summary>An account of losses in ordinary memory.</summary>
internal sealed class HostLossTotals : LossTotals
{
    private static readonly LossSums Empty = new(0, 0, 0, 0, -1);

    private LossSums sums = Empty;
    private bool isDisposed;

    /// <summary>Books one call.</summary>
    public void Add(double loss, long correct, long rows)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
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
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return sums;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        sums = Empty;
    }

    /// <inheritdoc/>
    public override void Dispose() => isDisposed = true;
}
