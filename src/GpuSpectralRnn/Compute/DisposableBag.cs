using System.Runtime.ExceptionServices;

namespace GpuSpectralRnn.Compute;

/// <summary>Ends several things together, the last kept first; each of them, also where one before it fails.</summary>
public sealed class DisposableBag : IDisposable
{
    private readonly List<IDisposable> things = [];

    /// <summary>Keeps something until the end.</summary>
    public T Keep<T>(T thing)
        where T : IDisposable
    {
        things.Add(thing);
        return thing;
    }

    /// <summary>Something that is made when first asked for, and ended here if it ever was and has an end.</summary>
    public Lazy<T> KeepLazy<T>(Func<T> make)
        where T : class => new(() =>
    {
        T made = make();
        if (made is IDisposable thing) things.Add(thing);
        return made;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        ExceptionDispatchInfo? failure = null;
        for (int i = things.Count - 1; i >= 0; i--)
        {
            try
            {
                things[i].Dispose();
            }
            catch (Exception e)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        things.Clear();
        failure?.Throw();
    }
}
