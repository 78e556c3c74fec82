using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>
/// Base of the tests that every backend answers; Bindings.cs gives each operation's tests every device. Where a device is absent its
/// <see cref="Backend"/> skips.
/// </summary>
public abstract class OperationTests(DeviceFixture? device = null) : IDisposable
{
    private readonly List<IDisposable> owned = [];

    /// <summary>The backend under test.</summary>
    protected virtual IBackend Backend => device!.Backend;

    /// <summary>Ends the tensors of the test.</summary>
    public void Dispose()
    {
        foreach (IDisposable thing in owned) thing.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps something until the test ends.</summary>
    protected T Own<T>(T thing)
        where T : IDisposable
    {
        owned.Add(thing);
        return thing;
    }

    /// <summary>A tensor of zeros.</summary>
    protected Tensor Zeros(params int[] extents) => Own(Backend.Allocate(new Shape(extents)));

    /// <summary>A tensor of these values.</summary>
    protected Tensor Make(float[] values, params int[] extents)
    {
        Tensor tensor = Zeros(extents);
        tensor.CopyFrom<float>(values);
        return tensor;
    }

    /// <summary>A tensor of these values in single precision.</summary>
    protected Tensor Make(double[] values, params int[] extents) => Make(Array.ConvertAll(values, x => (float)x), extents);

    /// <summary>A tensor of integers.</summary>
    protected Tensor MakeIntegers(params int[] values)
    {
        Tensor tensor = Own(Backend.Allocate(new Shape(values.Length), ElementType.Int32));
        tensor.CopyFrom<int>(values);
        return tensor;
    }

    /// <summary>A tensor of standard normal numbers.</summary>
    protected Tensor Random(int seed, params int[] extents) => Make(Numbers.Normal(new Shape(extents).Count, seed), extents);

    /// <summary>A tensor of NaN: what must be overwritten without being read.</summary>
    protected Tensor Garbage(params int[] extents)
    {
        Tensor tensor = Zeros(extents);
        Backend.Fill(tensor, float.NaN);
        return tensor;
    }

    /// <summary>A tensor that lives elsewhere.</summary>
    protected Tensor Foreign(params int[] extents) => Own(Own(new HostBackend(1)).Allocate(new Shape(extents)));

    /// <summary>A tensor that is no more.</summary>
    protected Tensor Disposed(params int[] extents)
    {
        Tensor tensor = Backend.Allocate(new Shape(extents));
        tensor.Dispose();
        return tensor;
    }
}
