namespace ILGPU.Runtime;

/// <summary>Threads for the members of a group, kept from launch to launch: the members wait for each other, so each needs its own.</summary>
internal static class MemberThreads
{
    private const int StackSize = 256 * 1024;
    private static readonly Lock Gate = new();
    private static readonly List<Worker> Workers = [];

    /// <summary>Runs body(0..count-1), all at the same time; one launch after another.</summary>
    public static void Run(int count, Action<int> body)
    {
        lock (Gate)
        {
            while (Workers.Count < count) Workers.Add(new Worker(Workers.Count));
            using CountdownEvent done = new(count);
            for (int member = 0; member < count; member++) Workers[member].Start(body, done);
            done.Wait();
        }
    }

    private sealed class Worker
    {
        private readonly SemaphoreSlim start = new(0);
        private Action<int>? body;
        private CountdownEvent? done;

        public Worker(int member)
        {
            Thread thread = new(() => Loop(member), StackSize) { IsBackground = true, Name = $"Group member {member}" };
            thread.Start();
        }

        public void Start(Action<int> body, CountdownEvent done)
        {
            this.body = body;
            this.done = done;
            start.Release();
        }

        private void Loop(int member)
        {
            while (true)
            {
                start.Wait();
                body!(member);
                done!.Signal();
            }
        }
    }
}
