using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Reductions over a group of 256 threads through shared memory, in a fixed order. Every thread gets the result; all calls end with a barrier, so the
/// memory can be used again.
/// </summary>
internal static class GroupSums
{
    /// <summary>Threads of a group; also the length of the shared views.</summary>
    public const int Threads = 256;

    /// <summary>The sum.</summary>
    public static float Sum(ArrayView<float> shared, float mine)
    {
        int me = Group.IdxX;
        shared[me] = mine;
        Group.Barrier();
        for (int half = Threads / 2; half > 0; half /= 2)
        {
            if (me < half) shared[me] += shared[me + half];
            Group.Barrier();
        }

        float sum = shared[0];
        Group.Barrier();
        return sum;
    }

    /// <summary>The sum.</summary>
    public static int Sum(ArrayView<int> shared, int mine)
    {
        int me = Group.IdxX;
        shared[me] = mine;
        Group.Barrier();
        for (int half = Threads / 2; half > 0; half /= 2)
        {
            if (me < half) shared[me] += shared[me + half];
            Group.Barrier();
        }

        int sum = shared[0];
        Group.Barrier();
        return sum;
    }

    /// <summary>The sum of compensated sums.</summary>
    public static CompensatedSum Sum(ArrayView<float> highs, ArrayView<float> lows, CompensatedSum mine)
    {
        int me = Group.IdxX;
        highs[me] = mine.High;
        lows[me] = mine.Low;
        Group.Barrier();
        for (int half = Threads / 2; half > 0; half /= 2)
        {
            if (me < half)
            {
                CompensatedSum both = new() { High = highs[me], Low = lows[me] };
                both.Add(new CompensatedSum { High = highs[me + half], Low = lows[me + half] });
                highs[me] = both.High;
                lows[me] = both.Low;
            }

            Group.Barrier();
        }

        CompensatedSum sum = new() { High = highs[0], Low = lows[0] };
        Group.Barrier();
        return sum;
    }

    /// <summary>The largest value and its index; the lowest index among equal values.</summary>
    public static Largest Best(ArrayView<float> values, ArrayView<int> places, Largest mine)
    {
        int me = Group.IdxX;
        values[me] = mine.Value;
        places[me] = mine.Place;
        Group.Barrier();
        for (int half = Threads / 2; half > 0; half /= 2)
        {
            if (me < half && IsBetter(values[me + half], places[me + half], values[me], places[me]))
            {
                values[me] = values[me + half];
                places[me] = places[me + half];
            }

            Group.Barrier();
        }

        Largest best = new() { Value = values[0], Place = places[0] };
        Group.Barrier();
        return best;
    }

    private static bool IsBetter(float value, int place, float other, int otherPlace) => value > other || (value == other && place < otherPlace);
}

/// <summary>A value and its index.</summary>
internal struct Largest
{
    public float Value;
    public int Place;

    /// <summary>The largest of a thread's part of a row, every 256th element.</summary>
    public static Largest Find(ArrayView<float> numbers, int first, int count)
    {
        int me = Group.IdxX;
        Largest largest = new() { Value = numbers[first + me], Place = me };
        for (int j = me + GroupSums.Threads; j < count; j += GroupSums.Threads)
        {
            float number = numbers[first + j];
            if (!(number > largest.Value)) continue;
            largest.Place = j;
            largest.Value = number;
        }

        return largest;
    }
}
