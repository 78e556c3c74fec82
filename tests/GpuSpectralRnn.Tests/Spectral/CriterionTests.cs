using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

/// <summary>L_M(J) = Tr(M R_J) against the definitions of the losses, written out with Math.NET.</summary>
public class CriterionTests
{
    private static readonly Matrix Gram = RandomMatrix.Gram(9, 1), Consumers = RandomMatrix.Uniform(4, 9, 2), Factor = RandomMatrix.Uniform(9, 9, 3);
    private static readonly double[] Tau = Ridge.Uniform(Gram, 1e-3);
    private static readonly int[] Kept = [1, 4, 8];

    [Fact]
    public void Losses_equal_their_definitions()
    {
        double input = Residual().Trace(), output = (Consumers.Oracle() * Residual() * Consumers.Oracle().Transpose()).Trace();
        Matrix adjoint = RandomMatrix.Moments(Factor);

        Equal(input, Criterion.Input(9));
        Equal(output, Criterion.Output(Consumers));
        Equal((adjoint.Oracle() * Residual()).Trace(), adjoint);
        double wholeOutput = (Consumers.Oracle() * Gram.Oracle() * Consumers.Oracle().Transpose()).Trace();
        Equal(0.3 * input / Gram.Trace() + 0.7 * output / wholeOutput, Criterion.Paper(Gram, Consumers, 0.3));
    }

    [Fact]
    public void A_normalised_criterion_starts_at_one()
    {
        Assert.Equal(1, Matrix.Inner(Criterion.Paper(Gram, Consumers, 0.25), Gram), 1e-14);
        Assert.Equal(new double[81], Criterion.Normalised(new Matrix(9, 9), (1, Criterion.Input(9))).Data);
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void Theta_outside_zero_to_one_is_refused(double theta) =>
        Assert.Contains("`theta`", Assert.Throws<InvalidCallException>(() => Criterion.Paper(Gram, Consumers, theta)).Message);

    private static void Equal(double expected, Matrix criterion) =>
        Close.Equal(expected, Reconstruction.Loss(Gram, Tau, Kept, criterion), 1e-12, 0, "loss"); // condition about 10 times rounding, and room

    private static MathNet.Numerics.LinearAlgebra.Matrix<double> Residual()
    {
        var s = Gram.Oracle();
        var columns = Gram.SelectColumns(Kept).Oracle();
        var block = Gram.SelectRows(Kept).SelectColumns(Kept).Oracle();
        for (int i = 0; i < Kept.Length; i++) block[i, i] += Tau[Kept[i]];
        return s - columns * block.Inverse() * columns.Transpose();
    }

    [Fact]
    public void Gated_cells_have_the_larger_ridge() =>
        Assert.Equal([1e-4, 1e-4, 1e-4, 1e-3, 1e-3], new[] { Cell.Irnn, Cell.RnnTanh, Cell.RnnRelu, Cell.Lstm, Cell.Gru }.Select(Ridge.Default));
}
