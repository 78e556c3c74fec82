namespace GpuSpectralRnn.Compute;

/// <summary>A block of one backend's memory. Each backend derives its own kind; tensors are shaped windows on it.</summary>
public abstract class TensorStorage : IDisposable
{
    /// <summary>Describes a block of <paramref name="count"/> elements that lives on <paramref name="backend"/>.</summary>
    protected TensorStorage(IBackend backend, ElementType type, long count)
    {
        Backend = backend;
        Type = type;
        Count = count;
    }

    /// <summary>Whose memory it is.</summary>
    public IBackend Backend { get; }

    /// <summary>What the elements are.</summary>
    public ElementType Type { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Whether the memory has been given back.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Gives the memory back; called at most once.</summary>
    protected abstract void Release();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsDisposed) return;
        IsDisposed = true;
        Release();
        GC.SuppressFinalize(this);
    }
}
