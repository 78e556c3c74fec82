using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public class ReconstructionTests
{
    private static readonly int[] Kept = [0, 2, 5];

    [Fact]
    public void Is_the_regression_of_all_units_on_the_kept_ones()
    {
        Matrix states = RandomMatrix.Uniform(40, 7, 1), gram = RandomMatrix.Moments(states);
        double[] ridge = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
        Matrix a = Reconstruction.Compute(gram, ridge, Kept);

        // At the least of ||h - A h_J||^2 + Tr(A I_tau A^T) every step aside costs.
        double least = Objective(states, a, ridge);
        for (int i = 0; i < a.Data.Length; i++)
        {
            foreach (double step in new[] { -1e-3, 1e-3 })
            {
                Matrix aside = a.Clone();
                aside.Data[i] += step;
                Assert.True(Objective(states, aside, ridge) > least);
            }
        }

        // That least is the trace of the residual.
        Assert.Equal(Reconstruction.Residual(gram, ridge, Kept).Trace(), least, 1e-13);
    }

    [Fact]
    public void All_units_and_a_vanishing_ridge_give_the_identity()
    {
        Matrix gram = RandomMatrix.Gram(12, 3);
        int[] all = [.. Enumerable.Range(0, 12)];

        // The ridge shifts A by about ridge / smallest eigenvalue.
        Close.Equal(Matrix.Identity(12).Data, Reconstruction.Compute(gram, new double[12], all).Data, 0, 1e-8, "A without ridge");
        Close.Equal(Matrix.Identity(12).Data, Reconstruction.Compute(gram, Ridge.Uniform(gram, 1e-12), all).Data, 0, 1e-6, "A with a tiny ridge");
    }

    [Fact]
    public void A_singular_set_without_ridge_is_refused_with_the_remedy()
    {
        Matrix gram = Matrix.From(2, 2, [1.0, 1, 1, 1]);

        Assert.Contains("`ridge`", Assert.Throws<InvalidCallException>(() => Reconstruction.Compute(gram, [0, 0], [0, 1])).Message);
        Assert.Equal(4, Reconstruction.Compute(gram, [1e-4, 1e-4], [0, 1]).Data.Length);
    }

    [Fact]
    public void A_dead_layer_reconstructs_to_zero_if_there_is_a_ridge()
    {
        Matrix dead = new(4, 4);

        Assert.Equal(new double[8], Reconstruction.Compute(dead, Ridge.Uniform(dead, 1e-4), [1, 3]).Data);
        Assert.Contains("`ridge`", Assert.Throws<InvalidCallException>(() => Reconstruction.Compute(dead, Ridge.Uniform(dead, 0), [1, 3])).Message);
    }

    [Fact]
    public void Ridges_follow_their_rules()
    {
        Matrix gram = RandomMatrix.Gram(5, 2);

        Assert.All(Ridge.Uniform(gram, 0.01), tau => Assert.Equal(0.01 * gram.Trace() / 5, tau, 1e-15));
        foreach (double bad in new[] { -1, double.NaN, double.PositiveInfinity }) Assert.Throws<InvalidCallException>(() => Ridge.Uniform(gram, bad));
    }

    private static double Objective(Matrix states, Matrix a, double[] ridge)
    {
        Matrix error = states - Matrix.Product(states.SelectColumns(Kept), a, transposeB: true);
        double penalty = 0;
        for (int i = 0; i < a.Rows; i++)
            for (int j = 0; j < a.Columns; j++) penalty += ridge[Kept[j]] * a[i, j] * a[i, j];
        return Matrix.Inner(error, error) / states.Rows + penalty;
    }
}
