using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Training;

/// <summary>Evaluates a network over a whole data set: its metric, or its outputs. Memory is reused from run to run.</summary>
public sealed class Evaluator : IDisposable
{
    private readonly Network network;
    private readonly ISequenceData data;
    private readonly ReplicaPlan plan;
    private readonly DeviceBatches[] feeds; // of this member's shards
    private readonly LossTotals totals;
    private readonly SpanAnswers? answers; // null where the outputs are no spans

    /// <summary>Checks that the data fit the network.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">The set.</param>
    /// <param name="batchSize">Sequences per batch, of all shards.</param>
    /// <param name="plan">Who else evaluates; outputs and answers are those of this member's first shard.</param>
    /// <exception cref="InvalidCallException">The data do not fit the network, or the set is empty or smaller than the shards.</exception>
    public Evaluator(Network network, ISequenceData data, int batchSize, ReplicaPlan? plan = null)
    {
        network.Recipe.CheckFits(data.Layout, data.Name);
        this.network = network;
        this.data = data;
        this.plan = plan ?? ReplicaPlan.Alone;
        feeds = [.. this.plan.OwnSlices.Select(slice => new DeviceBatches(data, network.Backend, batchSize, slice))];
        totals = network.Backend.Loss.CreateTotals();
        answers = SpanAnswers.AreOf(network.Graph) ? new SpanAnswers(network) : null;
    }

    /// <summary>Called after each batch with the number of sequences done.</summary>
    public Action<int>? Progress { get; init; }

    /// <summary>The metric over the whole set.</summary>
    /// <exception cref="InvalidCallException">The data have no targets.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Evaluation Run(CancellationToken cancellation = default)
    {
        if (data.Layout.Target == TargetKind.None)
            throw new InvalidCallException($"{data.Name} has no targets to compare with; give labels or values.");
        LossSums[] losses = new LossSums[feeds.Length];
        AnswerSums[] scores = new AnswerSums[feeds.Length];
        for (int i = 0; i < feeds.Length; i++) (losses[i], scores[i]) = Sum(feeds[i], cancellation);
        return Evaluation.From(plan.Sum(losses), network.Recipe, plan.Sum(scores));
    }

    /// <summary>Calls <paramref name="write"/> with the index of every sequence and its answer, a span of its text, in order.</summary>
    /// <exception cref="InvalidCallException">The network's outputs are no spans.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Answer(Action<int, SpanAnswer> write, CancellationToken cancellation = default)
    {
        if (answers is null) throw new InvalidCallException("The network does not answer with spans of a text; choose a reader.");
        DeviceBatches feed = feeds[0];
        foreach (Tensor _ in Outputs(feed, cancellation))
        {
            SpanAnswer[] found = answers.Read(feed);
            for (int b = 0; b < feed.Size; b++) write(feed.Numbers[b], found[b]);
        }
    }

    private (LossSums Losses, AnswerSums Answers) Sum(DeviceBatches feed, CancellationToken cancellation)
    {
        totals.Reset();
        TargetObjective objective = new();
        IReadingTexts? texts = answers is null ? null : data.Texts;
        AnswerSums sums = default;
        foreach (Tensor _ in Outputs(feed, cancellation))
        {
            objective.Apply(network, feed, isTraining: false, totals);
            if (texts is not null) sums = Score(feed, texts, sums);
        }

        return (totals.Read(), sums);
    }

    private AnswerSums Score(DeviceBatches feed, IReadingTexts texts, AnswerSums sums)
    {
        SpanAnswer[] found = answers!.Read(feed);
        (double exact, double f1, long count) = (sums.Exact, sums.F1, sums.Count);
        for (int b = 0; b < feed.Size; b++)
        {
            ReadingQuestion question = texts.Question(feed.Numbers[b]);
            if (question.Answers.Count == 0) continue;
            string answer = question.Context.Between(found[b].First, found[b].Last);
            exact += AnswerScore.IsExact(answer, question.Answers) ? 1 : 0;
            f1 += AnswerScore.F1(answer, question.Answers);
            count++;
        }

        return new AnswerSums(exact, f1, count);
    }

    /// <summary>
    /// Shape of the result of <see cref="Predict(CancellationToken)"/>: [N, O], or [N, T, O] of a network with an output at every step.
    /// </summary>
    public Shape OutputShape => network.Graph is { AnswersEveryStep: true }
        ? new Shape(data.Count, data.Layout.Steps, OutputWidth)
        : new Shape(data.Count, OutputWidth);

    // O; T of scores of steps.
    private int OutputWidth => network.Graph.Outputs[0] is { Kind: ValueKind.Scores } scores
        ? data.Layout.Fields[network.Graph.FieldIndex(scores)].Steps
        : network.Graph.Outputs[0].Width;

    /// <summary>The outputs (logits or predictions) of every sequence in order, of <see cref="OutputShape"/>; zero beyond a sequence's
    /// length.</summary>
    /// <exception cref="InvalidCallException">The outputs are too many for one array.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public (Shape Shape, float[] Values) Predict(CancellationToken cancellation = default)
    {
        Shape shape = OutputShape;
        if (shape.Count > Array.MaxLength)
            throw new InvalidCallException($"{data.Name} gives {shape.Count} outputs, more than one array holds; limit the number of sequences.");
        float[] values = new float[shape.Count];
        Predict((number, outputs) => outputs.CopyTo(values.AsSpan(number * outputs.Length)), cancellation);
        return (shape, values);
    }

    /// <summary>Calls <paramref name="write"/> with the index of every sequence and its part [O] or [T, O] of <see cref="OutputShape"/>.</summary>
    /// <param name="write">Called once for each sequence, in order; for a stream in the order of its parallel columns.</param>
    /// <param name="cancellation">Checked between batches.</param>
    /// <exception cref="InvalidCallException">A batch has more outputs than one array holds.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public void Predict(Action<int, ReadOnlySpan<float>> write, CancellationToken cancellation = default)
    {
        DeviceBatches feed = feeds[0];
        int outputs = OutputWidth;
        int steps = network.Graph.AnswersEveryStep ? data.Layout.Steps : 1;
        float[] scratch = new float[BatchOutputs(steps, feed.BatchSize, outputs)]; // [T, B, O]
        float[] sequence = new float[steps * outputs]; // [T, O]
        foreach (Tensor batch in Outputs(feed, cancellation))
        {
            Span<float> downloaded = scratch.AsSpan(0, (int)batch.Count); // [T, B, O]
            batch.CopyTo(downloaded);
            for (int b = 0; b < feed.Size; b++)
            {
                if (feed.Numbers[b] < 0) continue;
                int length = steps == 1 ? 1 : feed.Lengths()[b];
                for (int t = 0; t < length; t++) downloaded.Slice(((t * feed.Size) + b) * outputs, outputs).CopyTo(sequence.AsSpan(t * outputs));
                sequence.AsSpan(length * outputs).Clear();
                write(feed.Numbers[b], sequence);
            }
        }
    }

    /// <summary>Outputs of a batch: T B O.</summary>
    /// <exception cref="InvalidCallException">The outputs are too many for one array.</exception>
    internal static int BatchOutputs(int steps, int batchSize, int outputs) =>
        Extents.Product($"The outputs of a batch of {batchSize} sequences", "choose a smaller batch", steps, batchSize, outputs);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceBatches feed in feeds) feed.Dispose();
        totals.Dispose();
    }

    private IEnumerable<Tensor> Outputs(DeviceBatches feed, CancellationToken cancellation)
    {
        feed.Restart();
        int done = 0;
        while (feed.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            if (feed.Size == 0) continue;
            yield return network.Forward(feed.Current);
            done += feed.Sequences;
            Progress?.Invoke(done);
        }
    }
}
