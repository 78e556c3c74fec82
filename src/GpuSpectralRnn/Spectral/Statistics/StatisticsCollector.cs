using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Accumulates the statistics for compression over a calibration set, batch by batch. Labels are not used; memory does not depend on the size of the
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
    /// <param name="network">The network; not changed.</param>
    /// <param name="data">The calibration set.</param>
    /// <param name="batchSize">Sequences per batch.</param>
    /// <exception cref="InvalidCallException">The data do not fit the network.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite.</exception>
    public StatisticsCollector(Network network, ISequenceData data, int batchSize = 100)
        : this(network, data, batchSize, network.Parameters.ReadFinite())
    {
    }

    /// <summary>Takes a copy of the network's parameters that was checked before (<see cref="Parameters.ReadFinite"/>).</summary>
    internal StatisticsCollector(Network network, ISequenceData data, int batchSize, float[] parameters)
    {
        network.Recipe.CheckFits(data.Layout, data.Name);
        (this.network, this.data, this.batchSize, this.parameters) = (network, data, batchSize, parameters);
    }

    /// <summary>
    /// Who else collects: each member reads its part of every batch, and all return the sums over all of them. Left out: nobody.
    /// </summary>
    public IReplicas Replicas { get; init; } = LocalReplicas.Instance;

    /// <summary>Called after each batch with the number of sequences done in this pass.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>Identifies a model by its architecture and the bits of its parameters.</summary>
    public static string Fingerprint(Network network) => Fingerprint(network.Recipe, network.Parameters.Values.ToArray());

    private static string Fingerprint(Recipe recipe, ReadOnlySpan<float> parameters)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(recipe.ToJson()));
        hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(parameters));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>
    /// Second moments and means of the units of each axis of <see cref="Graph.PrunableAxes"/>, in their order. On cancellation it returns what was
    /// collected so far.
    /// </summary>
    /// <param name="stepWeights">w_t [T] for each axis, for the time-weighted moments; null for none.</param>
    /// <param name="cancellation">Stops before the next batch.</param>
    /// <exception cref="RunFailedException">A hidden state is NaN or infinite.</exception>
    public StateStatistics[] CollectStates(IReadOnlyList<double[]>? stepWeights = null, CancellationToken cancellation = default)
    {
        IBackend backend = network.Backend;
        IReadOnlyList<PrunableAxis> axes = network.Graph.PrunableAxes;
        using DisposableBag owned = new();
        GramAccumulator[] plain = [.. axes.Select(axis => owned.Keep(backend.Spectral.CreateGram(axis.Units)))];
        GramAccumulator[] weighted = stepWeights is null ? [] : [.. axes.Select(axis => owned.Keep(backend.Spectral.CreateGram(axis.Units)))];
        Tensor[] columns = [.. axes.Select(axis => owned.Keep(backend.Allocate(new Shape(axis.Units))))];
        double[][] stateSums = [.. axes.Select(axis => new double[axis.Units])];
        using DeviceBatches feed = OwnPart();
        StepWeights[] ones =
        [
            .. data.Layout.Fields.Select(field => owned.Keep(StepWeights.Ones(backend, field.Steps, feed.BatchSize))),
        ];
        (Tensor Weights, double Sum)[] counted = new (Tensor, double)[ones.Length]; // of each field's batch
        AxisColumns parts = owned.Keep(new AxisColumns(backend));
        StepWeights?[][] shares =
        [
            .. axes.Select((axis, i) => axis.Carriers.Select(carrier => stepWeights is null || carrier.Kind == ValueKind.Vector
                ? null
                : owned.Keep(new StepWeights(backend, Normalised(stepWeights[i])[..StepsOf(carrier)], feed.BatchSize))).ToArray()),
        ];
        int done = 0;
        while (!Replicas.Any(cancellation.IsCancellationRequested) && feed.Next())
        {
            Count(feed, ref done);
            if (feed.Size == 0) continue;
            network.Forward(feed.Current);
            for (int field = 0; field < ones.Length; field++)
            {
                if (feed.Current[field].Characters > 0) continue; // the steps are those of the words that they spell
                counted[field] = ones[field].For(feed.Current[field].Lengths, feed.Lengths(field));
            }

            for (int i = 0; i < axes.Count; i++)
            {
                foreach ((int place, Value carrier) in axes[i].Carriers.Index())
                {
                    Tensor states = parts.Take(axes[i], carrier, network.Values(carrier.Name));
                    if (carrier.Kind == ValueKind.Vector)
                    {
                        plain[i].Add(new(states));
                        if (stepWeights is not null) weighted[i].Add(new(states));
                    }
                    else
                    {
                        int field = network.Graph.FieldIndex(carrier);
                        Tensor? lengths = feed.Current[field].Lengths;
                        plain[i].Add(new(states, lengths is null ? null : counted[field].Weights, counted[field].Sum));
                        if (stepWeights is not null)
                        {
                            (Tensor weights, double sum) = shares[i][place]!.For(lengths, feed.Lengths(field));
                            weighted[i].Add(new(states, weights, sum));
                        }

                        if (lengths is not null && !carrier.IsClear) backend.Matrix.ClearPadding(new(states, lengths));
                    }

                    backend.Matrix.ColumnSums(new(states, 0, columns[i]));
                    float[] sums = columns[i].ToArray();
                    for (int j = 0; j < sums.Length; j++) stateSums[i][j] += sums[j];
                }
            }
        }

        int StepsOf(Value carrier) => data.Layout.Fields[network.Graph.FieldIndex(carrier)].Steps;

        string fingerprint = Fingerprint(network.Recipe, parameters);
        StateStatistics[] result = new StateStatistics[axes.Count];
        for (int i = 0; i < axes.Count; i++)
        {
            (Matrix sums, double count) = Read(plain[i], Replicas);
            Replicas.Sum<double>(stateSums[i]);
            SecondMoments covariance = new(fingerprint, axes[i].Name, sums, count, stateSums[i]);
            Matrix timeWeighted = covariance.Weight > 0 ? covariance.Mean() : sums;
            if (stepWeights is not null)
            {
                (Matrix total, double weight) = Read(weighted[i], Replicas);
                if (weight > 0) timeWeighted = 1 / weight * total;
            }

            result[i] = new StateStatistics(covariance, timeWeighted);
        }

        return result;
    }

    /// <summary>
    /// G and the step weights of each axis of <see cref="Graph.PrunableAxes"/>, in their order: g_t = d(v^T f) / dh_t over the paths on which a
    /// reconstruction would replace h (the recurrent product, the read-out, the next layer), for a random v per sequence (and per step where the
    /// network has an output at every step).
    /// </summary>
    /// <param name="metric">Metric of the outputs.</param>
    /// <param name="probes">Random vectors v per sequence.</param>
    /// <param name="seed">Seed of the probes; equal seeds give equal matrices.</param>
    /// <param name="cancellation">Stops with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] CollectAdjoint(AdjointMetric metric, int probes = 4, ulong seed = 1, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(probes, 1);
        using DeviceBatches feed = OwnPart();
        using AdjointObserver observer = new(network, data.Layout, feed.BatchSize);
        ulong stream = ProbeStream;
        int done = 0;
        while (feed.Next())
        {
            if (Replicas.Any(cancellation.IsCancellationRequested)) throw new OperationCanceledException(cancellation);
            Count(feed, ref done);
            if (feed.Size == 0) continue; // the last batch: no probe comes after it
            for (int probe = 0; probe < probes; probe++)
            {
                if (Replicas.Size == 1) cancellation.ThrowIfCancellationRequested(); // a batch of many steps takes a while
                network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                OutputProbe.Draw(network, feed, metric, seed, ref stream);
                observer.Begin(feed.Current, feed.Lengths);
                network.BackwardFromOutputs(observer);
                network.Backend.Fill(network.Parameters.Gradients, 0);
            }
        }

        return observer.Read(Replicas);
    }

    internal static (Matrix Sums, double Weight) Read(GramAccumulator gram, IReplicas? replicas = null)
    {
        Matrix sums = new(gram.Units, gram.Units);
        double weight = gram.Read(sums.Data);
        if (replicas is null) return (sums, weight);
        replicas.Sum<double>(sums.Data);
        return (sums, replicas.Sum(weight));
    }

    private DeviceBatches OwnPart() => new(data, network.Backend, batchSize, new BatchSlice(Replicas.Rank, Replicas.Size));

    // Of a group what all members have read: a batch, but for columns of a stream that have ended.
    private void Count(DeviceBatches feed, ref int done)
    {
        done = Replicas.Size == 1 ? done + feed.Sequences : Math.Min(data.Count, done + feed.WholeSize);
        Progress?.Invoke(done);
    }

    internal static Tensor Upload(IBackend backend, float[] values, params int[] extents)
    {
        Tensor tensor = backend.Allocate(extents.Length == 0 ? new Shape(values.Length) : new Shape(extents));
        tensor.CopyFrom<float>(values);
        return tensor;
    }

    // Scaled to a mean of 1, so that single precision is sufficient for gradients of any scale.
    private static float[] Normalised(double[] weights)
    {
        double mean = weights.Average();
        return Array.ConvertAll(weights, w => mean > 0 ? (float)(w / mean) : 1);
    }
}
