using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace ILGPU;

/// <summary>Memory that the members of a group share.</summary>
public static class SharedMemory
{
    /// <summary>The array of this allocation; all members must make the same allocations in the same order.</summary>
    public static ArrayView<T> Allocate<T>(int extent)
        where T : unmanaged => new(GroupMember.Current.Allocate(extent, Unsafe.SizeOf<T>()), 0, extent);

    /// <summary>The array that the launch asked for.</summary>
    public static ArrayView<T> GetDynamic<T>()
        where T : unmanaged
    {
        MemoryBuffer memory = GroupMember.Current.DynamicMemory();
        return new ArrayView<T>(memory, 0, memory.LengthInBytes / Unsafe.SizeOf<T>());
    }
}
