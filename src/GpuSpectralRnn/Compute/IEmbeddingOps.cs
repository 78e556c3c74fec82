namespace GpuSpectralRnn.Compute;

/// <summary>Tokens, a table and the rows of it that they choose, or the gradients of table and rows.</summary>
/// <param name="Tokens">Int32 [N], each in 0..V-1. The host backend checks them; others rely on the check where data enter.</param>
/// <param name="Table">[V, E].</param>
/// <param name="Rows">[N, E].</param>
public readonly record struct EmbeddingOperands(Tensor Tokens, Tensor Table, Tensor Rows);

/// <summary>Embedding: rows of a table chosen by tokens.</summary>
/// <exception cref="ArgumentException">Shapes or types do not fit, or table and rows share memory.</exception>
public interface IEmbeddingOps
{
    /// <summary>rows[n, j] = table[tokens[n], j].</summary>
    /// <exception cref="InvalidCallException">A token is out of range (host only).</exception>
    void Forward(EmbeddingOperands operands);

    /// <summary>
    /// Backward of <see cref="Forward"/>: table[tokens[n], j] += rows[n, j], both being gradients. Rows of the table whose token does not occur are
    /// not touched; the order of the additions is fixed.
    /// </summary>
    /// <exception cref="InvalidCallException">A token is out of range (host only).</exception>
    void Backward(EmbeddingOperands operands);
}
