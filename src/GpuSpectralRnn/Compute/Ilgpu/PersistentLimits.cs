using GpuSpectralRnn.Kernels;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>What decides on a device whether a recurrent layer's weights fit on chip.</summary>
/// <param name="Threads">Threads of a group at most.</param>
/// <param name="SharedBytes">Shared memory of a group at most.</param>
/// <param name="Registers">Registers of a group, where the device tells; else 0.</param>
/// <param name="WarpSize">Threads that can shuffle: ILGPU has that for CUDA and its simulator, not for every OpenCL device; there 0.</param>
internal readonly record struct PersistentLimits(int Threads, int SharedBytes, int Registers, int WarpSize)
{
    /// <summary>
    /// A thread keeps 16 columns of 4 rows, 64 numbers, in registers and needs about as many again; a group of more than 512 would have to spill
    /// them, as 65536 registers are all that a multiprocessor has.
    /// </summary>
    private const int MostThreads = 512;

    private const int RegistersOfThread = 128;

    /// <summary>A device's limits.</summary>
    public static PersistentLimits Query(Accelerator accelerator) => accelerator is CudaAccelerator cuda
        ? new(cuda.MaxNumThreadsPerGroup, CudaFunction.SharedBytes(cuda.DeviceId), cuda.TotalNumRegistersPerGroup, cuda.WarpSize)
        : new(accelerator.MaxNumThreadsPerGroup, accelerator.MaxSharedMemoryPerGroup, 0, accelerator is CPUAccelerator ? accelerator.WarpSize : 0);

    /// <summary>A cell's tiles on this device, with so many strips in registers at most.</summary>
    public PersistentTiles Tiles(CellKind cell, int hidden, int registerStrips)
    {
        bool shuffles = WarpSize is 16 or 32 or 64; // whole warps in every group, and the lanes that share rows within one
        int gates = cell.Gates();
        if (gates > 1)
        {
            return new PersistentTiles(
                PersistentTile.GatedForward(gates, hidden, shuffles, registerStrips),
                PersistentTile.GatedBackward(gates, hidden, shuffles, registerStrips));
        }

        PersistentTile tile = PersistentTile.Elman(hidden, shuffles, registerStrips);
        return new PersistentTiles(tile, tile);
    }

    /// <summary>Why the device has no room for a cell; null where it has.</summary>
    public string? Refusal(PersistentTiles tiles) => Refusal(tiles.Forward) ?? Refusal(tiles.Backward);

    private string? Refusal(PersistentTile tile)
    {
        int most = Math.Min(Threads, MostThreads);
        if (tile.Threads > most) return $"it takes groups of {tile.Threads} threads, and {most} is the most";
        if (Registers > 0 && tile.Threads * RegistersOfThread > Registers)
            return $"it takes {tile.Threads * RegistersOfThread} registers, and the device grants a group {Registers}";
        return tile.SharedBytes > SharedBytes
            ? $"it takes {tile.SharedBytes} bytes of shared memory, and the device grants a group {SharedBytes}"
            : null;
    }
}

/// <summary>How a cell's weights are held on chip, each way.</summary>
/// <param name="Forward">Forward.</param>
/// <param name="Backward">Backward.</param>
internal sealed record PersistentTiles(PersistentTile Forward, PersistentTile Backward);
