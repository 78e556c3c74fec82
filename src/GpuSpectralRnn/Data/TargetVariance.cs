namespace GpuSpectralRnn.Data;

/// <summary>Variance of a regression's targets, the reference for its error.</summary>
public static class TargetVariance
{
    /// <summary>
    /// Mean over the D target values of their variance over the set: the mean squared error of the constant prediction of the mean.
    /// </summary>
    /// <param name="data">A set with target values.</param>
    public static double Measure(ISequenceData data)
    {
        int outputs = data.Layout.Outputs;
        double[] sums = new double[outputs], squares = new double[outputs];
        BatchReader reader = BatchReader.OfLittleMemory(data);
        while (reader.Next())
        {
            ReadOnlySpan<float> values = reader.Batch.Values;
            for (int i = 0; i < values.Length; i++)
            {
                double value = values[i];
                sums[i % outputs] += value;
                squares[i % outputs] += value * value;
            }
        }

        return Enumerable.Range(0, outputs).Average(d => Math.Max(0, (squares[d] / data.Count) - (sums[d] / data.Count * (sums[d] / data.Count))));
    }
}
