using System.Collections.Immutable;
using ILGPU.Runtime;

namespace ILGPU;

/// <summary>How hard kernels are optimised; here of no effect.</summary>
public enum OptimizationLevel
{
    /// <summary>Not at all.</summary>
    O0 = 0,

    /// <summary>The usual.</summary>
    O1,

    /// <summary>More.</summary>
    O2,
}

/// <summary>The devices there are.</summary>
public sealed class Context : IDisposable
{
    private Context(ImmutableArray<Device> devices) => Devices = devices;

    /// <summary>All devices.</summary>
    public ImmutableArray<Device> Devices { get; }

    /// <summary>Makes a context.</summary>
    public static Context Create(Action<Builder> buildingCallback)
    {
        Builder builder = new();
        buildingCallback(builder);
        return new Context([.. builder.Devices]);
    }

    /// <summary>All devices of one kind.</summary>
    public DeviceCollection<TDevice> GetDevices<TDevice>()
        where TDevice : Device => new([.. Devices.OfType<TDevice>()]);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Says which devices a context should have.</summary>
    public sealed class Builder
    {
        internal List<Device> Devices { get; } = [];

        /// <summary>How hard kernels are optimised.</summary>
        public Builder Optimize(OptimizationLevel level) => this;
    }

    /// <summary>Devices of one kind.</summary>
    public readonly ref struct DeviceCollection<TDevice>
        where TDevice : Device
    {
        private readonly TDevice[] devices;

        internal DeviceCollection(TDevice[] devices) => this.devices = devices;

        /// <summary>One of them.</summary>
        public TDevice this[int deviceIndex] => devices[deviceIndex];

        /// <summary>For foreach.</summary>
        public Enumerator GetEnumerator() => new(devices);

        /// <summary>For foreach.</summary>
        public ref struct Enumerator
        {
            private readonly TDevice[] devices;
            private int position = -1;

            internal Enumerator(TDevice[] devices) => this.devices = devices;

            /// <summary>The device it stands at.</summary>
            public readonly TDevice Current => devices[position];

            /// <summary>Goes to the next.</summary>
            public bool MoveNext() => ++position < devices.Length;
        }
    }
}
