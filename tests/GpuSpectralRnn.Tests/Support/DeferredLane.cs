using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// A lane on a device that has none: uploads arrive as late as the contract allows, and those that it does not allow fail. It knows which memory each
/// turn wrote to.
/// </summary>
internal sealed class DeferredLane : IUploadLane
{
    private readonly List<Action> pending = [];
    private HashSet<TensorStorage> previous = [];
    private HashSet<TensorStorage> current = [];

    /// <summary>Completed turns.</summary>
    public int Turns { get; private set; }

    private bool IsOpen { get; set; }

    public void Begin()
    {
        Assert.Empty(pending);
        IsOpen = true;
    }

    public void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged
    {
        Assert.True(IsOpen, "an upload between two turns is not ordered with the work");
        TensorStorage memory = destination.StorageOn(destination.Backend);
        Assert.False(previous.Contains(memory), $"{destination} may still be in use by the work on the batch before");
        Assert.Equal(destination.Count, source.Length);
        current.Add(memory);
        T[] copy = source.ToArray();
        pending.Add(() => destination.CopyFrom<T>(copy));
    }

    public void End()
    {
        Assert.True(IsOpen);
        foreach (Action upload in pending) upload();
        pending.Clear();
        (IsOpen, previous, current) = (false, current, []);
        Turns++;
    }
}
