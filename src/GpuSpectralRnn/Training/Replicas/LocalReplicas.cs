namespace GpuSpectralRnn.Training;

/// <summary>A group of one member, which is the default: nothing is sent.</summary>
public sealed class LocalReplicas : IReplicas
{
    private LocalReplicas()
    {
    }

    /// <summary>The only one.</summary>
    public static IReplicas Instance { get; } = new LocalReplicas();

    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Size => 1;

    /// <inheritdoc/>
    public int LocalRank => 0;

    /// <inheritdoc/>
    public int LocalSize => 1;

    /// <inheritdoc/>
    public void Exchange(int partner, ReadOnlySpan<byte> outgoing, Span<byte> incoming) =>
        throw new ArgumentOutOfRangeException(nameof(partner), partner, "A group of one has nobody to exchange with.");

    /// <inheritdoc/>
    public void Gather(ReadOnlySpan<byte> own, Span<byte> all) => own.CopyTo(all);

    /// <inheritdoc/>
    public void Broadcast(Span<byte> values)
    {
    }

    /// <inheritdoc/>
    public void Abort(int code, string reason)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
