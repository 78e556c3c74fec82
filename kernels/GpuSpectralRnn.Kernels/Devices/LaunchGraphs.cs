using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The launch graphs of one stream (CUDA only). After the first refusal by the driver no more graphs are made, and callers launch kernel by kernel.
/// </summary>
public sealed class LaunchGraphs : IDisposable
{
    private readonly Func<Action, LaunchGraph>? record;
    private readonly HashSet<LaunchGraph> alive = [];

    /// <summary>
    /// Graphs captured by <paramref name="record"/>, which throws <see cref="NotSupportedException"/> if it cannot; null: no graphs.
    /// </summary>
    public LaunchGraphs(Func<Action, LaunchGraph>? record)
    {
        this.record = record;
        IsOn = record is not null;
    }

    /// <summary>Whether graphs can be recorded.</summary>
    public bool IsOn { get; private set; }

    /// <summary>The driver's reason for the refusal; null if there was none.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Number of graphs recorded so far.</summary>
    public int Recorded { get; private set; }

    /// <summary>Number of launches of graphs so far.</summary>
    public long Launched { get; private set; }

    /// <summary>Graphs of a stream; none if it is not a CUDA stream or they are not wanted.</summary>
    public static LaunchGraphs Create(Accelerator accelerator, AcceleratorStream stream, bool areWanted) =>
        new(areWanted && stream is CudaStream cuda ? launches => CudaGraph.Record(accelerator, cuda, launches) : null);

    /// <summary>
    /// Captures what <paramref name="launches"/> queues on the stream, without running it. Kernels must be loaded; it must not allocate or
    /// synchronise. Null if graphs are off or the driver refuses.
    /// </summary>
    public LaunchGraph? Record(Action launches)
    {
        if (!IsOn) return null;
        try
        {
            LaunchGraph graph = record!(launches);
            alive.Add(graph);
            Recorded++;
            return graph;
        }
        catch (NotSupportedException refused)
        {
            return Refuse(refused);
        }
    }

    /// <summary>Queues a graph; false if the driver refuses, and then nothing was queued.</summary>
    public bool Launch(LaunchGraph graph)
    {
        if (!IsOn) return false;
        try
        {
            graph.Launch();
            Launched++;
            return true;
        }
        catch (NotSupportedException refused)
        {
            Refuse(refused);
            return false;
        }
    }

    /// <summary>Disposes a graph.</summary>
    public void Release(LaunchGraph graph)
    {
        if (alive.Remove(graph)) graph.Dispose();
    }

    /// <summary>Disposes all graphs; the device must still exist.</summary>
    public void Dispose()
    {
        IsOn = false;
        foreach (LaunchGraph graph in alive) graph.Dispose();
        alive.Clear();
    }

    private LaunchGraph? Refuse(NotSupportedException refused)
    {
        IsOn = false;
        Refusal = refused.Message;
        return null;
    }
}
