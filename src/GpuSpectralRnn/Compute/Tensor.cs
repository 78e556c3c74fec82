namespace GpuSpectralRnn.Compute;

/// <summary>
/// A row-major array in the memory of one backend. The tensor that <see cref="IBackend.Allocate"/> returns owns its memory; views made from
/// it share that memory and die with the owner. Using a tensor after that, or on another backend, throws.
/// </summary>
public sealed class Tensor : IDisposable
{
    private readonly bool isOwner;
    private bool isDisposed;

    /// <summary>Wraps freshly allocated storage; for backends.</summary>
    public Tensor(TensorStorage storage, Shape shape)
        : this(storage, 0, shape, isOwner: true)
    {
    }

    private Tensor(TensorStorage storage, long offset, Shape shape, bool isOwner)
    {
        if (offset < 0 || offset + shape.Count > storage.Count)
            throw new ArgumentException($"The window {offset} + {shape} lies outside the {storage.Count} elements of its memory.", nameof(shape));
        Memory = storage;
        Offset = offset;
        Shape = shape;
        this.isOwner = isOwner;
    }

    /// <summary>Extents, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Count;

    /// <summary>What the elements are.</summary>
    public ElementType Type => Memory.Type;

    /// <summary>The backend whose memory this is.</summary>
    public IBackend Backend => Memory.Backend;

    /// <summary>Where this tensor's first element stands in its storage, in elements.</summary>
    public long Offset { get; }

    private TensorStorage Memory { get; }

    /// <summary>A window of this tensor's memory from element <paramref name="offset"/> on; no copy.</summary>
    public Tensor View(long offset, params int[] extents)
    {
        ThrowIfDisposed();
        Shape shape = new(extents);
        if (offset < 0 || offset + shape.Count > Count)
            throw new ArgumentException($"The view {offset} + {shape} lies outside {this}.", nameof(offset));
        return new Tensor(Memory, Offset + offset, shape, isOwner: false);
    }

    /// <summary>The same elements under other extents; no copy.</summary>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public Tensor Reshape(params int[] extents)
    {
        if (new Shape(extents).Count != Count)
            throw new ArgumentException($"{this} cannot be seen as {new Shape(extents)}: the counts differ.", nameof(extents));
        return View(0, extents);
    }

    /// <summary>Entry <paramref name="index"/> of the outermost dimension: of [T, B, H] the [B, H] of one step. No copy.</summary>
    public Tensor Slice(int index)
    {
        int[] inner = Shape.ToArray()[1..];
        return View(index * new Shape(inner).Count, inner);
    }

    /// <summary>The storage, checked to be alive and of <paramref name="backend"/>; for backends.</summary>
    /// <exception cref="ObjectDisposedException">This tensor or the owner of its memory was disposed.</exception>
    /// <exception cref="InvalidOperationException">The tensor lives on another backend.</exception>
    public TensorStorage StorageOn(IBackend backend)
    {
        ThrowIfDisposed();
        if (!ReferenceEquals(Memory.Backend, backend))
            throw new InvalidOperationException($"{this} lives on {Memory.Backend.Device.Id}, not on {backend.Device.Id}; copy it there first.");
        return Memory;
    }

    /// <summary>Copies from host memory.</summary>
    public void CopyFrom<T>(ReadOnlySpan<T> source)
        where T : unmanaged => Backend.Upload(source, this);

    /// <summary>Copies to host memory; waits for the device.</summary>
    public void CopyTo<T>(Span<T> destination)
        where T : unmanaged => Backend.Download(this, destination);

    /// <summary>Copies all elements to a new host array; waits for the device.</summary>
    public T[] ToArray<T>()
        where T : unmanaged
    {
        T[] result = new T[Count];
        CopyTo(result.AsSpan());
        return result;
    }

    /// <summary>All elements as floats in a new host array.</summary>
    public float[] ToArray() => ToArray<float>();

    /// <summary>Gives the memory back if this tensor owns it; a view only ends itself.</summary>
    public void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        if (isOwner) Memory.Dispose();
    }

    /// <summary>For example <c>Float32 [28, 64, 128] on host</c>.</summary>
    public override string ToString() => $"{Type} {Shape} on {Memory.Backend.Device.Id}";

    private void ThrowIfDisposed()
    {
        if (isDisposed || Memory.IsDisposed) throw new ObjectDisposedException(nameof(Tensor), $"This tensor was disposed: {Type} {Shape}.");
    }
}
