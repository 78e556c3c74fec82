namespace GpuSpectralRnn.Compute;

/// <summary>Operands of a product C = alpha op(A) op(B) + beta C.</summary>
/// <param name="TransposeA">Whether op(A) is A^T.</param>
/// <param name="TransposeB">Whether op(B) is B^T.</param>
/// <param name="Alpha">Factor on the product.</param>
/// <param name="A">op(A) is [M, K].</param>
/// <param name="B">op(B) is [K, N].</param>
/// <param name="Beta">Factor on the old C; with 0, C is not read.</param>
/// <param name="C">[M, N]; shares no memory with A or B.</param>
public readonly record struct GemmOperands(bool TransposeA, bool TransposeB, float Alpha, Tensor A, Tensor B, float Beta, Tensor C);

/// <summary>Operands of a linear layer.</summary>
/// <param name="X">Inputs [N, I].</param>
/// <param name="Weights">W [O, I], as in PyTorch.</param>
/// <param name="Bias">[O], or null.</param>
/// <param name="Y">Receives the outputs [N, O].</param>
public readonly record struct LinearOperands(Tensor X, Tensor Weights, Tensor? Bias, Tensor Y);

/// <summary>Operands of a linear layer's backward pass.</summary>
/// <param name="X">Inputs [N, I].</param>
/// <param name="Weights">W [O, I].</param>
/// <param name="OutputGradient">dy [N, O].</param>
/// <param name="InputGradient">Receives dx [N, I], or null.</param>
/// <param name="WeightGradient">dW [O, I]; added to.</param>
/// <param name="BiasGradient">[O], added to; null for a layer without a bias.</param>
public readonly record struct LinearBackwardOperands(
    Tensor X, Tensor Weights, Tensor OutputGradient, Tensor? InputGradient, Tensor WeightGradient, Tensor? BiasGradient);

/// <summary>Operands of column sums.</summary>
/// <param name="X">[M, N].</param>
/// <param name="Beta">Factor on the old sums; with 0 they are not read.</param>
/// <param name="Sums">[N].</param>
public readonly record struct ColumnSumsOperands(Tensor X, float Beta, Tensor Sums);

/// <summary>Columns of one matrix and of another with as many rows.</summary>
/// <param name="Source">[M, at least From + Columns].</param>
/// <param name="From">First column of the source.</param>
/// <param name="Destination">[M, at least To + Columns].</param>
/// <param name="To">First column of the destination.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Adds">Whether to add to the destination instead of overwriting it.</param>
public readonly record struct CopyColumnsOperands(Tensor Source, int From, Tensor Destination, int To, int Columns, bool Adds = false);

/// <summary>Sequences and their means over the valid steps, or the gradients of both.</summary>
/// <param name="Sequence">[T, B, H], T one or more.</param>
/// <param name="Mean">[B, H].</param>
/// <param name="Lengths">L, Int32 [B] of 0..T; null where every length is T.</param>
public readonly record struct MeanOverStepsOperands(Tensor Sequence, Tensor Mean, Tensor? Lengths = null);

/// <summary>Sequences and their last valid steps, or the gradients of both.</summary>
/// <param name="Sequence">[T, B, H].</param>
/// <param name="Lengths">L, Int32 [B] of 0..T.</param>
/// <param name="Last">[B, W], W of H or more; only the first H columns are used.</param>
public readonly record struct LastStepsOperands(Tensor Sequence, Tensor Lengths, Tensor Last);

/// <summary>Sequences and their lengths.</summary>
/// <param name="X">[T, B, H].</param>
/// <param name="Lengths">L, Int32 [B] of 0..T.</param>
public readonly record struct ClearPaddingOperands(Tensor X, Tensor Lengths);

/// <summary>Weights of steps, and of every step of every sequence.</summary>
/// <param name="StepWeights">[T].</param>
/// <param name="Lengths">L, Int32 [B] of 0..T.</param>
/// <param name="Weights">Receives the weights [T, B].</param>
public readonly record struct WeighStepsOperands(Tensor StepWeights, Tensor Lengths, Tensor Weights);

/// <summary>Numbers and the sums that their squares are added to.</summary>
/// <param name="X">Float32 of any shape.</param>
/// <param name="Sums">Of x's count.</param>
public readonly record struct AddSquaresOperands(Tensor X, Tensor Sums);

/// <summary>
/// Dense linear algebra in single precision. A tensor of more than two dimensions counts as the matrix [Shape.Rows, Shape.Columns].
/// </summary>
/// <exception cref="ArgumentException">Shapes or types do not fit, or an output shares memory with an input.</exception>
public interface IMatrixOps
{
    /// <summary>C = alpha op(A) op(B) + beta C.</summary>
    void Gemm(GemmOperands operands);

    /// <summary>y = x W^T + bias.</summary>
    void Linear(LinearOperands operands);

    /// <summary>Backward of <see cref="Linear"/>: dx = dy W (overwrites); dW += dy^T x; dBias += the column sums of dy.</summary>
    void LinearBackward(LinearBackwardOperands operands);

    /// <summary>sums[j] = beta sums[j] + sum_i x[i, j]. The order of the additions is fixed.</summary>
    void ColumnSums(ColumnSumsOperands operands);

    /// <summary>
    /// destination[i, to + j] = source[i, from + j], or += where it adds, for 0 &lt;= j &lt; columns.
    /// </summary>
    void CopyColumns(CopyColumnsOperands operands);

    /// <summary>mean[b, j] = (1/L_b) sum_{t &lt; L_b} sequence[t, b, j]; 0 where L_b is 0.</summary>
    void MeanOverSteps(MeanOverStepsOperands operands);

    /// <summary>
    /// Backward of <see cref="MeanOverSteps"/>: sequence[t, b, j] = mean[b, j] / L_b for t &lt; L_b, else 0; overwrites the sequence.
    /// </summary>
    void SpreadOverSteps(MeanOverStepsOperands operands);

    /// <summary>last[b, j] = sequence[L_b - 1, b, j]; 0 where L_b is 0.</summary>
    void LastSteps(LastStepsOperands operands);

    /// <summary>
    /// W' = W diag(z) on some columns, destination[i, from + j] = source[i, from + j] scales[j] for each of the scales: weights whose inputs pass gates.
    /// </summary>
    void ScaleColumns(ColumnScaling operands);

    /// <summary>
    /// dots[j] += sum_i a[i, from + j] b[i, from + j] for each of the dots: the gradient of <see cref="ScaleColumns"/> for its scales, of W and the
    /// gradient of W' (that for W is another scaling, of the gradient of W'). The order of the additions is fixed.
    /// </summary>
    void ColumnDots(ColumnProducts operands);

    /// <summary>units[j] += the sum of the squares of unit j's rows. The order of the additions is fixed.</summary>
    void AddRowSquares(RowGroups operands);

    /// <summary>Multiplies the rows of every unit j by units[j], in place.</summary>
    void ScaleRows(RowGroups operands);

    /// <summary>Backward of <see cref="LastSteps"/>: sequence[L_b - 1, b, j] = last[b, j], all other elements 0; overwrites the sequence.</summary>
    void SpreadToLastSteps(LastStepsOperands operands);

    /// <summary>x[t, b, j] = 0 for t &gt;= L_b.</summary>
    void ClearPadding(ClearPaddingOperands operands);

    /// <summary>weights[t, b] = stepWeights[t] for t &lt; L_b, else 0.</summary>
    void WeighSteps(WeighStepsOperands operands);

    /// <summary>sums[i] += x[i]^2.</summary>
    void AddSquares(AddSquaresOperands operands);
}
