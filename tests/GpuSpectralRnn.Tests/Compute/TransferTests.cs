using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Memory: allocation, copies, views, ends of life.</summary>
public abstract class TransferTests(DeviceFixture device) : OperationTests(device)
{
    [SkippableTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(443)]
    [InlineData(100003)]
    public void Fresh_memory_is_zero_and_holds_what_is_uploaded(int count)
    {
        Tensor x = Zeros(count);
        Assert.All(x.ToArray(), v => Assert.Equal(0, v));
        float[] values = [.. Enumerable.Range(0, count).Select(i => i * 0.5f)];
        x.CopyFrom<float>(values);
        Assert.Equal(values, x.ToArray());
        Backend.Fill(x, -2);
        Assert.All(x.ToArray(), v => Assert.Equal(-2, v));
        Backend.Synchronize();
    }

    [SkippableFact]
    public void Integers_and_doubles_travel_too()
    {
        Assert.Equal([int.MinValue, -1, int.MaxValue], MakeIntegers(int.MinValue, -1, int.MaxValue).ToArray<int>());
        Skip.IfNot(Backend.Device.HasFloat64, "This device has no double precision.");
        Tensor x = Own(Backend.Allocate(new Shape(2), ElementType.Float64));
        x.CopyFrom<double>([Math.PI, -1e300]);
        Assert.Equal([Math.PI, -1e300], x.ToArray<double>());
    }

    [SkippableFact]
    public void Views_share_memory()
    {
        Tensor x = Make([0f, 1, 2, 3, 4, 5], 3, 2);
        Tensor middle = x.Slice(1);
        Assert.Equal([2f, 3], middle.ToArray());
        Backend.Fill(middle, 9);
        Backend.Copy(Make([7f, 8], 2), x.View(4, 2));
        Assert.Equal([0f, 1, 9, 9, 7, 8], x.ToArray());
        Assert.Equal([9f, 7], x.Reshape(6).View(1, 4).View(2, 2).ToArray());
    }

    [SkippableFact]
    public void Copies_agree_in_type_and_count()
    {
        Tensor x = Make([1f, 2, 3], 3);
        Tensor y = Zeros(3);
        Backend.Copy(x, y);
        Backend.Copy(x, x);
        Assert.Equal([1f, 2, 3], y.ToArray());
        Assert.Throws<ArgumentException>(() => Backend.Copy(x, Zeros(2)));
        Assert.Throws<ArgumentException>(() => Backend.Copy(x, MakeIntegers(1, 2, 3)));
        Assert.Throws<ArgumentException>(() => Backend.Copy(x.View(0, 2), x.View(1, 2)));
        Assert.Throws<ArgumentException>(() => x.CopyFrom<float>([1, 2]));
        Assert.Throws<ArgumentException>(() => x.CopyTo<float>(new float[4]));
        Assert.Throws<ArgumentException>(() => x.ToArray<int>());
        Assert.Throws<ArgumentException>(() => Backend.Fill(MakeIntegers(1), 1));
        Assert.Throws<NotSupportedException>(() => x.ToArray<long>());
    }

    [SkippableFact]
    public void What_was_disposed_or_lives_elsewhere_is_refused()
    {
        Tensor x = Backend.Allocate(new Shape(4));
        Tensor view = x.View(1, 2);
        x.Dispose();
        x.Dispose();
        Assert.Throws<ObjectDisposedException>(() => x.ToArray());
        Assert.Throws<ObjectDisposedException>(() => view.ToArray());
        Assert.Throws<ObjectDisposedException>(() => x.View(0, 1));
        Assert.Throws<ObjectDisposedException>(() => Backend.Fill(view, 1));
        Tensor y = Zeros(4);
        Assert.Throws<InvalidOperationException>(() => Backend.Copy(y, Foreign(4)));
        Assert.Throws<InvalidOperationException>(() => Backend.Copy(Foreign(4), y));
        Assert.Throws<InvalidOperationException>(() => Backend.Download(Foreign(1), new float[1].AsSpan()));
    }
}
