using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

public class SingularValuesTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 9)]
    [InlineData(2, 3)]
    [InlineData(3, 7)]
    [InlineData(4, 4)]
    [InlineData(5, 40)]
    [InlineData(64, 65)]
    [InlineData(65, 66)]
    [InlineData(300, 129)]
    [InlineData(90, 257)]
    [InlineData(330, 340)]
    public void Two_largest_equal_the_oracle(int rows, int columns)
    {
        Matrix a = RandomMatrix.Uniform(rows, columns, 4);
        double[] oracle = [.. a.Oracle().Svd(computeVectors: false).S, 0];
        (double first, double second) = SingularValues.LargestTwo(a);

        // Squares are exact to 1e-12 of the largest.
        Close.Equal([oracle[0], oracle[1]], [first, second], 1e-11, 0, "sigma");
        Close.Equal(oracle[0], SingularValues.LargestTwo(a.Transpose()).First, 1e-11, 0, "norm");
    }

    [Fact]
    public void Repeated_values_are_both_found()
    {
        // Two equal blocks side by side: every singular value comes twice, as in a graph of two parts.
        Matrix block = RandomMatrix.Uniform(80, 70, 1), a = new(160, 140);
        for (int i = 0; i < 160; i++)
            for (int j = 0; j < 70; j++) a[i, i / 80 * 70 + j] = block[i % 80, j];
        double largest = block.Oracle().Svd(computeVectors: false).S[0];
        (double first, double second) = SingularValues.LargestTwo(a);

        Close.Equal([largest, largest], [first, second], 1e-11, 0, "sigma");
        foreach (int order in (int[])[2, 7, 150, 350])
        {
            (first, second) = SingularValues.LargestTwo(Matrix.Identity(order));
            Close.Equal([1, 1], [first, second], 1e-12, 0, $"identity of order {order}");
        }
    }

    [Fact]
    public void Rank_one_zero_and_broken_matrices()
    {
        Matrix column = RandomMatrix.Uniform(100, 1, 1);
        (double first, double second) = SingularValues.LargestTwo(column * column.Transpose());

        Assert.Equal(Matrix.Inner(column, column), first, 1e-10);
        Assert.Equal(0, second, 1e-12 * first); // the image of a vector, not the root of an eigenvalue
        foreach (int order in (int[])[4, 60, 400]) // by way of tridiagonal form, and of a space that B does not leave
        {
            Matrix ones = new(order, order + 3);
            Array.Fill(ones.Data, 1);
            (first, second) = SingularValues.LargestTwo(ones);
            Assert.Equal(Math.Sqrt(order * (order + 3.0)), first, 1e-10 * order);
            Assert.Equal(0, second, 1e-12 * first);
        }

        Assert.Equal((0, 0), SingularValues.LargestTwo(new Matrix(80, 90)));
        Assert.Equal((0, 0), SingularValues.LargestTwo(new Matrix(0, 3)));
        Close.Equal(3e200, SingularValues.LargestTwo(Matrix.From(1, 1, [-3e200])).First, 1e-14, 0, "large");
        Assert.Throws<RunFailedException>(() => SingularValues.LargestTwo(Matrix.From(1, 2, [1, double.NaN])));
    }
}
