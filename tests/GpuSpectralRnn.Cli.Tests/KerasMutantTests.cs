using System.Text;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Keras;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Damaged files of Keras (<see cref="Mutants"/>): HDF5 as PureHDF and as h5py writes it, configurations, archives.</summary>
public sealed class KerasMutantTests : IDisposable
{
    private readonly Folder folder = new();
    private readonly HostBackend backend = new(1);
    private readonly KerasSample sample = new("GRU");

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Weights() => Mutants.Check(1, folder["bad.weights.h5"], path => KerasImport.Read(path, backend, Cell.Gru).Dispose(), sample.Weights(), Golden);

    [Fact]
    public void Archives()
    {
        sample.Save(folder["sound.keras"]);
        KerasSample.Zip(folder["packed.keras"], ("config.json", Config), ("model.weights.h5", Golden));
        byte[][] sound = [File.ReadAllBytes(folder["sound.keras"]), File.ReadAllBytes(folder["packed.keras"])];
        Mutants.Check(2, folder["bad.keras"], path => KerasImport.Read(path, backend).Dispose(), sound);
    }

    [Fact]
    public void Configurations() => Mutants.Check(3, folder["config.json"], path =>
    {
        KerasSample.Zip(folder["bad.keras"], ("config.json", File.ReadAllBytes(path)), ("model.weights.h5", Golden));
        KerasImport.Read(folder["bad.keras"], backend).Dispose();
    }, Config);

    // By chance a damaged file hardly ever says so: nodes that are their own children, names of 2 GB, a header that goes on at its start.
    [Theory]
    [InlineData("TREE", 5, new byte[] { 1 })]
    [InlineData("HEAP", 8, new byte[] { 0, 0, 0, 0x7F })]
    [InlineData("HEAP", 24, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF })]
    [InlineData("SNOD", 6, new byte[] { 0xFF, 0xFF })]
    [InlineData("SNOD", 16, new byte[] { 0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F })]
    public void Groups_that_do_not_lie_in_the_file_are_refused(string signature, int offset, byte[] bytes)
    {
        byte[] file = Golden;
        int node = file.AsSpan().IndexOf(Encoding.ASCII.GetBytes(signature));
        if (signature == "TREE") BitConverter.GetBytes((long)node).CopyTo(file, node + 32); // its first child
        bytes.CopyTo(file, node + offset);
        File.WriteAllBytes(folder["bad.weights.h5"], file);
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Contains("groups", Assert.Throws<BrokenFileException>(() => KerasImport.Read(folder["bad.weights.h5"], backend, Cell.Gru)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static byte[] Golden => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "keras-gru.weights.h5"));

    private byte[] Config => JsonSerializer.SerializeToUtf8Bytes(sample.Config());
}
