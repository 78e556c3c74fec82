using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Host;

/// <summary>Products that skip blocks of zeros on the processor, against sums in double precision.</summary>
public unsafe class BlockProductTests
{
    [Theory]
    [InlineData(1, 64, 64, 8, 0.1)]
    [InlineData(2, 64, 64, 8, 0.3)]
    [InlineData(7, 65, 67, 8, 0.2)]
    [InlineData(13, 128, 443, 16, 0.1)]
    [InlineData(64, 136, 96, 4, 0.1)]
    [InlineData(9, 72, 200, 8, 0)]
    public void Weights_with_zero_blocks_give_the_dense_product(int rows, int k, int columns, int block, double density)
    {
        using HostParallel threads = new(2);
        foreach (bool isTransposed in (bool[])[true, false])
        {
            float[] w = Weights(k, columns, block, density, isTransposed), a = Numbers.Normal(rows * k, 3), add = Numbers.Normal(rows * columns, 4),
                c = new float[rows * columns];
            using PackedWeights packed = new(k, columns);
            fixed (float* wp = w, ap = a, addp = add, cp = c)
            {
                packed.Pack(threads, wp, isTransposed);
                Assert.True(packed.SkipsBlocks);
                packed[0].Multiply(rows, ap, k, cp, columns, addp, columns);
                Close.Equal(Reference(add), c, 1e-5, 1e-5, "product"); // sums of up to 443 numbers
                packed[0].Multiply(rows, ap, k, cp, columns, null, 0);
                Close.Equal(Reference(new float[add.Length]), c, 1e-5, 1e-5, "without addend");
            }

            double[] Reference(float[] addend)
            {
                double[] result = new double[rows * columns];
                for (int i = 0; i < rows; i++)
                {
                    for (int j = 0; j < columns; j++)
                    {
                        double sum = addend[(i * columns) + j];
                        for (int l = 0; l < k; l++) sum += (double)a[(i * k) + l] * w[isTransposed ? (j * k) + l : (l * columns) + j];
                        result[(i * columns) + j] = sum;
                    }
                }

                return result;
            }
        }
    }

    [Fact]
    public void Dense_and_small_weights_are_not_searched_through()
    {
        using HostParallel threads = new(1);
        foreach ((int k, int columns, double density) in (ReadOnlySpan<(int, int, double)>)[(64, 64, 1), (64, 64, 0.9), (16, 16, 0.1),
            (8, 1024, 0.1)])
        {
            using PackedWeights packed = new(k, columns);
            fixed (float* w = Weights(k, columns, 8, density, true)) packed.Pack(threads, w, isTransposed: true);
            Assert.False(packed.SkipsBlocks);
        }
    }

    private static float[] Weights(int k, int columns, int block, double density, bool isTransposed)
    {
        Matrix blocks = density >= 1 ? KnownOnes((columns + block - 1) / block, (k + block - 1) / block)
            : UniformMask.Draw((columns + block - 1) / block, (k + block - 1) / block,
                (int)(density * ((columns + block - 1) / block) * ((k + block - 1) / block)), 5);
        Matrix mask = new BlockExtent(block, block).Spread(blocks, columns, k);
        float[] values = Numbers.Normal(k * columns, 2);
        for (int i = 0; i < columns; i++)
            for (int l = 0; l < k; l++) values[isTransposed ? (i * k) + l : (l * columns) + i] *= (float)mask[i, l];
        return values;
    }

    private static Matrix KnownOnes(int rows, int columns)
    {
        Matrix ones = new(rows, columns);
        Array.Fill(ones.Data, 1);
        return ones;
    }
}
