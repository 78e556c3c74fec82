namespace ILGPU.Runtime.Cuda;

/// <summary>Inline PTX, which only NVIDIA devices run; here every statement refuses.</summary>
public static class CudaAsm
{
    /// <summary>A statement without operands.</summary>
    public static void Emit(string asm) => throw Refused();

    /// <summary>A statement that reads a number.</summary>
    public static void Emit<T0>(string asm, T0 arg0)
        where T0 : struct => throw Refused();

    /// <summary>A statement that writes a number.</summary>
    public static void Emit<T0>(string asm, out T0 arg0)
        where T0 : struct => throw Refused();

    /// <summary>A statement that reads two numbers.</summary>
    public static void Emit<T0, T1>(string asm, T0 arg0, T1 arg1)
        where T0 : struct
        where T1 : struct => throw Refused();

    /// <summary>A statement that reads four numbers.</summary>
    public static void Emit<T0, T1, T2, T3>(string asm, T0 arg0, T1 arg1, T2 arg2, T3 arg3)
        where T0 : struct
        where T1 : struct
        where T2 : struct
        where T3 : struct => throw Refused();

    private static NotSupportedException Refused() => new("Inline PTX runs on NVIDIA devices only.");
}
