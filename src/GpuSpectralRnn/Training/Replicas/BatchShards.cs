using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Training;

/// <summary>The shards of every batch that one member of a group works on, each with its losses and, of a stream, its own carried state.</summary>
internal sealed class BatchShards : IDisposable
{
    private readonly Network network;
    private readonly ReplicaPlan plan;
    private readonly DeviceBatches[] feeds;
    private readonly LossTotals[] totals;
    private readonly CarriedState?[] states; // of the shards that are not at work
    private readonly GradientTree tree;
    private readonly long[] agreed; // rows of each output, members that stop, whether to report

    /// <summary>Takes memory for the shards.</summary>
    /// <param name="network">Whose batches they are.</param>
    /// <param name="data">The set.</param>
    /// <param name="batchSize">Sequences of a batch, of all its shards.</param>
    /// <param name="plan">The group.</param>
    /// <exception cref="InvalidCallException">The set is empty, or the batch size does not fit it or the shards.</exception>
    public BatchShards(Network network, ISequenceData data, int batchSize, ReplicaPlan plan)
    {
        (this.network, this.plan) = (network, plan);
        feeds = [.. plan.OwnSlices.Select(slice => new DeviceBatches(data, network.Backend, batchSize, slice))];
        totals = Array.ConvertAll(feeds, _ => network.Backend.Loss.CreateTotals());
        states = new CarriedState?[feeds.Length];
        tree = new GradientTree(network, plan);
        agreed = new long[data.Layout.Targets.Count + 2];
    }

    /// <summary>Batches per pass.</summary>
    public int BatchCount => feeds[0].BatchCount;

    /// <summary>Sequences per batch, all but the last, of all its shards.</summary>
    public int BatchSize => feeds[0].BatchSize;

    /// <inheritdoc cref="DeviceBatches.RestartShuffled"/>
    public void RestartShuffled(ulong seed, int epoch, int skip = 0)
    {
        foreach (DeviceBatches feed in feeds) feed.RestartShuffled(seed, epoch, skip);
    }

    /// <summary>Reads and uploads the next batch, and tells the members how many rows it has in all.</summary>
    /// <param name="stops">Whether this member wishes to stop; returns whether any does, before this batch.</param>
    /// <param name="reports">Whether it is time for a report; returns what the first member says.</param>
    public void Next(ref bool stops, ref bool reports)
    {
        foreach (DeviceBatches feed in feeds) feed.Next();
        if (plan.Shards == 1) return;
        int outputs = agreed.Length - 2;
        for (int i = 0; i < outputs; i++) agreed[i] = feeds.Sum(feed => (long)feed.CountedRows(i));
        agreed[outputs] = stops ? 1 : 0;
        agreed[outputs + 1] = reports && plan.IsFirst ? 1 : 0;
        plan.Replicas.Sum<long>(agreed);
        (stops, reports) = (agreed[outputs] > 0, agreed[outputs + 1] > 0);
        foreach (DeviceBatches feed in feeds) feed.ShareMean(agreed.AsSpan(0, outputs));
    }

    /// <summary>Runs a forward and a backward pass over each shard; the network's gradients are then the sums over the shards of all members.</summary>
    /// <param name="pass">Adds a shard's gradients and losses.</param>
    /// <param name="dropout">Of the whole batch.</param>
    public void Backpropagate(Action<DeviceBatches, LossTotals, DropoutMask> pass, DropoutMask dropout)
    {
        for (int i = 0; i < feeds.Length; i++)
        {
            DeviceBatches feed = feeds[i];
            network.Parameters.ClearGradients();
            Turn(i);
            if (feed.Size > 0) pass(feed, totals[i], plan.Shards == 1 ? dropout : dropout with { Part = (feed.First, feed.WholeSize) });
            Turn(i);
            tree.Add(i);
        }
    }

    /// <summary>Sets the sums of losses to zero.</summary>
    public void ResetTotals()
    {
        foreach (LossTotals total in totals) total.Reset();
    }

    /// <summary>The sums of losses over the shards of all members.</summary>
    public LossSums ReadTotals() => plan.Sum(Array.ConvertAll(totals, total => total.Read()));

    /// <summary>The state of a stream between two batches, by name, each [B, H] of all members' shards.</summary>
    public Dictionary<string, float[]> ReadCarried()
    {
        Dictionary<string, float[]> own = [];
        for (int i = 0; i < feeds.Length; i++)
        {
            Turn(i);
            foreach ((string name, Tensor values) in network.CarriedState) own[name] = [.. own.GetValueOrDefault(name, []), .. values.ToArray()];
            Turn(i);
        }

        return plan.Replicas.Size == 1 ? own : own.ToDictionary(pair => pair.Key, pair => GatherRows(pair.Value));
    }

    /// <summary>Puts back what <see cref="ReadCarried"/> gave, of any number of shards.</summary>
    /// <exception cref="KeyNotFoundException">A name is missing.</exception>
    /// <exception cref="ArgumentException">The numbers are not B H.</exception>
    public void RestoreCarried(IReadOnlyDictionary<string, float[]> carried)
    {
        for (int i = 0; i < feeds.Length; i++)
        {
            BatchSlice slice = plan.OwnSlices[i];
            int first = slice.First(BatchSize), rows = slice.Extent(BatchSize);
            Turn(i);
            network.RestoreState(rows, name => Rows(carried[name], first, rows));
            Turn(i);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceBatches feed in feeds) feed.Dispose();
        foreach (LossTotals total in totals) total.Dispose();
        foreach (CarriedState? state in states) state?.Dispose();
        tree.Dispose();
    }

    // Before a shard's pass its state goes into the network, after it back out. A single shard's stays there.
    private void Turn(int shard)
    {
        if (feeds.Length > 1) states[shard] = network.Exchange(states[shard]);
    }

    private float[] Rows(float[] all, int first, int rows)
    {
        if (all.Length % BatchSize != 0) throw new ArgumentException($"{all.Length} numbers are no {BatchSize} rows.", nameof(all));
        int width = all.Length / BatchSize;
        return all[(first * width)..((first + rows) * width)];
    }

    // Members have a row more or less than others: all send as many as the most have.
    private float[] GatherRows(float[] own)
    {
        int[] rows = [.. Enumerable.Range(0, plan.Replicas.Size).Select(rank => plan.SlicesOf(rank).Sum(slice => slice.Extent(BatchSize)))];
        int width = own.Length / rows[plan.Replicas.Rank], most = rows.Max() * width;
        Array.Resize(ref own, most);
        float[] all = plan.Replicas.Gather<float>(own);
        return [.. rows.SelectMany((count, rank) => all.Skip(rank * most).Take(count * width))];
    }
}
