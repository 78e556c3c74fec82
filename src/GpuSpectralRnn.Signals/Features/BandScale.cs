namespace GpuSpectralRnn.Signals.Features;

/// <summary>Mean and standard deviation of each feature over all frames of the training part, by which every frame is normalised.</summary>
/// <param name="Mean">[F].</param>
/// <param name="Deviation">[F]; 1 of a feature that does not vary.</param>
public sealed record BandScale(float[] Mean, float[] Deviation)
{
    /// <summary>Measures recordings.</summary>
    /// <param name="recordings">Features [T, F] of each.</param>
    /// <param name="width">F.</param>
    public static BandScale Measure(IEnumerable<float[]> recordings, int width)
    {
        double[] sums = new double[width], squares = new double[width];
        long frames = 0;
        foreach (float[] features in recordings)
        {
            frames += features.Length / width;
            for (int i = 0; i < features.Length; i++)
            {
                sums[i % width] += features[i];
                squares[i % width] += (double)features[i] * features[i];
            }
        }

        float[] mean = [.. sums.Select(sum => (float)(sum / frames))];
        float[] deviation = new float[width];
        for (int i = 0; i < width; i++)
        {
            double spread = Math.Sqrt(Math.Max(0, (squares[i] / frames) - (sums[i] / frames * (sums[i] / frames))));
            deviation[i] = spread > 1e-5 ? (float)spread : 1; // less is what rounding leaves of a constant
        }

        return new BandScale(mean, deviation);
    }

    /// <summary>No change.</summary>
    /// <param name="width">F.</param>
    public static BandScale None(int width) => new(new float[width], [.. Enumerable.Repeat(1f, width)]);

    /// <summary>The features, normalised.</summary>
    public float[] Apply(float[] features)
    {
        float[] scaled = new float[features.Length];
        for (int i = 0; i < features.Length; i++) scaled[i] = (features[i] - Mean[i % Mean.Length]) / Deviation[i % Mean.Length];
        return scaled;
    }
}
