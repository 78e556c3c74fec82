using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels.Tests.KernelRules;

/// <summary>What a sample kernel does wrong: a part of the rule's message.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class BreaksAttribute(string rule) : Attribute
{
    public string Rule { get; } = rule;
}

/// <summary>Kernels that break one rule each.</summary>
internal static class BadKernels
{
    private static readonly float[] Table = [1f, 2f];
    private static int counter;

    private interface IScale
    {
        float Apply(float value);
    }

    [KernelEntry, Breaks("makes an object")]
    public static void CapturingLambda(Index1D index, ArrayView<float> view)
    {
        float factor = view[0];
        Func<float, float> scale = value => value * factor;
        view[index] = scale(view[index]);
    }

    [KernelEntry, Breaks("System.Half")]
    public static void SystemHalf(Index1D index, ArrayView<float> view)
    {
        System.Half half = (System.Half)view[index];
        view[index] = (float)half;
    }

    [KernelEntry, Breaks("inline array")]
    public static void InlineArray(Index1D index, ArrayView<float> view)
    {
        Four four = default;
        four[1] = view[index];
        view[index] = four[1];
    }

    [KernelEntry, Breaks("Unsafe.Add")]
    public static void UnsafeAdd(Index1D index, ArrayView<float> view) => Unsafe.Add(ref view[0], index.X) = 1f;

    [KernelEntry, Breaks("Math.Clamp")]
    public static void Clamp(Index1D index, ArrayView<float> view) => view[index] = Math.Clamp(view[index], 0f, 1f);

    [KernelEntry, Breaks("MathF.FusedMultiplyAdd")]
    public static void FusedMultiplyAdd(Index1D index, ArrayView<float> view) => view[index] = MathF.FusedMultiplyAdd(view[index], 2f, 1f);

    [KernelEntry, Breaks("throws")]
    public static void Throws(Index1D index, ArrayView<float> view)
    {
        if (view[index] < 0f) throw new InvalidOperationException();
    }

    [KernelEntry, Breaks("handles exceptions")]
    public static void Catches(Index1D index, ArrayView<float> view)
    {
        try
        {
            view[index] = 1f;
        }
        finally
        {
            view[0] = 2f;
        }
    }

    [KernelEntry, Breaks("makes an object")]
    public static void MakesAnObject(Index1D index, ArrayView<float> view)
    {
        object mark = new();
        if (mark.GetHashCode() == 0) view[index] = 1f;
    }

    [KernelEntry, Breaks("boxes")]
    public static void Boxes(Index1D index, ArrayView<float> view)
    {
        object boxed = view[index];
        view[index] = (float)boxed;
    }

    [KernelEntry, Breaks("pins")]
    public static unsafe void Fixed(Index1D index, ArrayView<float> view)
    {
        fixed (float* start = &view[0]) start[index.X] = 1f;
    }

    [KernelEntry, Breaks("of an object")]
    public static void VirtualCall(Index1D index, ArrayView<float> view)
    {
        IScale scale = default(Doubling);
        view[index] = scale.Apply(view[index]);
    }

    [KernelEntry, Breaks("string")]
    public static void Strings(Index1D index, ArrayView<float> view) => Console.WriteLine("index");

    [KernelEntry, Breaks("whose length is no constant")]
    public static void VariableArray(Index1D index, ArrayView<float> view)
    {
        float[] local = new float[index.X];
        view[index] = local[0];
    }

    [KernelEntry, Breaks("writes the static field")]
    public static void WritesStatic(Index1D index, ArrayView<float> view) => counter = index;

    [KernelEntry, Breaks("reads the variable static field")]
    public static void ReadsStatic(Index1D index, ArrayView<float> view) => view[index] = counter;

    [KernelEntry, Breaks("reads the object in the static field")]
    public static void ReadsStaticObject(Index1D index, ArrayView<float> view) => view[index] = Table[0];

    [KernelEntry, Breaks("calls itself")]
    public static void Recursion(Index1D index, ArrayView<float> view) => view[index] = Factorial(index);

    [KernelEntry, Breaks("which is no value")]
    public static void TakesAnArray(Index1D index, float[] values) => values[index] = 1f;

    [KernelEntry, Breaks("returns a value")]
    public static float Returns(Index1D index, ArrayView<float> view) => view[index];

    [KernelEntry, Breaks("throws")]
    public static void ThroughAStrategy(Index1D index, ArrayView<float> view) => view[index] = Scaled<Refusing>(view[index]);

    [KernelEntry, Breaks("is launched over LongIndex1D")]
    public static void LongIndex(LongIndex1D index, ArrayView<float> view) => view[index.X] = 1f;

    [KernelEntry, Breaks("which CUDA devices")]
    public static void UnmarkedPtx(Index1D index, ArrayView<float> view) => Halve(view[index]);

    [KernelEntry(CudaCapability = 80), Breaks("uses a string")]
    public static void StringBesidePtx(Index1D index, ArrayView<float> view)
    {
        Halve(view[index]);
        view[index] = "text".Length;
    }

    private static void Halve(float value) => CudaAsm.Emit("mul.f32 %0, %0, 0f3F000000;", value);

    private static float Scaled<TScale>(float value)
        where TScale : struct, IScale => default(TScale).Apply(value);

    private static float Factorial(int n) => n < 2 ? 1f : n * Factorial(n - 1);

    // The stand-in has no such type; this one has the name.
    internal readonly struct LongIndex1D
    {
        public long X => 0;
    }

    [InlineArray(4)]
    private struct Four
    {
        private float first;
    }

    private readonly struct Doubling : IScale
    {
        public float Apply(float value) => 2f * value;
    }

    private readonly struct Refusing : IScale
    {
        public float Apply(float value) => value > 0f ? value : throw new InvalidOperationException();
    }
}
