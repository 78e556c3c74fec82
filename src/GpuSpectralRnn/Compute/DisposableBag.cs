using System.Runtime.ExceptionServices;

namespace GpuSpectralRnn.Compute;

/// <summary>Disposes several objects together, in reverse order of adding; all of them, even if one throws.</summary>
public sealed class DisposableBag : IDisposable
{
    private readonly List<IDisposable> things = [];

    /// <summary>Adds an object and returns it.</summary>
    public T Keep<T>(T thing)
        where T : IDisposable
    {
        things.Add(thing);
        return thing;
    }

    /// <summary>A lazily created object, disposed here if it was created and is disposable.</summary>
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
