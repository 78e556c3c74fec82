using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Embedding of tokens on the processor. Forward is divided among threads by rows, backward by columns.</summary>
internal sealed unsafe class HostEmbeddingOps(HostBackend backend, HostParallel threads) : IEmbeddingOps
{
    /// <inheritdoc/>
    public void Forward(EmbeddingOperands operands)
    {
        (int n, int v, int e) = OperandChecks.Embedding(backend, operands);
        int* token = Checked(operands.Tokens, n, v); // [N]
        float* table = backend.Read(operands.Table); // [V, E]
        float* result = backend.Address(operands.Rows); // [N, E]
        threads.Split(n, 1, (long)n * e, (_, from, to) =>
        {
            for (long i = from; i < to; i++) new ReadOnlySpan<float>(table + (long)token[i] * e, e).CopyTo(new Span<float>(result + i * e, e));
        });
    }

    /// <inheritdoc/>
    public void Backward(EmbeddingOperands operands)
    {
        (int n, int v, int e) = OperandChecks.Embedding(backend, operands);
        int* token = Checked(operands.Tokens, n, v); // [N]
        float* delta = backend.Address(operands.Rows); // [N, E]
        float* table = backend.Address(operands.Table); // [V, E]
        threads.Split(e, 16, (long)n * e, (_, from, to) =>
        {
            for (long i = 0; i < n; i++) Elementwise.Run(new AddTo(table + (long)token[i] * e, delta + i * e), (nint)from, (nint)to);
        });
    }

    private int* Checked(Tensor tokens, int count, int vocabulary)
    {
        int* token = backend.Address<int>(tokens);
        int wrong = new ReadOnlySpan<int>(token, count).IndexOfAnyExceptInRange(0, vocabulary - 1);
        return wrong < 0
            ? token
            : throw new InvalidCallException($"Token {token[wrong]} at place {wrong} is not one of the {vocabulary} known, 0..{vocabulary - 1}.");
    }
}
