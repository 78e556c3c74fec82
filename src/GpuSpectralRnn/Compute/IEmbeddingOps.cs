namespace GpuSpectralRnn.Compute;

/// <summary>Rows of a table chosen by tokens.</summary>
public interface IEmbeddingOps
{
    /// <summary>output[n, j] = weights[tokens[n], j].</summary>
    /// <param name="tokens">Int32 [N], each in 0..V-1 (checked where the data enter; the host backend looks again).</param>
    /// <param name="weights">[V, E].</param>
    /// <param name="output">[N, E].</param>
    void Forward(Tensor tokens, Tensor weights, Tensor output);

    /// <summary>
    /// Backward of <see cref="Forward"/>: weightGradient[tokens[n], j] += outputGradient[n, j]. Only rows that occur are touched, and the additions
    /// to each have one fixed order.
    /// </summary>
    /// <param name="tokens">Int32 [N].</param>
    /// <param name="outputGradient">[N, E].</param>
    /// <param name="weightGradient">[V, E].</param>
    void Backward(Tensor tokens, Tensor outputGradient, Tensor weightGradient);
}
