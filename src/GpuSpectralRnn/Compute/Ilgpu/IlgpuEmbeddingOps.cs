using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Embedding of tokens as ILGPU kernels.</summary>
internal sealed class IlgpuEmbeddingOps(IlgpuBackend backend) : IEmbeddingOps, IDisposable
{
    private readonly Embedding embedding = new(backend.Loader);
    private Tensor? chains; // [2, N], for the most tokens met so far

    /// <inheritdoc/>
    public void Forward(Tensor tokens, Tensor weights, Tensor output)
    {
        (int n, _, int e) = OperandChecks.Embedding(backend, tokens, weights, output);
        backend.Count(output);
        embedding.Forward(backend.Stream, backend.View<int>(tokens), backend.View(weights), backend.View(output), n, e);
    }

    /// <inheritdoc/>
    public void Backward(Tensor tokens, Tensor outputGradient, Tensor weightGradient)
    {
        (int n, _, int e) = OperandChecks.Embedding(backend, tokens, weightGradient, outputGradient);
        backend.Count(outputGradient);
        if (chains is null || chains.Count < 2L * n)
        {
            chains?.Dispose();
            chains = backend.Allocate(new Shape(2, n), ElementType.Int32);
        }

        embedding.Backward(
            backend.Stream, backend.View<int>(tokens), backend.View(outputGradient), backend.View(weightGradient), backend.View<int>(chains), n, e);
    }

    /// <inheritdoc/>
    public void Dispose() => chains?.Dispose();
}
