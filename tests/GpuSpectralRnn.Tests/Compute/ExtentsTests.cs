using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Extents whose product does not fit 32 bits: an error that says what to do, and no memory of a wrong size.</summary>
public class ExtentsTests
{
    [Fact]
    public void Products_are_exact_up_to_what_an_array_holds()
    {
        Assert.Equal(Array.MaxLength, Extents.Product("x", "y", Array.MaxLength, 1));
        Assert.Equal(0, Extents.Product("x", "y", int.MaxValue, int.MaxValue, 0));
        Assert.Equal(1, Extents.Product("x", "y"));
        string message = Assert.Throws<InvalidCallException>(() => Extents.Product("A thing", "take less", 65536, 65536)).Message;
        Assert.Equal($"A thing would have 4294967296 numbers in one piece, more than {Array.MaxLength}; take less.", message);
        Assert.Throws<InvalidCallException>(() => Extents.Product("x", "y", int.MaxValue, int.MaxValue, int.MaxValue));
    }

    // 65536^2 wraps around to zero: an empty matrix would pass for one of this order.
    [Fact]
    public void Large_matrices_are_refused_by_name()
    {
        Assert.Contains("65536 x 65536", Assert.Throws<InvalidCallException>(() => new Matrix(65536, 65536)).Message);
        foreach (string device in (string[])["host", "ilgpu-cpu"])
        {
            using IBackend backend = Devices.Open(device);
            Assert.Throws<ArgumentException>(() => backend.Spectral.SymmetricEigen(new(65536, [], new double[65536], [])));
            Assert.Throws<ArgumentException>(() => backend.Spectral.SymmetricEigen(new(-1, [], [], [])));
        }

        using IBackend host = Devices.Open("host");
        Assert.Contains("65536 units", Assert.Throws<InvalidCallException>(() => host.Spectral.CreateGram(65536)).Message);
    }
}
