using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Embedding of tokens as ILGPU kernels.</summary>
internal sealed class IlgpuEmbeddingOps(IlgpuBackend backend) : IEmbeddingOps, IDisposable
{
    private readonly Launcher<Embedding> forward = backend.Loader.Elements<Embedding>();
    private readonly Launcher<EmbeddingChains> chain = backend.Loader.Elements<EmbeddingChains>();
    private readonly Launcher<EmbeddingBackward> backward = backend.Loader.Elements<EmbeddingBackward>();
    private Tensor? chains; // [2, N], for the most tokens met so far

    /// <inheritdoc/>
    public void Forward(EmbeddingOperands o)
    {
        (_, _, int e) = OperandChecks.Embedding(backend, o);
        forward(backend.Stream, backend.Count(o.Rows), new(backend.View<int>(o.Tokens), backend.View(o.Table), backend.View(o.Rows), e));
    }

    /// <inheritdoc/>
    public void Backward(EmbeddingOperands o)
    {
        (int n, _, int e) = OperandChecks.Embedding(backend, o);
        int elements = backend.Count(o.Rows);
        if (elements == 0) return;
        if (chains is null || chains.Count < 2L * n)
        {
            chains?.Dispose();
            chains = backend.Allocate(new Shape(2, n), ElementType.Int32);
        }

        chain(backend.Stream, n, new(backend.View<int>(o.Tokens), backend.View<int>(chains), n));
        backward(
            backend.Stream,
            elements,
            new(backend.View<int>(o.Tokens), backend.View<int>(chains), backend.View(o.Rows), backend.View(o.Table), n, e));
    }

    /// <inheritdoc/>
    public void Dispose() => chains?.Dispose();
}
