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

    private static byte[] Golden => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "keras-gru.weights.h5"));

    private byte[] Config => JsonSerializer.SerializeToUtf8Bytes(sample.Config());
}
