using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// One device for all tests of a collection or a class: its kernels are compiled once, and since such tests run one after the other, one thread at a
/// time uses it. Tests of an absent device are skipped, visibly.
/// </summary>
public abstract class DeviceFixture : IDisposable
{
    private readonly Lazy<IBackend?> backend;

    /// <summary>A device that is opened when first asked for; null where it is absent.</summary>
    protected DeviceFixture(string name, Func<IBackend?> open)
    {
        Name = name;
        backend = new(open);
    }

    /// <summary>The device of this id, if this machine has it, or another in its place.</summary>
    protected DeviceFixture(string id, RecurrentStrategy kernels = RecurrentStrategy.Auto, Func<IBackend?>? otherwise = null)
        : this(id, () => Devices.List().Any(device => device.Info.Id == id) ? Devices.Open(id, kernels: kernels) : otherwise?.Invoke())
    {
    }

    /// <summary>The first CUDA device with these products; none where it is absent or does not grant them.</summary>
    protected DeviceFixture(ProductBackend blas)
        : this($"cuda:0 with {blas}", () => OpenIfGranted(blas))
    {
    }

    /// <summary>What is skipped where it is absent.</summary>
    public string Name { get; }

    /// <summary>The open device; skips the test where there is none.</summary>
    public IBackend Backend
    {
        get
        {
            Skip.If(backend.Value is null, $"This machine has no {Name}.");
            return backend.Value!;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (backend.IsValueCreated) backend.Value?.Dispose();
        GC.SuppressFinalize(this);
    }

    private static IBackend? OpenIfGranted(ProductBackend blas)
    {
        try
        {
            return Devices.Open("cuda:0", blas: blas);
        }
        catch (InvalidCallException)
        {
            return null;
        }
    }
}
