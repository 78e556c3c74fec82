namespace GpuSpectralRnn.Data;

/// <summary>Variance of a regression's targets, the reference for its error.</summary>
public static class TargetVariance
{
    private const int BatchSize = 256;

    /// <summary>
    /// Mean over the D target values of their variance over the set: the mean squared error of the constant prediction of the mean.
    /// </summary>
    /// <param name="data">A set with target values.</param>
    public static double Measure(ISequenceData data)
    {
        int outputs = data.Layout.Outputs;
        double[] sums = new double[outputs], squares = new double[outputs];
        Batch batch = new(data.Layout, Math.Min(BatchSize, data.Count));
        for (int first = 0; first < data.Count; first += batch.Capacity)
        {
            data.Read([.. Enumerable.Range(first, Math.Min(batch.Capacity, data.Count - first))], batch);
            for (int i = 0; i < batch.Values.Length; i++)
            {
                double value = batch.Values[i];
                sums[i % outputs] += value;
                squares[i % outputs] += value * value;
            }
        }

        return Enumerable.Range(0, outputs).Average(d => Math.Max(0, (squares[d] / data.Count) - (sums[d] / data.Count * (sums[d] / data.Count))));
    }
}
