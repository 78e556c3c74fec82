using GpuSpectralRnn.Kernels;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// Runs a cell that takes one launch a step, and from the second time on the same operands as a graph: a launch costs the host some 2.5 us, so
/// hundreds of steps would keep a fast device waiting. What a graph holds are addresses and extents (<see cref="LaunchKey{TArguments}"/>), never their content.
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
    private readonly long[] asked = new long[LaunchKey<RecurrentOperands>.Words];

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

        Entry? known = Find(operands, isBackward);
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
    private Entry? Find(in RecurrentOperands operands, bool isBackward)
    {
        LaunchKey<RecurrentOperands>.Fill(operands, asked);
        foreach (Entry entry in entries)
        {
            if (entry.IsBackward == isBackward && entry.Key.AsSpan().SequenceEqual(asked)) return entry;
        }

        if (entries.Count == Kept)
        {
            Release(entries[0]);
            entries.RemoveAt(0);
        }

        entries.Add(new Entry(isBackward, [.. asked]));
        return null;
    }

    private void Release(Entry entry)
    {
        if (entry.Graph is { } graph) graphs.Release(graph);
    }

    private sealed class Entry(bool isBackward, long[] key)
    {
        public bool IsBackward { get; } = isBackward;

        public long[] Key { get; } = key;

        public LaunchGraph? Graph { get; set; }
    }
}
