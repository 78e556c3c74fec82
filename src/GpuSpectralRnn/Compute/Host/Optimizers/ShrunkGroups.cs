namespace GpuSpectralRnn.Compute.Host;

/// <summary>The proximal step of a trimmed group lasso; groups are few, so one thread does it.</summary>
internal static unsafe class ShrunkGroups
{
    /// <summary>Factors of all groups.</summary>
    public static void Run(GroupShrinkNumbers numbers, int groups, Operands o)
    {
        int open = 0;
        for (int i = 0; i < groups; i++) open += o.Before[i] != 0 ? 1 : 0;
        *o.Count = open;
        for (int group = 0; group < groups; group++)
        {
            float norm = MathF.Sqrt(o.Squares[group] + 1e-8f);
            float factor = 1 - (numbers.Amount * o.Penalty / norm);
            if (factor <= 0 || norm < numbers.Threshold * o.Scale) factor = 0;
            if (numbers.Least > 0 && Rank(o, groups, group) < numbers.Least) factor = 1;
            o.Factors[group] = o.Before[group] != 0 ? factor : 0;
        }
    }

    // Open groups that are larger.
    private static int Rank(Operands o, int groups, int group)
    {
        int rank = 0;
        float square = o.Squares[group];
        for (int i = 0; i < groups; i++)
            if (o.Before[i] != 0 && (o.Squares[i] > square || (o.Squares[i] == square && i < group))) rank++;
        return rank;
    }

    /// <summary>The operands' memory.</summary>
    internal readonly struct Operands(float* squares, float* before, float* factors, float* count, float penalty, float scale)
    {
        public float* Squares => squares;

        public float* Before => before;

        public float* Factors => factors;

        public float* Count => count;

        public float Penalty => penalty;

        public float Scale => scale;
    }
}
