using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training.Replicas;

/// <summary>Runs the members of a group as threads of this process.</summary>
internal static class Group
{
    /// <summary>Runs the work at every member; the first failure ends the others and is thrown.</summary>
    public static void Run(int size, Action<IReplicas> work) => Run<object?>(size, replicas =>
    {
        work(replicas);
        return null;
    });

    /// <summary>Runs the work at every member and gives what each returns, in the order of ranks.</summary>
    public static T[] Run<T>(int size, Func<IReplicas, T> work)
    {
        IReadOnlyList<ThreadReplicas> members = ThreadReplicas.Create(size);
        T[] results = new T[size];
        Exception? first = null;
        Thread[] threads = [.. members.Select(member => new Thread(() =>
        {
            try
            {
                results[member.Rank] = work(member);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref first, e, null);
                member.Abort(1, e.Message);
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        return first is null ? results : throw new AggregateException(first);
    }
}
