namespace GpuSpectralRnn.Compute;

/// <summary>Ends several things together.</summary>
internal sealed class Disposables : IDisposable
{
    private readonly List<IDisposable> things = [];

    /// <summary>Keeps something until the end.</summary>
    public T Keep<T>(T thing)
        where T : IDisposable
    {
        things.Add(thing);
        return thing;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable thing in things) thing.Dispose();
    }
}
