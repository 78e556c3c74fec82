namespace GpuSpectralRnn.Compute;

/// <summary>
/// Rows of a matrix that belong to units: those of unit j are block * <paramref name="Stride"/> + <paramref name="First"/> + j for every block.
/// </summary>
/// <param name="Weights">[M, N].</param>
/// <param name="Units">A number for each unit [units]: sums that are added to, or factors.</param>
/// <param name="Blocks">How many blocks are stacked: a cell's gates.</param>
/// <param name="First">The row of unit 0 in each block.</param>
/// <param name="Stride">Rows of a block.</param>
public readonly record struct RowGroups(Tensor Weights, Tensor Units, int Blocks, int First, int Stride);

/// <summary>Operands of the proximal step of a group lasso.</summary>
/// <param name="Squares">The sum of the squares of every group's weights [groups].</param>
/// <param name="Before">The factors of the step before [groups], ones at first; a group whose factor was 0 stays closed.</param>
/// <param name="Penalty">lambda [1].</param>
/// <param name="Scale">What <see cref="GroupShrinkNumbers.Threshold"/> is a share of [1].</param>
/// <param name="Factors">Receives a factor for every group [groups].</param>
/// <param name="Count">Receives the number of groups that were open before [1].</param>
/// <param name="Numbers">What the caller knows.</param>
public readonly record struct GroupShrink(
    Tensor Squares, Tensor Before, Tensor Penalty, Tensor Scale, Tensor Factors, Tensor Count, GroupShrinkNumbers Numbers);

/// <summary>Numbers of the proximal step of a group lasso.</summary>
/// <param name="Amount">What lambda is multiplied by: the learning rate.</param>
/// <param name="Threshold">A group whose norm is below this share of the scale is closed.</param>
/// <param name="Least">So many open groups, the largest, do not shrink.</param>
public readonly record struct GroupShrinkNumbers(float Amount, float Threshold, int Least);
