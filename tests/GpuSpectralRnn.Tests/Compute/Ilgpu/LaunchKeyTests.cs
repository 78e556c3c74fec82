using System.Reflection;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>The key of a replayed graph sees every field of the operands, those that are added one day too.</summary>
[Collection("ilgpu-cpu")]
public sealed class LaunchKeyTests(IlgpuCpuDevice device)
{
    [Fact]
    public void Every_field_of_the_views_changes_the_key()
    {
        IlgpuBackend backend = (IlgpuBackend)device.Backend;
        using Tensor numbers = backend.Allocate(new Shape(8)), integers = backend.Allocate(new Shape(8), ElementType.Int32);
        FieldInfo[] fields = typeof(RecurrentViews).GetFields();
        object views = new RecurrentViews();
        foreach (FieldInfo field in fields) field.SetValue(views, View(field, 0, 4));
        long[] key = Key(views);

        Assert.Equal(15, fields.Length);
        Assert.Equal(key, Key(views));
        foreach (FieldInfo field in fields)
        {
            foreach ((int at, int count) in ((int, int)[])[(1, 4), (0, 3), (0, 0)]) // another address, another length, nothing
            {
                field.SetValue(views, View(field, at, count));
                Assert.NotEqual(key, Key(views));
            }

            field.SetValue(views, View(field, 0, 4));
        }

        Assert.Equal(key, Key(views));

        object View(FieldInfo field, int at, int count) => count == 0
            ? Activator.CreateInstance(field.FieldType)!
            : field.FieldType == typeof(ILGPU.ArrayView<int>) ? backend.View<int>(integers.View(at, count)) : backend.View(numbers.View(at, count));

        static long[] Key(object views)
        {
            long[] words = new long[LaunchKey<RecurrentOperands>.Words];
            LaunchKey<RecurrentOperands>.Fill(
                new() { Walk = new RecurrentWalk(9, 1, 1, false), Views = (RecurrentViews)views, Arranged = default }, words);
            return words;
        }
    }

    [Fact]
    public void Numbers_count_and_what_has_no_key_is_refused()
    {
        Assert.NotEqual(Key(new() { Steps = 1 }), Key(new() { Steps = 2 }));
        Assert.NotEqual(Key(new() { Factor = 1 }), Key(new() { Factor = -1 }));
        Assert.NotEqual(Key(new() { IsReverse = true }), Key(new()));
        Exception refused = Assert.ThrowsAny<Exception>(() => LaunchKey<Unknown>.Words);
        Assert.Contains("no key", refused.GetBaseException().Message);

        static long[] Key(Plain plain)
        {
            long[] words = new long[LaunchKey<Plain>.Words];
            LaunchKey<Plain>.Fill(plain, words);
            return words;
        }
    }

    private struct Plain
    {
        public int Steps;
        public float Factor;
        public bool IsReverse;
    }

    private struct Unknown
    {
        public string Name;

        public Unknown(string name) => Name = name;
    }
}
