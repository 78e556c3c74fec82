using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The launch graphs of one stream, where its device has any: CUDA's. If the driver refuses one thing, there are none from then on, and the caller
/// launches kernel by kernel as before.
/// </summary>
public sealed class LaunchGraphs : IDisposable
{
    private readonly Func<Action, LaunchGraph>? record;
    private readonly HashSet<LaunchGraph> alive = [];

    /// <summary>
    /// Graphs that <paramref name="record"/> takes down, throwing <see cref="NotSupportedException"/> where it cannot; null for none.
    /// </summary>
    public LaunchGraphs(Func<Action, LaunchGraph>? record)
    {
        this.record = record;
        IsOn = record is not null;
    }

    /// <summary>Whether graphs are to be had.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Why there are none any more; null where nothing was refused.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Graphs taken down so far.</summary>
    public int Recorded { get; private set; }

    /// <summary>How often one was queued.</summary>
    public long Launched { get; private set; }

    /// <summary>Those of a stream, if it is one of CUDA's and they are wanted.</summary>
    public static LaunchGraphs Create(Accelerator accelerator, AcceleratorStream stream, bool areWanted) =>
        new(areWanted && stream is CudaStream cuda ? launches => CudaGraph.Record(accelerator, cuda, launches) : null);

    /// <summary>
    /// Takes down what <paramref name="launches"/> queues on the stream: kernels that are loaded, no allocation, no waiting. Nothing of it runs. Null
    /// where that cannot be.
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

    /// <summary>Queues a graph; false, and nothing is queued, where the driver refuses.</summary>
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

    /// <summary>Gives a graph back.</summary>
    public void Release(LaunchGraph graph)
    {
        if (alive.Remove(graph)) graph.Dispose();
    }

    /// <summary>Gives all graphs back, while the device lives.</summary>
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
