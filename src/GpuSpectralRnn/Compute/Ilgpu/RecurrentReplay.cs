using GpuSpectralRnn.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Runs a cell that takes one launch a step, and from the second time on the same operands as a graph: a launch costs the host some 2.5 us, so
/// hundreds of steps would keep a fast device waiting. What a graph holds are addresses and extents (<see cref="Operands"/>), never their content.
/// </summary>
internal sealed class RecurrentReplay(RecurrentCell cell, LaunchGraphs graphs, AcceleratorStream stream) : IDisposable
{
    /// <summary>Steps from which on graphs are used: to queue one costs as much as a few launches.</summary>
    internal const int FewestSteps = 8;

    /// <summary>
    /// Forward and backward, with and without lengths (which may lie in two places in turn), from zero and from a state: eight in training on a
    /// stream.
    /// </summary>
    private const int Kept = 12;

    private readonly List<Entry> entries = [];

    /// <summary>All steps forward.</summary>
    public void Forward(in RecurrentOperands operands) => Run(operands, isBackward: false);

    /// <summary>All steps backward.</summary>
    public void Backward(in RecurrentOperands operands) => Run(operands, isBackward: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Entry entry in entries) Release(entry);
        entries.Clear();
    }

    private void Run(in RecurrentOperands operands, bool isBackward)
    {
        if (!cell.IsReplayable || !graphs.IsOn || operands.Walk.Steps < FewestSteps)
        {
            Walk(operands, isBackward);
            return;
        }

        Entry? known = Find(Operands.Of(operands, isBackward));
        LaunchGraph? graph = known is null ? null : known.Graph ??= Record(operands, isBackward);
        if (graph is null || !graphs.Launch(graph)) Walk(operands, isBackward);
    }

    private void Walk(in RecurrentOperands operands, bool isBackward)
    {
        if (isBackward) cell.Backward(stream, operands);
        else cell.Forward(stream, operands);
    }

    private LaunchGraph? Record(RecurrentOperands operands, bool isBackward) => graphs.Record(() => Walk(operands, isBackward));

    // Null where these operands come for the first time: kernels are then launched plainly, as the driver may load them only now.
    private Entry? Find(in Operands operands)
    {
        foreach (Entry entry in entries)
        {
            if (entry.Operands == operands) return entry;
        }

        if (entries.Count == Kept)
        {
            Release(entries[0]);
            entries.RemoveAt(0);
        }

        entries.Add(new Entry(operands));
        return null;
    }

    private void Release(Entry entry)
    {
        if (entry.Graph is { } graph) graphs.Release(graph);
    }

    private sealed class Entry(Operands operands)
    {
        public Operands Operands { get; } = operands;

        public LaunchGraph? Graph { get; set; }
    }

    /// <summary>All that the launches of a walk are made from: two walks with equal ones are the same launches.</summary>
    private readonly record struct Operands(
        bool IsBackward,
        RecurrentWalk Walk,
        bool StartsAtZero,
        int GradientFrom,
        nint Gates,
        nint States,
        nint CellStates,
        nint ProductGradient,
        long ProductGradientLength,
        nint Output,
        nint Weights,
        nint Arranged,
        nint InputBias,
        nint HiddenBias,
        nint Lengths,
        nint OutputGradient,
        nint Carry,
        nint CellCarry)
    {
        public static Operands Of(in RecurrentOperands o, bool isBackward) => new(
            isBackward,
            o.Walk,
            o.StartsAtZero,
            o.GradientFrom,
            Address(o.Views.Gates),
            Address(o.Views.States),
            Address(o.Views.CellStates),
            Address(o.Views.ProductGradient),
            o.Views.ProductGradient.Length,
            Address(o.Views.Output),
            Address(o.Views.Weights),
            Address(o.Arranged),
            Address(o.Views.InputBias),
            Address(o.Views.HiddenBias),
            Address(o.Views.Lengths),
            Address(o.Views.OutputGradient),
            Address(o.Views.Carry),
            Address(o.Views.CellCarry));

        private static nint Address<T>(ArrayView<T> view)
            where T : unmanaged => view.Length == 0 ? 0 : view.LoadEffectiveAddressAsPtr();
    }
}
