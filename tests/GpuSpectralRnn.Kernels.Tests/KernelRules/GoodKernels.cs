using ILGPU;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels.Tests.KernelRules;

/// <summary>
/// A kernel with what ILGPU does take: a generic strategy, local arrays of constant length, constants, tuples, references, mathematics, shared
/// memory.
/// </summary>
internal static class GoodKernels
{
    private static readonly int Offset = 1;

    private interface IScale
    {
        static abstract float Factor { get; }

        float Apply(float value);
    }

    [KernelEntry]
    public static void Everything(ArrayView<float> view)
    {
        ArrayView<float> shared = SharedMemory.Allocate<float>(32);
        int thread = Group.IdxX;
        shared[thread] = Scaled<Doubling>(view[(Grid.IdxX * Group.DimX) + thread]);
        Group.Barrier();
        (float low, float high) = Range(shared[0], shared[Offset]);
        float[] local = new float[2];
        local[0] = MathF.Sqrt(Math.Max(low, 0f));
        local[1] = MathF.Exp(high);
        Increase(ref local[1]);
        if (float.IsFinite(local[1])) view[(Grid.IdxX * Group.DimX) + thread] = local[0] + local[1];
    }

    [KernelEntry(CudaCapability = 80)]
    public static void InlinePtx(ArrayView<float> view)
    {
        CudaAsm.Emit(".reg .f32 kept;");
        CudaAsm.Emit("mov.f32 kept, %0;", view[Group.IdxX]);
        CudaAsm.Emit("mov.f32 %0, kept;", out view[Group.IdxX]);
    }

    private static float Scaled<TScale>(float value)
        where TScale : struct, IScale => default(TScale).Apply(value) * TScale.Factor;

    private static (float Low, float High) Range(float a, float b) => a < b ? (a, b) : (b, a);

    private static void Increase(ref float value) => value += 1f;

    private readonly struct Doubling : IScale
    {
        public static float Factor => 0.5f;

        public float Apply(float value) => 2f * value;
    }
}
