using GpuSpectralRnn.Compute;
using Xunit;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// One device for all tests of a collection: its kernels are compiled once, and since a collection's tests run one after the other, one thread at a
/// time uses it. Tests of an absent device are skipped, visibly.
/// </summary>
public abstract class DeviceFixture : IDisposable
{
    private readonly Lazy<IBackend?> backend;

    /// <summary>A device that is opened when first asked for; null where it is absent.</summary>
    protected DeviceFixture(string id, Func<IBackend?> open)
    {
        Id = id;
        backend = new(open);
    }

    /// <summary>The device of this name, if this machine has it.</summary>
    protected DeviceFixture(string id)
        : this(id, () => Devices.List().Any(device => device.Info.Id == id) ? Devices.Open(id) : null)
    {
    }

    /// <summary>The device's name.</summary>
    public string Id { get; }

    /// <summary>The open device; skips the test where there is none.</summary>
    public IBackend Backend
    {
        get
        {
            Skip.If(backend.Value is null, $"This machine has no {Id}.");
            return backend.Value!;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (backend.IsValueCreated) backend.Value?.Dispose();
        GC.SuppressFinalize(this);
    }
}
