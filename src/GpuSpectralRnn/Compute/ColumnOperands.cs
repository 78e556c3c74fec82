namespace GpuSpectralRnn.Compute;

/// <summary>Operands of a product with a diagonal matrix on the right, over some columns.</summary>
/// <param name="Source">W [M, N].</param>
/// <param name="From">The first column.</param>
/// <param name="Scales">z: a number for each of the columns.</param>
/// <param name="Destination">
/// [M, N]; its columns From.. are overwritten, the others are left as they are. May be <paramref name="Source"/>, or is apart from it.
/// </param>
public readonly record struct ColumnScaling(Tensor Source, int From, Tensor Scales, Tensor Destination);

/// <summary>Operands of the inner products of two matrices' columns, over some columns.</summary>
/// <param name="A">[M, N].</param>
/// <param name="B">[M, N]; may be the same.</param>
/// <param name="From">The first column.</param>
/// <param name="Dots">A sum for each of the columns, added to what is there.</param>
public readonly record struct ColumnProducts(Tensor A, Tensor B, int From, Tensor Dots);
