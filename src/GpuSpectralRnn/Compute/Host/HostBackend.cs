using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The processor: SIMD and threads. Every operation is complete when its call returns, and gives the same bits in every run.
/// </summary>
public sealed unsafe class HostBackend : IBackend
{
    private readonly HostParallel threads;
    private readonly Gemm gemm;
    private readonly HostCharacterOps character;
    private bool isDisposed;

    /// <summary>Uses <paramref name="threads"/> threads, or one per core where it is 0.</summary>
    /// <exception cref="InvalidCallException">The number of threads is negative.</exception>
    public HostBackend(int threads = 0)
    {
        if (threads < 0) throw new InvalidCallException($"{threads} threads cannot compute; give 1 or more, or 0 for one per core.");
        Threads = threads == 0 ? Environment.ProcessorCount : threads;
        Device = new DeviceInfo("host", "Processor", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, HasFloat64: true);
        this.threads = new HostParallel(Threads);
        gemm = new Gemm(this.threads);
        Matrix = new HostMatrixOps(this, this.threads, gemm);
        Elementwise = new HostElementwiseOps(this, this.threads);
        Gates = new HostGateOps(this, this.threads);
        Embedding = new HostEmbeddingOps(this, this.threads);
        character = new HostCharacterOps(this, this.threads);
        Attention = new HostAttentionOps(this, this.threads, gemm);
        Recurrent = new HostRecurrentOps(this, this.threads, gemm);
        Loss = new HostLossOps(this, this.threads);
        Optimizer = new HostOptimizerOps(this, this.threads);
        Random = new HostRandomOps(this, this.threads);
        Spectral = new HostSpectralOps(this, this.threads);
    }

    /// <summary>Number of threads.</summary>
    public int Threads { get; }

    /// <inheritdoc/>
    public DeviceInfo Device { get; }

    /// <inheritdoc/>
    public IMatrixOps Matrix { get; }

    /// <inheritdoc/>
    public IElementwiseOps Elementwise { get; }

    /// <inheritdoc/>
    public IGateOps Gates { get; }

    /// <inheritdoc/>
    public IEmbeddingOps Embedding { get; }

    /// <inheritdoc/>
    public ICharacterOps Character => character;

    /// <inheritdoc/>
    public IAttentionOps Attention { get; }

    /// <inheritdoc/>
    public IRecurrentOps Recurrent { get; }

    /// <inheritdoc/>
    public ILossOps Loss { get; }

    /// <inheritdoc/>
    public IOptimizerOps Optimizer { get; }

    /// <inheritdoc/>
    public IRandomOps Random { get; }

    /// <inheritdoc/>
    public ISpectralOps Spectral { get; }

    /// <inheritdoc/>
    public Tensor Allocate(Shape shape, ElementType type = ElementType.Float32)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        try
        {
#pragma warning disable MA0012 // what the runtime would throw, had it tried; caught below
            if (shape.Count > Device.MemoryBytes / type.Size()) throw new OutOfMemoryException();
#pragma warning restore MA0012
            return new Tensor(new HostStorage(this, type, shape.Count), shape);
        }
        catch (OutOfMemoryException refused)
        {
            throw new RunFailedException(
                $"{type} {shape} needs {shape.Count * (double)type.Size() / (1 << 20):0} MiB and this machine has {Device.MemoryBytes >> 20} MiB; "
                + "make the batch or the network smaller.",
                refused);
        }
    }

    /// <inheritdoc/>
    public void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged => source.CopyTo(new Span<T>(Address<T>(destination), OperandChecks.Transfer<T>(this, source.Length, destination)));

    /// <inheritdoc/>
    public void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged =>
        new ReadOnlySpan<T>(Address<T>(source), OperandChecks.Transfer<T>(this, destination.Length, source)).CopyTo(destination);

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        long bytes = OperandChecks.Copy(this, source, destination) * source.Type.Size();
        if (source.Type == ElementType.Float64) Buffer.MemoryCopy(Address<double>(source), Address<double>(destination), bytes, bytes);
        else Buffer.MemoryCopy(Address<int>(source), Address<int>(destination), bytes, bytes);
    }

    /// <inheritdoc/>
    public void Fill(Tensor tensor, float value)
    {
        long count = OperandChecks.Float(this, tensor);
        float* x = Address(tensor);
        const int Chunk = 1 << 20;
        threads.Split(count, Chunk / 16, count, (_, from, to) =>
        {
            for (long i = from; i < to; i += Chunk) new Span<float>(x + i, (int)Math.Min(Chunk, to - i)).Fill(value);
        });
    }

    /// <summary>Does nothing: operations are complete when their calls return.</summary>
    public void Synchronize()
    {
    }

    /// <summary>Disposes the backend; tensors belong to their owners.</summary>
    public void Dispose()
    {
        isDisposed = true;
        character.Dispose();
        gemm.Dispose();
        threads.Dispose();
    }

    /// <summary>A tensor's numbers where they are, to be written or read.</summary>
    internal Span<float> Values(Tensor tensor) => new(Address(tensor), checked((int)tensor.Count));

    /// <summary>A tensor's first element, to be written or read.</summary>
    internal float* Address(Tensor tensor) => Address<float>(tensor);

    /// <summary>A tensor's first element, to be written or read, or null.</summary>
    internal float* AddressOrNull(Tensor? tensor) => tensor is null ? null : Address<float>(tensor);

    /// <summary>A tensor's first element, to be written or read.</summary>
    internal T* Address<T>(Tensor tensor)
        where T : unmanaged
    {
        HostStorage storage = StorageOf(tensor);
        storage.Version++;
        return (T*)storage.Address + tensor.Offset;
    }

    /// <summary>
    /// A tensor's first element, for reading, or in memory that nobody keeps copies of: what is kept of its numbers, as packed weights, stays good.
    /// Any thread may call it.
    /// </summary>
    internal float* Read(Tensor tensor) => (float*)StorageOf(tensor).Address + tensor.Offset;

    /// <summary>A tensor's first element for reading only, or null.</summary>
    internal float* ReadOrNull(Tensor? tensor) => tensor is null ? null : Read(tensor);

    /// <summary>Where a tensor's numbers are.</summary>
    internal HostStorage StorageOf(Tensor tensor)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        return (HostStorage)tensor.StorageOn(this);
    }
}
