using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// A device behind ILGPU: CUDA, OpenCL, or ILGPU's simulator. Every operation is a kernel of GpuSpectralRnn.Kernels on one stream, in order; kernels
/// are compiled once, when their kind of operation is first used.
/// </summary>
public sealed class IlgpuBackend : IBackend
{
    private const int WidestGroups = 1 << 18; // threads of a loss's groups, the widest stride beside the loader's own

    private readonly DisposableBag owned = new();
    private readonly CuBlasProducts cuBlas;
    private readonly UploadRing? ring;
    private readonly Lazy<Launcher<Fill>> fill;
    private readonly Lazy<IlgpuMatrixOps> matrix;
    private readonly Lazy<IlgpuElementwiseOps> elementwise;
    private readonly Lazy<IlgpuGateOps> gates;
    private readonly Lazy<IlgpuEmbeddingOps> embedding;
    private readonly Lazy<IlgpuCharacterOps> character;
    private readonly Lazy<IlgpuAttentionOps> attention;
    private readonly Lazy<IlgpuRecurrentOps> recurrent;
    private readonly Lazy<IlgpuLossOps> loss;
    private readonly Lazy<IlgpuOptimizerOps> optimizer;
    private readonly Lazy<IlgpuRandomOps> random;
    private readonly Lazy<IlgpuSpectralOps> spectral;
    private bool isDisposed;

    /// <summary>Takes ownership of an accelerator, also if the constructor throws.</summary>
    /// <exception cref="InvalidCallException">The device has no cuBLAS, or no tensor cores, which were requested.</exception>
    public IlgpuBackend(
        DeviceInfo device,
        Accelerator accelerator,
        RecurrentStrategy kernels = RecurrentStrategy.Auto,
        ProductBackend blas = ProductBackend.Auto,
        bool usesGraphs = true)
        : this(device, new KernelLoader(accelerator), kernels, blas, usesGraphs)
    {
    }

    /// <summary>Takes ownership of the loader and its accelerator.</summary>
    internal IlgpuBackend(
        DeviceInfo device,
        KernelLoader loader,
        RecurrentStrategy kernels = RecurrentStrategy.Auto,
        ProductBackend blas = ProductBackend.Auto,
        bool usesGraphs = true)
    {
        Device = device;
        Loader = loader;
        Kernels = kernels;
        Blas = blas;
        Accelerator = loader.Accelerator;
        owned.Keep(Accelerator);
        owned.Keep(loader);
        try
        {
            if (blas == ProductBackend.KernelsTf32 && !Gemm.HasTensorCores(Accelerator)) throw IlgpuMatrixOps.NoTensorCores(device);
            Stream = owned.Keep(Accelerator.CreateStream());
            ring = UploadRing.Create(Accelerator);
            if (ring is not null) owned.Keep(ring);
            CudaUploadLane? lane = ring is null ? null : CudaUploadLane.Create(this);
            if (lane is not null) owned.Keep(lane);
            Uploads = lane;
            Graphs = owned.Keep(LaunchGraphs.Create(Accelerator, Stream, usesGraphs));
            cuBlas = owned.Keep(new CuBlasProducts(Device, Accelerator, Stream, blas));
        }
        catch
        {
            owned.Dispose(); // whoever hands over an accelerator gets no backend to dispose
            throw;
        }

        fill = new(() => Loader.Elements<Fill>());
        matrix = owned.KeepLazy(() => new IlgpuMatrixOps(this, cuBlas));
        elementwise = new(() => new IlgpuElementwiseOps(this));
        gates = new(() => new IlgpuGateOps(this));
        embedding = owned.KeepLazy(() => new IlgpuEmbeddingOps(this));
        character = owned.KeepLazy(() => new IlgpuCharacterOps(this));
        attention = owned.KeepLazy(() => new IlgpuAttentionOps(this));
        recurrent = owned.KeepLazy(() => new IlgpuRecurrentOps(this, matrix.Value));
        loss = owned.KeepLazy(() => new IlgpuLossOps(this));
        optimizer = owned.KeepLazy(() => new IlgpuOptimizerOps(this));
        random = owned.KeepLazy(() => new IlgpuRandomOps(this));
        spectral = owned.KeepLazy(() => new IlgpuSpectralOps(this));
    }

    /// <inheritdoc/>
    public DeviceInfo Device { get; }

    /// <inheritdoc/>
    public IMatrixOps Matrix => matrix.Value;

    /// <inheritdoc/>
    public IElementwiseOps Elementwise => elementwise.Value;

    /// <inheritdoc/>
    public IGateOps Gates => gates.Value;

    /// <inheritdoc/>
    public IEmbeddingOps Embedding => embedding.Value;

    /// <inheritdoc/>
    public ICharacterOps Character => character.Value;

    /// <inheritdoc/>
    public IAttentionOps Attention => attention.Value;

    /// <inheritdoc/>
    public IRecurrentOps Recurrent => recurrent.Value;

    /// <inheritdoc/>
    public ILossOps Loss => loss.Value;

    /// <inheritdoc/>
    public IOptimizerOps Optimizer => optimizer.Value;

    /// <inheritdoc/>
    public IRandomOps Random => random.Value;

    /// <inheritdoc/>
    public ISpectralOps Spectral => spectral.Value;

    /// <inheritdoc/>
    public IUploadLane? Uploads { get; internal init; }

    /// <summary>Memory of the device that this backend has in use: tensors, workspaces and the kernels' own.</summary>
    public DeviceMemory Memory => Loader.Memory;

    /// <summary>Whether cuBLAS is loaded: used for a product so far, or requested.</summary>
    public bool UsesCuBlas => cuBlas.IsLoaded;

    /// <summary>The launch graphs by which steps and sweeps are repeated, where the device has such.</summary>
    public LaunchGraphs Graphs { get; internal init; }

    /// <summary>How a product op(A) [m, k] op(B) [k, n] is computed here: by cuBLAS, or by which of our kernels.</summary>
    public string ProductPlan(int m, int n, int k, bool transposeA = false, bool transposeB = false) =>
        matrix.Value.PlanFor(m, n, k, transposeA, transposeB);

    /// <summary>How recurrent layers run.</summary>
    internal RecurrentStrategy Kernels { get; }

    /// <summary>Which implementation computes matrix products.</summary>
    internal ProductBackend Blas { get; }

    /// <summary>The accelerator.</summary>
    internal Accelerator Accelerator { get; }

    /// <summary>The stream of all work.</summary>
    internal AcceleratorStream Stream { get; }

    /// <summary>Loads kernels for the accelerator.</summary>
    internal KernelLoader Loader { get; }

    /// <inheritdoc/>
    public Tensor Allocate(Shape shape, ElementType type = ElementType.Float32)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        MemoryBuffer buffer = AllocateBuffer(shape.Count, type.Size(), $"{type} {shape}");
        Tensor tensor = new(new IlgpuStorage(this, type, shape.Count, buffer), shape);
        if (type == ElementType.Float32) View<float>(tensor).MemSetToZero(Stream);
        else if (type == ElementType.Float64) View<double>(tensor).MemSetToZero(Stream);
        else View<int>(tensor).MemSetToZero(Stream);
        return tensor;
    }

    /// <inheritdoc/>
    public void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged => Upload(Stream, source, destination);

    /// <inheritdoc/>
    public void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged
    {
        if (OperandChecks.Transfer<T>(this, destination.Length, source) > 0) View<T>(source).CopyToCPU(Stream, destination);
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        if (OperandChecks.Copy(this, source, destination) == 0) return;

        // OpenCL refuses to copy memory onto itself.
        if (source.StorageOn(this) == destination.StorageOn(this) && source.Offset == destination.Offset) return;
        if (source.Type == ElementType.Float32) View<float>(source).CopyTo(Stream, View<float>(destination));
        else if (source.Type == ElementType.Float64) View<double>(source).CopyTo(Stream, View<double>(destination));
        else View<int>(source).CopyTo(Stream, View<int>(destination));
    }

    /// <inheritdoc/>
    public void Fill(Tensor tensor, float value)
    {
        OperandChecks.Float(this, tensor);
        fill.Value(Stream, Count(tensor), new(View(tensor), value));
    }

    /// <inheritdoc/>
    public void Synchronize() => Stream.Synchronize();

    /// <summary>Disposes the accelerator and with it every tensor on it.</summary>
    public void Dispose()
    {
        if (isDisposed) return;
        isDisposed = true;
        owned.Keep(Graphs); // those that replaced the stream's own too
        try
        {
            owned.Dispose();
        }
        catch (AcceleratorException)
        {
            // A device that was lost refuses to be given back as it refused the work before, which threw.
        }
    }

    /// <summary>Device memory of <paramref name="count"/> elements, not cleared.</summary>
    /// <exception cref="RunFailedException">The device has too little free memory.</exception>
    internal MemoryBuffer AllocateBuffer(long count, int elementSize, string what)
    {
        try
        {
            return Loader.Memory.Allocate(Math.Max(1, count), elementSize);
        }
        catch (Exception refused) when (refused is AcceleratorException or OutOfMemoryException or OverflowException)
        {
            Stream.Synchronize(); // a device that failed before refuses everything, for no lack of room: throws that failure
            string sizes = $"{count * (double)elementSize / (1 << 20):0} MiB of {Device.MemoryBytes >> 20} MiB";
            throw new RunFailedException($"{Device.Id} has no room for {what} ({sizes}); make the batch or the network smaller.", refused);
        }
    }

    /// <summary>Copies host memory to the device on one of its streams.</summary>
    internal void Upload<T>(AcceleratorStream stream, ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged
    {
        if (OperandChecks.Transfer<T>(this, source.Length, destination) > 0) Upload(stream, source, View<T>(destination));
    }

    /// <summary>Copies host memory to as many elements of the device on one of its streams.</summary>
    internal void Upload<T>(AcceleratorStream stream, ReadOnlySpan<T> source, ArrayView<T> target)
        where T : unmanaged
    {
        if (ring?.TryUpload(stream, source, target) != true) target.CopyFromCPU(stream, source);
    }

    /// <summary>A tensor's elements.</summary>
    internal ArrayView<float> View(Tensor tensor) => View<float>(tensor);

    /// <summary>A tensor's elements; for an empty tensor one unused element, because ILGPU refuses empty views.</summary>
    internal ArrayView<T> View<T>(Tensor tensor)
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        MemoryBuffer buffer = ((IlgpuStorage)tensor.StorageOn(this)).Buffer;
        return tensor.Count == 0 ? buffer.AsArrayView<T>(0, 1) : buffer.AsArrayView<T>(tensor.Offset, tensor.Count);
    }

    /// <summary>A tensor's elements, or null.</summary>
    internal ArrayView<float>? ViewOrNull(Tensor? tensor) => tensor is null ? null : View<float>(tensor);

    /// <summary>
    /// A tensor's number of elements, which kernels count in 32 bits, with room for the last stride past the end.
    /// </summary>
    /// <exception cref="InvalidCallException">There are more.</exception>
    internal int Count(Tensor tensor) => tensor.Count + Math.Max(Loader.WidthFor(tensor.Count), WidestGroups) <= int.MaxValue
        ? (int)tensor.Count
        : throw new InvalidCallException(
            $"{tensor} has more elements than a kernel can count in 32 bits; make the batch or the sequences smaller.");
}
