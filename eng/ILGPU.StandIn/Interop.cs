using System.Runtime.CompilerServices;

namespace ILGPU;

/// <summary>Sizes and bit patterns.</summary>
public static class Interop
{
    /// <summary>The bits of a number.</summary>
    public static uint FloatAsInt(float value) => BitConverter.SingleToUInt32Bits(value);

    /// <summary>The number of some bits.</summary>
    public static float IntAsFloat(uint value) => BitConverter.UInt32BitsToSingle(value);
}
