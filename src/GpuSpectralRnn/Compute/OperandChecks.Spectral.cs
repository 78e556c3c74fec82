namespace GpuSpectralRnn.Compute;

/// <content>Second moments and eigenvalues.</content>
internal static partial class OperandChecks
{
    /// <summary>A sequence [T, B, m] of so many steps: returns (B, m).</summary>
    public static (int B, int M) StepSquares(IBackend backend, Tensor sequence, int steps)
    {
        (int t, int b, int m) = Sequence(backend, sequence, null);
        if (t != steps) Fail($"{sequence} has {t} steps, the sums are for {steps}.", nameof(sequence));
        return (b, m);
    }

    /// <summary>A symmetric matrix [n, n] on the host, its n eigenvalues and vectors [n, n].</summary>
    public static void SymmetricEigen(in SymmetricEigenOperands o)
    {
        (int order, int matrix, int values, int vectors) = (o.Order, o.Matrix.Length, o.Values.Length, o.Vectors.Length);
        long square = (long)order * order; // no product of 32 bits: it could wrap around to a length that fits
        if (order < 0 || matrix != square || values != order || vectors != square)
            Fail($"Order {order} does not fit {matrix} elements, {values} values and {vectors} elements of vectors.", nameof(order));
    }
}
