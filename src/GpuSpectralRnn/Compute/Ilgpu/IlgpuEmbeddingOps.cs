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
    public void Forward(Tensor tokens, Tensor weights, Tensor output)
    {
        (_, _, int e) = OperandChecks.Embedding(backend, tokens, weights, output);
        forward(backend.Stream, backend.Count(output), new(backend.View<int>(tokens), backend.View(weights), backend.View(output), e));
    }

    /// <inheritdoc/>
    public void Backward(Tensor tokens, Tensor outputGradient, Tensor weightGradient)
    {
        (int n, _, int e) = OperandChecks.Embedding(backend, tokens, weightGradient, outputGradient);
        int elements = backend.Count(outputGradient);
        if (elements == 0) return;
        if (chains is null || chains.Count < 2L * n)
        {
            chains?.Dispose();
            chains = backend.Allocate(new Shape(2, n), ElementType.Int32);
        }

        chain(backend.Stream, n, new(backend.View<int>(tokens), backend.View<int>(chains), n));
        backward(
            backend.Stream,
            elements,
            new(backend.View<int>(tokens), backend.View<int>(chains), backend.View(outputGradient), backend.View(weightGradient), n, e));
    }

    /// <inheritdoc/>
    public void Dispose() => chains?.Dispose();
}
