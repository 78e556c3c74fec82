using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>Words and their characters from a data set: trained on, compared, measured and pruned as every other network.</summary>
public sealed class SpelledWordsTests : IDisposable
{
    private const int Words = 5, Letters = 4, Vocabulary = 6, Alphabet = 7, Asked = 3;

    private readonly HostBackend host = new(threads: 2);

    public static GraphRecipe Recipe { get; } = new()
    {
        Fields = [new Field { Name = "words", Vocabulary = Vocabulary }, new Field { Name = "letters", Vocabulary = Alphabet, CharactersOf = "words" }],
        Axes = new Dictionary<string, int> { ["word"] = 3, ["letter"] = 4, ["filter"] = 8, ["hidden"] = 8, ["class"] = 2 },
        Modules =
        [
            new Embedding { Name = "meaning", Inputs = ["words"], Axis = "word" },
            new CharacterConvolution { Name = "spelling", Inputs = ["letters"], Axis = "filter", CharacterAxis = "letter", Span = 2 },
            new Concat { Name = "both", Inputs = ["meaning", "spelling"] },
            new Recurrent { Name = "l0", Inputs = ["both"], Cell = Cell.Gru, Axis = "hidden" },
            new LastStep { Name = "last", Inputs = ["l0"] },
            new Linear { Name = "answer", Inputs = ["last"], Axes = ["class"] },
        ],
        Outputs = ["answer"],
    };

    public void Dispose() => host.Dispose();

    [Fact]
    public void A_network_learns_what_only_the_spelling_tells()
    {
        SpelledWords train = new(400, "train"), test = new(200, "test", first: 400);
        using Network network = Network.Create(Recipe, host, seed: 1);
        using (Trainer trainer = new(network, train, null, new() { Epochs = 20, BatchSize = 20, LearningRate = 0.01, Optimizer = OptimizerKind.Adam }))
            trainer.Run();

        using Evaluator evaluator = new(network, test, 64);
        Assert.True(evaluator.Run().Value > 0.9); // by chance about 0.6

        Calibration calibration = new(network, Subset.Limit(train, 100));
        PruningPlan plan = new SpectralPruning(new()).Plan(calibration, new Budget { Fraction = 0.75 }.Resolve(calibration));
        using Network sliced = Slicer.Slice(network, plan);
        Parity parity = Parity.OfPlan(network, sliced, plan, test);
        Assert.True(parity.Difference <= 1e-4 * Math.Max(1, parity.Largest), $"{parity}");
    }

    [Fact]
    public void Data_of_other_fields_are_refused()
    {
        SpelledWords data = new(10, "data");
        Assert.Contains("words of 7 characters", Refusal(data.Layout with { Fields = [data.Layout.Fields[1] with { Name = "words" }, data.Layout.Fields[1]] }));
        Assert.Contains("letters, words", Refusal(data.Layout with { Fields = [data.Layout.Fields[1], data.Layout.Fields[0]] }));
        Assert.Contains("7 tokens", Refusal(data.Layout with { Fields = [data.Layout.Fields[0], new("letters", Words, 1, Alphabet)] }));
        Assert.Contains("6 words of", Refusal(data.Layout with { Fields = [data.Layout.Fields[0], data.Layout.Fields[1] with { Steps = 6 }] }));
        Assert.Contains("label 3", Refusal(data.Layout with { Targets = [new(TargetKind.Label, 3)] }));

        static string Refusal(SequenceLayout layout) => Assert.Throws<InvalidCallException>(() => Recipe.CheckFits(layout, "these")).Message;
    }

    [Fact]
    public void The_content_of_every_field_and_target_counts()
    {
        string hash = ContentHash.Compute(new SpelledWords(10, "data"));
        Assert.Equal(hash, ContentHash.Compute(new SpelledWords(10, "again")));
        Assert.NotEqual(hash, ContentHash.Compute(new SpelledWords(10, "data", otherLetter: true)));
    }

    /// <summary>Random words of random letters; the class says whether the last word has the letter <see cref="Asked"/>.</summary>
    private sealed class SpelledWords(int count, string name, int first = 0, bool otherLetter = false) : ISequenceData
    {
        public string Name => name;

        public int Count => count;

        public SequenceLayout Layout { get; } = new(
            [new FieldLayout("words", Words, 1, Vocabulary), new FieldLayout("letters", Words, 1, Alphabet) { Characters = Letters }],
            [new(TargetKind.Label, 2)]);

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            batch.Resize(indices.Length);
            BatchField letters = batch.Fields[1];
            batch.Tokens.Clear();
            letters.Tokens.Clear();
            letters.Lengths.Clear();
            for (int b = 0; b < indices.Length; b++)
            {
                Random random = new(first + indices[b] + 1);
                batch.Lengths[b] = random.Next(1, Words + 1);
                for (int t = 0; t < batch.Lengths[b]; t++)
                {
                    int cell = (t * indices.Length) + b;
                    batch.Tokens[cell] = random.Next(Vocabulary);
                    letters.Lengths[cell] = random.Next(1, Letters + 1);
                    batch.Labels[b] = 0;
                    for (int w = 0; w < letters.Lengths[cell]; w++)
                    {
                        int letter = random.Next(1, Alphabet);
                        letters.Tokens[(w * Words * indices.Length) + cell] = otherLetter && b == 0 && t == 0 && w == 0 ? 0 : letter;
                        if (letter == Asked) batch.Labels[b] = 1;
                    }
                }
            }
        }
    }
}
