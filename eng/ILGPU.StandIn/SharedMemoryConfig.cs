using System.Runtime.CompilerServices;

namespace ILGPU;

/// <summary>How much shared memory a launch adds to what the kernel allocates itself.</summary>
public readonly struct SharedMemoryConfig
{
    private SharedMemoryConfig(int count, int elementSize)
    {
        Count = count;
        ElementSize = elementSize;
    }

    internal int Count { get; }

    internal int ElementSize { get; }

    /// <summary>Asks for some elements of a type, one or more.</summary>
    public static SharedMemoryConfig RequestDynamic<T>(int numElements)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(numElements, 1);
        return new SharedMemoryConfig(numElements, Unsafe.SizeOf<T>());
    }
}
