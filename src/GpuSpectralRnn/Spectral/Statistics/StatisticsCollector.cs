using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Numerics;
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
    private readonly float[] parameters;

    /// <summary>Checks that the data fit.</summary>
    /// <param name="network">Whose states are looked at; only read.</param>
    /// <param name="data">The calibration set.</param>
    /// <param name="batchSize">Sequences at a time.</param>
    /// <exception cref="InvalidCallException">They do not fit the network.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite.</exception>
    public StatisticsCollector(Network network, ISequenceData data, int batchSize = 100)
        : this(network, data, batchSize, network.Parameters.ReadFinite())
    {
    }

    /// <summary>Takes a copy of the network's parameters that was checked before (<see cref="Parameters.ReadFinite"/>).</summary>
    internal StatisticsCollector(Network network, ISequenceData data, int batchSize, float[] parameters)
    {
        network.Architecture.CheckFits(data.Layout, data.Name);
        (this.network, this.data, this.batchSize, this.parameters) = (network, data, batchSize, parameters);
    }

    /// <summary>Called after each batch with the number of sequences done in this pass.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>Identifies a model by its architecture and the bits of its parameters.</summary>
    public static string Fingerprint(Network network) => Fingerprint(network.Architecture, network.Parameters.Values.ToArray());

    private static string Fingerprint(Architecture architecture, ReadOnlySpan<float> parameters)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(architecture.ToJson()));
        hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(parameters));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>
    /// Second moments and means of the hidden states, one for each recurrence (<see cref="Architecture.Recurrences"/>); then, with an embedding,
    /// those of what it gives the first layer. Cancelled, it returns what was collected so far.
    /// </summary>
    /// <param name="stepWeights">w_t [T] for each of them, for the time-weighted moments; null for none.</param>
    /// <param name="cancellation">Stops before the next batch.</param>
    /// <exception cref="RunFailedException">A hidden state is NaN or infinite.</exception>
    public StateStatistics[] CollectStates(IReadOnlyList<double[]>? stepWeights = null, CancellationToken cancellation = default)
    {
        IBackend backend = network.Backend;
        Architecture architecture = network.Architecture;
        int[] units = Units(architecture);
        using DisposableBag owned = new();
        GramAccumulator[] plain = [.. units.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
        GramAccumulator[] weighted = stepWeights is null ? [] : [.. units.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
        Tensor[] columns = [.. units.Select(m => owned.Keep(backend.Allocate(new Shape(m))))];
        double[][] stateSums = [.. units.Select(m => new double[m])];
        using DeviceBatches feed = new(data, backend, batchSize);
        StepWeights ones = owned.Keep(StepWeights.Ones(backend, data.Layout.Steps, feed.BatchSize));
        StepWeights[] shares = stepWeights is null
            ? []
            : [.. stepWeights.Select(weights => owned.Keep(new StepWeights(backend, Normalised(weights), feed.BatchSize)))];
        int done = 0;
        while (!cancellation.IsCancellationRequested && feed.Next())
        {
            network.Forward(feed.Current);
            Tensor? lengths = feed.Current.Lengths;
            (Tensor counted, double count) = ones.For(feed.Current, feed.Lengths);
            for (int i = 0; i < units.Length; i++)
            {
                Tensor states = i < architecture.Recurrences ? network.RecurrenceStates(i) : network.LayerInput(0);
                plain[i].Add(new(states, lengths is null ? null : counted, count));
                if (stepWeights is not null)
                {
                    (Tensor weights, double sum) = shares[i].For(feed.Current, feed.Lengths);
                    weighted[i].Add(new(states, weights, sum));
                }

                // Hidden states are zero where there is padding, embedded tokens are those of token 0.
                if (i == architecture.Recurrences && lengths is not null) backend.Matrix.ClearPadding(new(states, lengths));
                backend.Matrix.ColumnSums(new(states, 0, columns[i]));
                float[] sums = columns[i].ToArray();
                for (int j = 0; j < sums.Length; j++) stateSums[i][j] += sums[j];
            }

            done += feed.Sequences;
            Progress?.Invoke(done);
        }

        string fingerprint = Fingerprint(architecture, parameters);
        StateStatistics[] result = new StateStatistics[units.Length];
        for (int i = 0; i < units.Length; i++)
        {
            (Matrix sums, double count) = Read(plain[i]);
            SecondMoments covariance = new(fingerprint, Name(architecture, i), sums, count, stateSums[i]);
            Matrix timeWeighted = covariance.Weight > 0 ? covariance.Mean() : sums;
            if (stepWeights is not null)
            {
                (Matrix total, double weight) = Read(weighted[i]);
                if (weight > 0) timeWeighted = 1 / weight * total;
            }

            result[i] = new StateStatistics(covariance, timeWeighted);
        }

        return result;
    }

    /// <summary>
    /// G and the step weights, one for each recurrence and then, with an embedding, for what it gives the first layer: g_t = d(v^T f) / dh_t over the
    /// paths on which a reconstruction would replace h (the recurrent product, the read-out, the next layer), for a random v per sequence (and per
    /// step where the network answers at every step).
    /// </summary>
    /// <param name="metric">How the outputs are weighed.</param>
    /// <param name="probes">Random v per sequence.</param>
    /// <param name="seed">Of the probes; the same seed gives the same matrices.</param>
    /// <param name="cancellation">Stops with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] CollectAdjoint(AdjointMetric metric, int probes = 4, ulong seed = 1, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(probes, 1);
        using DeviceBatches feed = new(data, network.Backend, batchSize);
        using AdjointObserver observer = new(network, data.Layout.Steps, feed.BatchSize);
        ulong stream = ProbeStream;
        int done = 0;
        while (feed.Next())
        {
            for (int probe = 0; probe < probes; probe++)
            {
                cancellation.ThrowIfCancellationRequested();
                Tensor outputs = network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                OutputProbe.Draw(network, outputs, feed.Current.Lengths, metric, seed, stream++);
                observer.Begin(feed.Current, feed.Lengths);
                network.Backward(outputs, observer);
                network.Backend.Fill(network.Parameters.Gradients, 0);
            }

            done += feed.Sequences;
            Progress?.Invoke(done);
        }

        return observer.Read();
    }

    /// <summary>How many units there are to collect for: those of each recurrence, then what an embedding gives the first layer.</summary>
    internal static int[] Units(Architecture architecture) =>
    [
        .. Enumerable.Range(0, architecture.Recurrences).Select(architecture.RecurrenceUnits),
        .. architecture.HasEmbedding ? [architecture.Inputs] : Array.Empty<int>(),
    ];

    /// <summary>Their names: <c>l0</c>, <c>l0_reverse</c>, <c>embedding</c>.</summary>
    internal static string Name(Architecture architecture, int index) =>
        index < architecture.Recurrences ? architecture.RecurrenceName(index) : "embedding";

    internal static (Matrix Sums, double Weight) Read(GramAccumulator gram)
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

    // To a mean of 1, so that single precision serves any scale of gradients.
    private static float[] Normalised(double[] weights)
    {
        double mean = weights.Average();
        return Array.ConvertAll(weights, w => mean > 0 ? (float)(w / mean) : 1);
    }
}
