using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Streams a calibration set through a network and sums up what compression needs to know. Labels are not looked at; memory does not grow with the
/// set.
/// </summary>
public sealed class StatisticsCollector
{
    private const ulong ProbeStream = 1UL << 56;

    private readonly Network network;
    private readonly ISequenceData data;
    private readonly int batchSize;

    /// <summary>Checks that the data fit.</summary>
    /// <param name="network">Whose states are looked at; only read.</param>
    /// <param name="data">The calibration set.</param>
    /// <param name="batchSize">Sequences at a time.</param>
    /// <exception cref="InvalidCallException">They do not fit the network.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite.</exception>
    public StatisticsCollector(Network network, ISequenceData data, int batchSize = 100)
    {
        network.Architecture.CheckFits(data.Layout, data.Name);
        if (network.Parameters.FindNotFinite(network.Parameters.Values.ToArray()) is { } bad)
            throw new RunFailedException(
                $"{bad.Name} holds {bad.Value} at index {bad.Index}. The model is broken; train it again or take an earlier one.");
        (this.network, this.data, this.batchSize) = (network, data, batchSize);
    }

    /// <summary>Called after each batch with the number of sequences done in this pass.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>Identifies a model by its architecture and the bits of its parameters.</summary>
    public static string Fingerprint(Network network)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(network.Architecture.ToJson()));
        hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(network.Parameters.Values.ToArray()));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>Second moments and means of the hidden states, recurrence by recurrence (<see cref="Architecture.Recurrences"/>). Cancelled, it returns what was collected so far.</summary>
    /// <param name="stepWeights">w_t [T] per recurrence for the time-weighted moments; null for none.</param>
    /// <param name="cancellation">Stops before the next batch.</param>
    /// <exception cref="RunFailedException">A hidden state is NaN or infinite.</exception>
    public StateStatistics[] CollectStates(IReadOnlyList<double[]>? stepWeights = null, CancellationToken cancellation = default)
    {
        IBackend backend = network.Backend;
        Architecture architecture = network.Architecture;
        int[] units = [.. Enumerable.Range(0, architecture.Recurrences).Select(architecture.RecurrenceUnits)];
        using Disposables owned = new();
        GramSums[] plain = [.. units.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
        GramSums[] weighted = stepWeights is null ? [] : [.. units.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
        Tensor[] weights = stepWeights is null ? [] : [.. stepWeights.Select(w => owned.Keep(Upload(backend, Normalised(w))))];
        Tensor[] columns = [.. units.Select(m => owned.Keep(backend.Allocate(new Shape(m))))];
        double[][] means = [.. units.Select(m => new double[m])];
        using BatchFeed feed = new(data, backend, batchSize);
        int done = 0;
        while (!cancellation.IsCancellationRequested && feed.Next())
        {
            network.Forward(feed.Current);
            for (int r = 0; r < units.Length; r++)
            {
                Tensor states = network.RecurrenceStates(r);
                plain[r].Add(states);
                if (stepWeights is not null) weighted[r].Add(states, weights[r]);
                backend.Matrix.ColumnSums(states, 0, columns[r]);
                float[] sums = columns[r].ToArray();
                for (int j = 0; j < sums.Length; j++) means[r][j] += sums[j];
            }

            done += feed.Size;
            Progress?.Invoke(done);
        }

        string fingerprint = Fingerprint(network);
        StateStatistics[] result = new StateStatistics[units.Length];
        for (int r = 0; r < units.Length; r++)
        {
            (Matrix sums, double count) = Read(plain[r]);
            for (int j = 0; j < means[r].Length; j++) means[r][j] /= Math.Max(1, count);
            Covariance covariance = new(fingerprint, architecture.RecurrenceName(r), sums, count);
            Matrix timeWeighted = covariance.Weight > 0 ? covariance.Mean() : sums;
            if (stepWeights is not null)
            {
                (Matrix total, double weight) = Read(weighted[r]);
                if (weight > 0) timeWeighted = 1 / weight * total;
            }

            result[r] = new StateStatistics(covariance, timeWeighted, means[r]);
        }

        return result;
    }

    /// <summary>
    /// G and the step weights, recurrence by recurrence: g_t = d(v^T f) / dh_t over the paths on which a reconstruction would replace h (the recurrent
    /// product, the read-out, the next
    /// layer), for a random v per sequence (and per step where the network answers at every step).
    /// </summary>
    /// <param name="metric">How the outputs are weighed.</param>
    /// <param name="probes">Random v per sequence.</param>
    /// <param name="seed">Of the probes; the same seed gives the same matrices.</param>
    /// <param name="cancellation">Stops with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] CollectAdjoint(AdjointMetric metric, int probes = 4, ulong seed = 1, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(probes, 1);
        IBackend backend = network.Backend;
        using BatchFeed feed = new(data, backend, batchSize);
        using AdjointObserver observer = new(network, data.Layout.Steps, feed.BatchSize);
        ulong stream = ProbeStream;
        int done = 0;
        while (feed.Next())
        {
            for (int probe = 0; probe < probes; probe++)
            {
                cancellation.ThrowIfCancellationRequested();
                Tensor outputs = network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                if (metric == AdjointMetric.Fisher && network.Architecture.Task == TaskKind.Classification) DrawFisher(outputs, seed, stream++);
                else backend.Random.Normal(outputs, seed, stream++, 0, 1);
                observer.Begin(feed.Size);
                network.Backward(outputs, observer);
                backend.Fill(network.Parameters.Gradients, 0);
            }

            done += feed.Size;
            Progress?.Invoke(done);
        }

        return observer.Read();
    }

    internal static (Matrix Sums, double Weight) Read(GramSums gram)
    {
        Matrix sums = new(gram.Units, gram.Units);
        double weight = gram.Read(sums.Data);
        return (sums, weight);
    }

    internal static Tensor Upload(IBackend backend, float[] values, params int[] extents)
    {
        Tensor tensor = backend.Allocate(extents.Length == 0 ? new Shape(values.Length) : new Shape(extents));
        tensor.CopyFrom<float>(values);
        return tensor;
    }

    // u = diag(s) z - p (s . z) with s = sqrt(p), z ~ N(0, I), has the covariance diag(p) - p p^T.
    private static void DrawFisher(Tensor outputs, ulong seed, ulong stream)
    {
        float[] logits = outputs.ToArray();
        outputs.Backend.Random.Normal(outputs, seed, stream, 0, 1);
        float[] z = outputs.ToArray();
        int classes = outputs.Shape.Columns;
        Parallel.For(0, logits.Length / classes, row =>
        {
            Span<float> x = logits.AsSpan(row * classes, classes), normal = z.AsSpan(row * classes, classes);
            float largest = x[0];
            foreach (float logit in x) largest = MathF.Max(largest, logit);
            double sum = 0, inner = 0;
            foreach (float logit in x) sum += Math.Exp(logit - largest);
            for (int j = 0; j < classes; j++) inner += Math.Sqrt(Math.Exp(x[j] - largest) / sum) * normal[j];
            for (int j = 0; j < classes; j++)
            {
                double p = Math.Exp(x[j] - largest) / sum;
                normal[j] = (float)(Math.Sqrt(p) * normal[j] - p * inner);
            }
        });
        outputs.CopyFrom<float>(z);
    }

    // To a mean of 1, so that single precision serves any scale of gradients.
    private static float[] Normalised(double[] weights)
    {
        double mean = weights.Average();
        return Array.ConvertAll(weights, w => mean > 0 ? (float)(w / mean) : 1);
    }
}
