namespace GpuSpectralRnn.Compute;

/// <content>Embeddings.</content>
internal static partial class OperandChecks
{
    /// <summary>Tokens [N], a table [V, E] and rows of it [N, E]: returns (N, V, E).</summary>
    public static (int N, int V, int E) Embedding(IBackend backend, EmbeddingOperands operands)
    {
        (Tensor tokens, Tensor table, Tensor rows) = operands;
        Typed(backend, tokens, ElementType.Int32);
        Float(backend, table);
        Float(backend, rows);
        (int n, int v, int e) = (checked((int)tokens.Count), table.Shape.Rows, table.Shape.Columns);
        if (rows.Shape.Rows != n || rows.Shape.Columns != e) Fail($"The embedded tokens are {rows.Shape}; they must be [{n}, {e}].", nameof(rows));
        Apart(backend, rows, table);
        return (n, v, e);
    }
}
