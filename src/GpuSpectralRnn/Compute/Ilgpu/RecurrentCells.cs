using GpuSpectralRnn.Kernels;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Chooses for each layer the kernels that take its steps, and loads them once. Persistent kernels are chosen on graphics processors wherever they
/// fit (<see cref="PersistentLimits"/>) and the driver takes them; where a processor plays the device, only when told to: its barriers cost more than
/// launches.
/// </summary>
internal sealed class RecurrentCells(IlgpuBackend backend, Gemm gemm)
{
    /// <summary>
    /// What a thread may spill before fewer weights in registers are better: 16 numbers, stored and loaded once a step, in a thousand instructions.
    /// </summary>
    internal const int ToleratedSpill = 64;

    private const int ManyStrips = 4;
    private const int FewStrips = 2;
    private const string DriverRefused = "its driver refuses the kernel";

    private readonly Dictionary<CellKind, RecurrentCell> stepwise = [];
    private readonly Dictionary<(CellKind Cell, int Units), RecurrentCell?> persistent = [];

    /// <summary>The kernels for layers of a shape.</summary>
    /// <exception cref="InvalidCallException">Persistent kernels were asked for and cannot be.</exception>
    public RecurrentCell For(RecurrentShape shape)
    {
        bool wantsPersistent = backend.Kernels == RecurrentStrategy.Persistent
            || (backend.Kernels == RecurrentStrategy.Auto && backend.Loader.SharesMemory);
        return (wantsPersistent ? PersistentFor(shape) : null) ?? StepwiseFor(shape);
    }

    private RecurrentCell StepwiseFor(RecurrentShape shape)
    {
        if (stepwise.TryGetValue(shape.Cell, out RecurrentCell? known)) return known;
        return stepwise[shape.Cell] = shape.Spec.Stepwise(backend.Loader, gemm, backend.Kernels == RecurrentStrategy.Blocks);
    }

    private RecurrentCell? PersistentFor(RecurrentShape shape)
    {
        if (shape.Spec.Persistent is not { } load) return Refuse(shape, "there are no such kernels of that cell");
        PersistentLimits limits = PersistentLimits.Query(backend.Accelerator);
        PersistentTiles tiles = limits.Tiles(shape.Cell, shape.Hidden, ManyStrips);
        if (limits.Refusal(tiles) is { } refusal) return Refuse(shape, refusal);
        (CellKind, int) key = (shape.Cell, tiles.Forward.Units);
        if (persistent.TryGetValue(key, out RecurrentCell? known)) return known ?? Refuse(shape, DriverRefused);
        persistent[key] = null;
        try
        {
            RecurrentCell loaded = persistent[key] = load(backend.Loader, tiles);

            // Registers ran out: with fewer weights in them, and more in shared memory, they may not.
            PersistentTiles leaner = limits.Tiles(shape.Cell, shape.Hidden, FewStrips);
            if (loaded.SpilledBytes > ToleratedSpill && limits.Refusal(leaner) is null)
            {
                RecurrentCell lean = load(backend.Loader, leaner);
                if (lean.SpilledBytes < loaded.SpilledBytes) persistent[key] = lean;
            }

            return persistent[key];
        }
        catch (Exception refused) when (refused is NotSupportedException or AcceleratorException)
        {
            return persistent[key] ?? Refuse(shape, refused is AcceleratorException ? DriverRefused : refused.Message);
        }
    }

    private RecurrentCell? Refuse(RecurrentShape shape, string why) => backend.Kernels == RecurrentStrategy.Auto
        ? null
        : throw new InvalidCallException(
            $"`kernels` persistent: {shape.Cell} with {shape.Hidden} units does not fit on {backend.Device.Id}: {why}; choose auto or stepwise.");
}
