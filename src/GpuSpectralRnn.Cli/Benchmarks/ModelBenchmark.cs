using System.Diagnostics;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>Times of one model for one number of sequences.</summary>
/// <param name="Milliseconds">Median of a forward pass over all sequences.</param>
/// <param name="Speed">How many times as fast as the first model: the median over the rounds of the ratio of times within a round.</param>
/// <param name="Lower">The lower quartile of these ratios.</param>
/// <param name="Upper">The upper quartile.</param>
internal sealed record ModelTiming(double Milliseconds, double Speed, double Lower, double Upper);

/// <summary>
/// Networks of the same inputs against each other: forward passes over one random input, one network after the other in every round, so that what
/// else the machine does meets all alike.
/// </summary>
internal sealed class ModelBenchmark : IDisposable
{
    /// <summary>Characters of the longest word, where a network reads words by their characters.</summary>
    private const int Characters = 12;

    private readonly IBackend backend;
    private readonly List<Network> networks = [];

    /// <summary>Reads the models, or draws the weights of stacks (<see cref="StackText"/>).</summary>
    /// <exception cref="InvalidCallException">A file is missing or no model, or the models read different inputs.</exception>
    public ModelBenchmark(IBackend backend, IReadOnlyList<string> models)
    {
        (this.backend, Models) = (backend, models);
        try
        {
            foreach (string model in models)
            {
                networks.Add(StackText.Find(model) is { } stack ? Network.Create(stack, backend, seed: 1) : ModelFile.Load(model, backend));
                if (Inputs(networks[0]) != Inputs(networks[^1]))
                    throw new InvalidCallException(
                        $"{models[0]} reads {Inputs(networks[0])} and {model} reads {Inputs(networks[^1])}; models are timed on the same input, so give models of one.");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The models as they were given.</summary>
    public IReadOnlyList<string> Models { get; }

    /// <summary>Number of weights and biases of a model.</summary>
    public long Parameters(int model) => networks[model].Parameters.Count;

    /// <summary>Multiply-adds of a model for one sequence.</summary>
    public long MultiplyAdds(int model, int steps)
    {
        Graph graph = networks[model].Graph;
        FieldLayout[] fields = [.. graph.Fields.Select(field => new FieldLayout(field.Name, steps, 1) { Characters = field.CharactersOf is null ? 0 : Characters })];
        return graph.MultiplyAdds(new SequenceLayout(fields, []));
    }

    /// <summary>How many times fewer multiply-adds than the first model's a sequence takes.</summary>
    public double Saving(int model, int steps) => (double)MultiplyAdds(0, steps) / MultiplyAdds(model, steps);

    /// <summary>Times every model in every round, each pass until the device has finished, after two rounds to warm up and a second of them.</summary>
    public IReadOnlyList<ModelTiming> Run(int steps, int batch, int rounds)
    {
        using DisposableBag owned = new();
        SequenceBatch input = Draw(owned, steps, batch);
        double[][] times = [.. networks.Select(_ => new double[rounds])];
        MedianTime.WarmUp(backend, () => networks.ForEach(network => network.Forward(input)), RecurrentBenchmark.WarmUp);
        for (int round = 0; round < rounds; round++)
        {
            for (int model = 0; model < networks.Count; model++)
            {
                backend.Synchronize();
                long start = Stopwatch.GetTimestamp();
                networks[model].Forward(input);
                backend.Synchronize();
                times[model][round] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
        }

        return
        [
            .. from own in times
               let ratios = own.Select((time, round) => times[0][round] / time).Order().ToArray()
               select new ModelTiming(MedianTime.Of(own), MedianTime.Of(ratios), ratios[(rounds - 1) / 4], ratios[^(((rounds - 1) / 4) + 1)]),
        ];
    }

    /// <inheritdoc/>
    public void Dispose() => networks.ForEach(network => network.Dispose());

    private static string Inputs(Network network) => string.Join(", ", network.Graph.Fields.Select(field => network.Graph.Value(field.Name) switch
    {
        { Kind: ValueKind.Sequence } value => $"{value.Width} numbers a step",
        var value => $"{value.Kind.Name()} of {value.Vocabulary}",
    }));

    // Normal numbers, tokens drawn uniformly; all sequences of full length, from zero.
    private SequenceBatch Draw(DisposableBag owned, int steps, int batch)
    {
        Graph graph = networks[0].Graph;
        List<SequenceField> fields = [];
        foreach (Value value in graph.Fields.Select(field => graph.Value(field.Name)))
        {
            ulong stream = (ulong)fields.Count;
            if (value.Kind == ValueKind.Sequence)
            {
                Tensor numbers = owned.Keep(backend.Allocate(new Shape(steps, batch, value.Width)));
                backend.Random.Normal(new(numbers, Seed: 1, stream, 0, 1));
                fields.Add(new SequenceField(numbers));
                continue;
            }

            bool isSpelt = value.Kind == ValueKind.Characters;
            Tensor tokens = owned.Keep(backend.Allocate(isSpelt ? new Shape(Characters, steps, batch) : new Shape(steps, batch), ElementType.Int32));
            int[] drawn = [.. Enumerable.Range(0, (int)tokens.Count).Select(i => (int)(Philox.Word(1, stream, (ulong)i) % (uint)value.Vocabulary))];
            tokens.CopyFrom<int>(drawn);
            Tensor? lengths = isSpelt ? owned.Keep(backend.Allocate(new Shape(steps, batch), ElementType.Int32)) : null;
            lengths?.CopyFrom<int>([.. Enumerable.Repeat(Characters, steps * batch)]);
            fields.Add(new SequenceField(tokens, lengths));
        }

        return new SequenceBatch(fields) { IsWhole = true };
    }
}
