using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute;

/// <summary>A device that can be opened here.</summary>
/// <param name="Info">What it can do.</param>
/// <param name="IsDefault">Whether <c>auto</c> means it.</param>
public sealed record PresentDevice(DeviceInfo Info, bool IsDefault);

/// <summary>
/// The devices of this machine by name: <c>host</c>, <c>ilgpu-cpu</c>, <c>cuda:i</c>, <c>opencl:i</c>; <c>auto</c> is the best of them.
/// </summary>
public static class Devices
{
    /// <summary>The name for the best device: CUDA, else OpenCL on a graphics processor, else the host.</summary>
    public const string Auto = "auto";

    private const string Host = "host";

    /// <summary>Which ILGPU this build has: <c>package 1.5.3</c>.</summary>
    public static string IlgpuVersion => IlgpuDevices.Version;

    /// <summary>
    /// Number of threads for work that always runs on the processor: products, eigenvalues and selections in double precision. Default: one per core.
    /// A set value applies to the current execution context: this thread and the tasks and threads it starts.
    /// </summary>
    /// <exception cref="InvalidCallException">The value is below one.</exception>
    public static int ProcessorThreads
    {
        get => HostParallel.Shared.Count;
        set => HostParallel.Share(value >= 1 ? value : throw new InvalidCallException($"{value} threads: choose 1 or more."));
    }

    /// <summary>
    /// All devices, GPUs first. The first call takes up to a second; devices without a driver are left out.
    /// </summary>
    public static IReadOnlyList<PresentDevice> List()
    {
        DeviceInfo host;
        using (HostBackend backend = new(threads: 1)) host = backend.Device;
        DeviceInfo[] all =
        [
            .. IlgpuDevices.All.Where(device => device.IsGpu).Select(device => device.Info),
            host,
            .. IlgpuDevices.All.Where(device => !device.IsGpu).Select(device => device.Info),
        ];
        string best = BestId();
        return [.. all.Select(info => new PresentDevice(info, info.Id == best))];
    }

    /// <summary>Opens a device; the caller owns the backend.</summary>
    /// <param name="id"><c>auto</c>, <c>host</c>, <c>ilgpu-cpu</c>, <c>cuda[:i]</c> or <c>opencl[:i]</c>.</param>
    /// <param name="threads">Threads of the host backend; 0 for one per core. Other devices do not use them.</param>
    /// <param name="kernels">How recurrent layers take their steps; the host has one way only.</param>
    /// <param name="blas">Who computes matrix products; the host does it itself.</param>
    /// <param name="usesGraphs">Whether launches that come again and again are queued as CUDA graphs; other devices have none.</param>
    /// <exception cref="RunFailedException">The device's driver refuses.</exception>
    /// <exception cref="InvalidCallException">There is no such device here; the message lists those there are.</exception>
    public static IBackend Open(
        string id,
        int threads = 0,
        RecurrentStrategy kernels = RecurrentStrategy.Auto,
        ProductBackend blas = ProductBackend.Auto,
        bool usesGraphs = true)
    {
        string wanted = id switch
        {
            Auto => BestId(),
            "cuda" or "opencl" => $"{id}:0",
            _ => id,
        };
        if (wanted == Host)
        {
            if (kernels == RecurrentStrategy.Persistent)
                throw new InvalidCallException("`kernels` persistent: the host device has none; choose a GPU, or leave it to `kernels` auto.");
            HostBackend host = new(threads);
            if (blas is ProductBackend.Auto or ProductBackend.Kernels) return host;
            using (host)
            {
                throw blas == ProductBackend.KernelsTf32
                    ? IlgpuMatrixOps.NoTensorCores(host.Device)
                    : CuBlasProducts.Absent(host.Device, "it is no CUDA device");
            }
        }

        IlgpuDevice device = IlgpuDevices.All.FirstOrDefault(device => device.Info.Id == wanted)
            ?? throw new InvalidCallException(
                $"There is no device '{id}' here; use {Auto} or one of: {string.Join(", ", List().Select(present => present.Info.Id))}.");
        return IlgpuDevices.Open(device, kernels, blas, usesGraphs);
    }

    /// <summary>The device for one of several processes on this machine, which take those of a kind in turn.</summary>
    /// <param name="id">As <see cref="Open"/> takes it; one with a number stays what it is.</param>
    /// <param name="place">The number of the process on this machine, from 0.</param>
    public static string OfMember(string id, int place)
    {
        if (id is not (Auto or "cuda" or "opencl")) return id;
        string kind = id == Auto ? BestId().Split(':')[0] : id;
        string[] those = [.. IlgpuDevices.All.Select(device => device.Info.Id).Where(own => own.StartsWith($"{kind}:", StringComparison.Ordinal))];
        return those.Length == 0 ? kind : those[place % those.Length];
    }

    /// <summary>The message for an exception that a device's driver raised during work; null for every other exception.</summary>
    public static string? FailureOf(Exception e) => IlgpuDevices.IsFailure(e)
        ? $"the device failed: {e.Message}; what was not saved is lost."
        : null;

    private static string BestId() => IlgpuDevices.All.FirstOrDefault(device => device.IsGpu)?.Info.Id ?? Host;
}
