namespace GpuSpectralRnn.Compute.Host;

/// <summary>A number for each step of one sequence, between its steps, which lie stride numbers apart, and its row.</summary>
internal static unsafe class StepRows
{
    /// <summary>One of the two ways.</summary>
    public delegate void Sequence(float* steps, float* row, long count, long valid, long stride);

    /// <summary>The row of the first <paramref name="valid"/> of <paramref name="count"/> steps, masked beyond.</summary>
    public static void ToRows(float* steps, float* row, long count, long valid, long stride)
    {
        for (long t = 0; t < count; t++) row[t] = t < valid ? steps[t * stride] : Kernels.StepRows.Masked;
    }

    /// <summary>The first <paramref name="valid"/> of <paramref name="count"/> steps of a row, zero beyond.</summary>
    public static void ToSteps(float* steps, float* row, long count, long valid, long stride)
    {
        for (long t = 0; t < count; t++) steps[t * stride] = t < valid ? row[t] : 0;
    }
}
