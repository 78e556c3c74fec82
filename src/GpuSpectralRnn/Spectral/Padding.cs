using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Spectral;

/// <summary>Keeps what lies beyond a sequence's length out of statistics.</summary>
internal static class Padding
{
    /// <summary>
    /// One weight for every step of every sequence of a batch [T, B]: 1, and 0 beyond its length; null where no sequence is shorter.
    /// </summary>
    public static float[]? Mask(SequenceBatch batch)
    {
        if (batch.Lengths is null) return null;
        (int steps, int size) = (batch.Inputs.Shape[0], batch.Inputs.Shape[1]);
        int[] lengths = batch.Lengths.ToArray<int>();
        float[] mask = new float[steps * size];
        for (int t = 0; t < steps; t++)
            for (int b = 0; b < size; b++) mask[t * size + b] = t < lengths[b] ? 1 : 0;
        return mask;
    }

    /// <summary>
    /// Sets the rows of a tensor [T, B, ...] to zero where <paramref name="mask"/> is; nothing for outputs once per sequence, or without a mask.
    /// </summary>
    public static void Clear(Tensor rows, float[]? mask)
    {
        if (mask is null || rows.Shape.Rows != mask.Length) return;
        float[] values = rows.ToArray();
        int width = rows.Shape.Columns;
        for (int row = 0; row < mask.Length; row++)
            if (mask[row] == 0) values.AsSpan(row * width, width).Clear();
        rows.CopyFrom<float>(values);
    }
}
