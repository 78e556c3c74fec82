using System.Diagnostics;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// The big network as the teacher of a distillation: for every batch its outputs and, where wanted, the states of some of its units. Every run and
/// every pass asks about the same sequences, so the answers are kept where they fit into memory and then looked up by the sequences' numbers: the big
/// network, which is most of a step's work, runs over each sequence once (docs/method.md, section 7.5).
/// </summary>
internal sealed class Teacher : IDisposable
{
    /// <summary>Memory for answers; more are not kept but computed again for every step.</summary>
    public const long MostBytes = 256L << 20;

    private readonly Network network;
    private readonly DisposableBag owned = new();
    private readonly Answer[] answers; // the outputs, then the states
    private readonly Dictionary<int, Tensor> places = []; // Int32 [T B] by T: the rows of the tables that a batch's answers have
    private readonly bool[] isKnown; // of each sequence; empty where answers are not kept
    private readonly Stopwatch asking = new();
    private readonly int batchSize;
    private int asked;

    /// <summary>Takes the memory.</summary>
    /// <param name="network">The big network, whose outputs and states are asked for; not changed.</param>
    /// <param name="inputs">The sequences.</param>
    /// <param name="batchSize">The largest batch.</param>
    /// <param name="states">Names of sequences of states with the units that matter, ascending.</param>
    /// <param name="mostBytes">Memory for answers.</param>
    public Teacher(Network network, ISequenceData inputs, int batchSize, IReadOnlyList<(string State, int[] Kept)> states, long mostBytes = MostBytes)
    {
        (this.network, this.batchSize) = (network, batchSize);
        Value[] values = [.. network.Graph.Outputs, .. states.Select(state => network.Graph.Value(state.State))];
        int[] widths = [.. network.Graph.Outputs.Select(output => output.Width), .. states.Select(state => state.Kept.Length)];
        int[] steps = [.. values.Select(value => value.Kind == ValueKind.Sequence ? inputs.Layout.Fields[network.Graph.FieldIndex(value)].Steps : 1)];
        long bytes = sizeof(float) * (long)inputs.Count * widths.Zip(steps, (width, count) => (long)width * count).Sum();
        Keeps = !inputs.Layout.IsStream && bytes <= mostBytes && values.All(value => value.Kind is ValueKind.Sequence or ValueKind.Vector);
        isKnown = new bool[Keeps ? inputs.Count : 0];
        answers = new Answer[values.Length];
        IBackend backend = network.Backend;
        try
        {
            for (int i = 0; i < values.Length; i++)
            {
                int state = i - network.Graph.Outputs.Count;
                answers[i] = new Answer(values[i], steps[i], widths[i])
                {
                    Selector = state < 0 ? null : owned.Keep(Selector(backend, values[i].Width, states[state].Kept)),
                    Rows = state < 0 && !Keeps ? null : owned.Keep(backend.Allocate(new Shape(steps[i] * batchSize, widths[i]))),
                    Table = Keeps ? owned.Keep(backend.Allocate(new Shape(inputs.Count * steps[i], widths[i]))) : null,
                };
                if (Keeps && !places.ContainsKey(steps[i]))
                    places.Add(steps[i], owned.Keep(backend.Allocate(new Shape(steps[i] * batchSize), ElementType.Int32)));
            }
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }

    /// <summary>Whether answers are kept.</summary>
    public bool Keeps { get; }

    /// <summary>Seconds in which the network was asked for answers to keep, those of a batch, and how many batches are still to come.</summary>
    public (double Spent, double PerBatch, int Batches) Once
    {
        get
        {
            double spent = asking.Elapsed.TotalSeconds;
            return (spent, spent / Math.Max(1, asked), (isKnown.Count(known => !known) + batchSize - 1) / batchSize);
        }
    }

    /// <summary>Asks about a batch.</summary>
    public void See(DeviceBatches feed)
    {
        int unknown = 0;
        foreach (int number in Keeps ? feed.Numbers : []) unknown += isKnown[number] ? 0 : 1;
        if (Keeps && unknown == 0) LookUp(feed);
        else Ask(feed, isNew: Keeps && unknown == feed.Size);
    }

    /// <summary>An output for the batch, of the shape that the network gives it.</summary>
    /// <param name="index">Its place in <see cref="Graph.Outputs"/>.</param>
    public Tensor Output(int index) => answers[index].Current!;

    /// <summary>The kept units' states for the batch, [T, B, k].</summary>
    /// <param name="index">Their place among those asked for.</param>
    public Tensor State(int index) => answers[network.Graph.Outputs.Count + index].Current!;

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    // E_J [m, k]: a product with it gives the kept units' states, exactly.
    private static Tensor Selector(IBackend backend, int units, int[] kept)
    {
        Matrix ones = new(units, kept.Length);
        for (int i = 0; i < kept.Length; i++) ones[kept[i], i] = 1;
        return StatisticsCollector.Upload(backend, ones.ToSingle(), units, kept.Length);
    }

    private void Ask(DeviceBatches feed, bool isNew)
    {
        if (isNew) asking.Start();
        network.Forward(feed.Current);
        for (int i = 0; i < answers.Length; i++)
        {
            Answer answer = answers[i];
            answer.Current = answer.Selector is null ? network.Output(i) : answer.Batch(feed.Size);
            if (answer.Selector is { } selector)
                network.Backend.Matrix.Gemm(new(false, false, 1, network.Values(answer.Value.Name), selector, 0, answer.Current));
        }

        if (!isNew) return;
        Place(feed);
        foreach (Answer answer in answers)
            network.Backend.Embedding.Backward(new(PlacesOf(answer, feed.Size), answer.Table!, answer.Current!)); // adds to zeros
        foreach (int number in feed.Numbers) isKnown[number] = true;
        asking.Stop();
        asked++;
    }

    private void LookUp(DeviceBatches feed)
    {
        Place(feed);
        foreach (Answer answer in answers)
        {
            answer.Current = answer.Batch(feed.Size);
            network.Backend.Embedding.Forward(new(PlacesOf(answer, feed.Size), answer.Table!, answer.Current));
        }
    }

    // Row t B + b of a batch is row n T + t of a table, n being the number of sequence b.
    private void Place(DeviceBatches feed)
    {
        ReadOnlySpan<int> numbers = feed.Numbers;
        foreach ((int steps, Tensor places) in places)
        {
            int[] rows = new int[steps * numbers.Length];
            for (int t = 0, row = 0; t < steps; t++)
                foreach (int number in numbers) rows[row++] = (number * steps) + t;
            places.View(0, rows.Length).CopyFrom<int>(rows);
        }
    }

    private Tensor PlacesOf(Answer answer, int size) => places[answer.Steps].View(0, answer.Steps * size);

    // One thing to ask for: steps 1 of a vector.
    private sealed record Answer(Value Value, int Steps, int Width)
    {
        public Tensor? Selector { get; init; }

        public Tensor? Rows { get; init; } // [T B, width], of a batch

        public Tensor? Table { get; init; } // [N T, width], of all sequences

        public Tensor? Current { get; set; }

        public Tensor Batch(int size) =>
            Value.Kind == ValueKind.Sequence ? Rows!.View(0, Steps, size, Width) : Rows!.View(0, size, Width);
    }
}
