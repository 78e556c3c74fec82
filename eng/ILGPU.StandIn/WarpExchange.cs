using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ILGPU;

/// <summary>
/// Values that the lanes of one warp hand to each other. Two sets of slots take turns: a lane that writes for the third time knows that all have
/// read what it wrote at first.
/// </summary>
internal sealed class WarpExchange(int lanes, Func<bool> hasFailed)
{
    private const int SlotSize = 16;
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(50);
    private readonly byte[] slots = new byte[2 * lanes * SlotSize];
    private (int Group, int Shuffle) place;
    private int waiting;
    private int finished;
    private long rounds;

    /// <summary>
    /// Gives <paramref name="value"/> and takes what lane <paramref name="source"/> gives in the same call, its shuffle in its group.
    /// </summary>
    public T Exchange<T>(int lane, T value, int source, (int Group, int Shuffle) at)
        where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() > SlotSize) throw new NotSupportedException($"A shuffle of {Unsafe.SizeOf<T>()} bytes; the stand-in takes {SlotSize}.");
        if (source < 0 || source >= lanes) throw new InvalidOperationException($"A shuffle from lane {source} of a warp of {lanes}.");
        lock (slots)
        {
            if (waiting == 0) place = at;
            if (place != at) throw Diverged();
            long mine = rounds;
            int set = (int)(mine & 1) * lanes;
            MemoryMarshal.Write(slots.AsSpan((set + lane) * SlotSize), in value);
            if (++waiting == lanes)
            {
                waiting = 0;
                rounds++;
                Monitor.PulseAll(slots);
            }

            while (rounds == mine)
            {
                if (finished > 0) throw Diverged();
                if (hasFailed()) throw new OperationCanceledException("Another member of the group failed.");
                Monitor.Wait(slots, Glance);
            }

            return MemoryMarshal.Read<T>(slots.AsSpan((set + source) * SlotSize));
        }
    }

    /// <summary>One lane ran to its end.</summary>
    public void Finish()
    {
        lock (slots) finished++;
    }

    private static InvalidOperationException Diverged() => new("Not all lanes of a warp reach the same shuffle.");
}
