namespace GpuSpectralRnn.Compute;

/// <summary>Dense linear algebra in fp32. A tensor of more than two dimensions counts as the matrix [Shape.Rows, Shape.Columns].</summary>
public interface IMatrixOps
{
    /// <summary>
    /// C = alpha op(A) op(B) + beta C, op(A) [M, K], op(B) [K, N], C [M, N]. With beta 0, C is not read. C aliases neither A nor B.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    void Gemm(bool transposeA, bool transposeB, float alpha, Tensor a, Tensor b, float beta, Tensor c);

    /// <summary>y = x W^T + bias. x [N, I], weights [O, I] (PyTorch's layout), bias [O] or none, y [N, O].</summary>
    void Linear(Tensor x, Tensor weights, Tensor? bias, Tensor y);

    /// <summary>
    /// Backward of <see cref="Linear"/>: dx = dy W (overwritten, where wanted); dW += dy^T x; dBias += column sums of dy (where there is a bias).
    /// </summary>
    void LinearBackward(Tensor x, Tensor weights, Tensor outputGradient, Tensor? inputGradient, Tensor weightGradient, Tensor? biasGradient);

    /// <summary>
    /// sums[j] = beta sums[j] + sum_i x[i, j]; x [M, N], sums [N]. With beta 0, sums is not read. The order of the additions is fixed.
    /// </summary>
    void ColumnSums(Tensor x, float beta, Tensor sums);

    /// <summary>
    /// Copies, or adds, columns between matrices of as many rows: destination[i, to + j] = source[i, from + j] (+ destination[i, to + j]) for j below
    /// <paramref name="columns"/>.
    /// </summary>
    void CopyColumns(Tensor source, int from, Tensor destination, int to, int columns, bool adds = false);

    /// <summary>
    /// W' = W diag(z) on some columns, destination[i, from + j] = source[i, from + j] scales[j] for each of the scales: weights whose inputs pass gates.
    /// </summary>
    void ScaleColumns(ColumnScaling operands);

    /// <summary>
    /// dots[j] += sum_i a[i, from + j] b[i, from + j] for each of the dots: the gradient of <see cref="ScaleColumns"/> for its scales, of W and the
    /// gradient of W' (that for W is another scaling, of the gradient of W'). The order of the additions is fixed.
    /// </summary>
    void ColumnDots(ColumnProducts operands);

    /// <summary>
    /// The mean over each sequence's valid steps, mean[b, j] = (1/L_b) sum_{t below L_b} x[t, b, j]; 0 of none. x [T, B, H], mean [B, H], lengths
    /// Int32 [B] of 0..T, or null for T.
    /// </summary>
    void MeanOverSteps(Tensor x, Tensor mean, Tensor? lengths = null);

    /// <summary>
    /// Backward of <see cref="MeanOverSteps"/>: gradient[t, b, j] = meanGradient[b, j] / L_b, zero beyond a sequence's length; overwrites.
    /// </summary>
    void SpreadOverSteps(Tensor meanGradient, Tensor gradient, Tensor? lengths = null);

    /// <summary>
    /// Each sequence's last valid step, last[b, j] = x[L_b - 1, b, j], or 0 of none, in the first H columns of last. x [T, B, H], lengths Int32 [B]
    /// of 0..T, last [B, W] with W of H or more.
    /// </summary>
    void LastSteps(Tensor x, Tensor lengths, Tensor last);

    /// <summary>
    /// Backward of <see cref="LastSteps"/>: gradient [T, B, H] is zero but for gradient[L_b - 1, b, j] = lastGradient[b, j]; overwrites.
    /// </summary>
    void SpreadToLastSteps(Tensor lastGradient, Tensor lengths, Tensor gradient);

    /// <summary>x[t, b, j] = 0 for t of L_b or more. x [T, B, H], lengths Int32 [B] of 0..T.</summary>
    void ClearPadding(Tensor x, Tensor lengths);

    /// <summary>
    /// weights[t, b] = stepWeights[t], or 0 for t of L_b or more. stepWeights [T], lengths Int32 [B] of 0..T, weights [T, B].
    /// </summary>
    void WeighSteps(Tensor stepWeights, Tensor lengths, Tensor weights);

    /// <summary>sums[i] += x[i]^2, for tensors of one count.</summary>
    void AddSquares(Tensor x, Tensor sums);
}
