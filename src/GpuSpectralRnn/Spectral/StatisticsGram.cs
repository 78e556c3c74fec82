using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;

namespace GpuSpectralRnn.Spectral;

/// <summary>Second moments of rows, summed where they live.</summary>
internal static class StatisticsGram
{
    /// <summary>Empty sums for rows of <paramref name="units"/> numbers; the caller owns them.</summary>
    public static GramSums On(IBackend backend, int units) => backend switch
    {
        HostBackend host => host.Spectral.CreateGram(units),
        IlgpuBackend device => device.Spectral.CreateGram(units),
        _ => throw new InvalidCallException($"{backend.Device.Id} sums no second moments."),
    };
}
