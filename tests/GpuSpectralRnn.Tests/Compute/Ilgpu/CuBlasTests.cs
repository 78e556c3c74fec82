using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Support;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

public class CuBlasTests
{
    // The call is right where BLAS's own definition, column by column, makes of the same memory what the row-major definition makes.
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void The_column_major_call_computes_the_row_major_product(bool transposeA, bool transposeB)
    {
        const int M = 3, N = 5, K = 4;
        double[] a = Numbers.Normal(M * K, 1).ToDoubles();
        double[] b = Numbers.Normal(K * N, 2).ToDoubles();
        CuBlasCall call = CuBlasCall.From(new(default, default, default, M, N, K, transposeA, transposeB));
        double[] c = new double[M * N];
        for (int row = 0; row < call.Rows; row++)
        {
            for (int column = 0; column < call.Columns; column++)
            {
                for (int k = 0; k < call.Summed; k++)
                {
                    double first = call.First == CuBlasOperation.Transpose ? b[k + row * call.FirstStride] : b[row + k * call.FirstStride];
                    double second = call.Second == CuBlasOperation.Transpose ? a[column + k * call.SecondStride] : a[k + column * call.SecondStride];
                    c[row + column * call.Rows] += first * second;
                }
            }
        }

        Close.Equal(ReferenceMatrix.Gemm(M, N, K, 1, a, transposeA, b, transposeB), c, 1e-14, 1e-14); // the same four products in double precision
    }

    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void A_device_without_it_refuses_to_be_opened_with_it(string device)
    {
        InvalidCallException refused = Assert.Throws<InvalidCallException>(() => Devices.Open(device, blas: ProductBackend.Cublas));
        Assert.Contains("`blas` auto", refused.Message, StringComparison.Ordinal);
        using IBackend backend = Devices.Open(device, threads: 1, blas: ProductBackend.Kernels);
        Assert.Equal(device, backend.Device.Id);
    }
}
