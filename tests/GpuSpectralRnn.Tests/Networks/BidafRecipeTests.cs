using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>The bidirectional attention reader: its graph, its JSON, its numbers against PyTorch's, pruning on every axis.</summary>
[Collection("ilgpu-cpu")]
public sealed class BidafRecipeTests(IlgpuCpuDevice simulator) : IDisposable
{
    private static readonly IReadOnlyList<ReadingQuestion> Questions = GeneratedReading.Draw(40, 3, DataPart.Train);
    private static readonly ReadingVocabulary Vocabulary = ReadingVocabulary.Of(Questions);

    private readonly HostBackend host = new(threads: 2);
    private readonly TemporaryFolder folder = new();

    private static BidafRecipe Small { get; } = BidafRecipe.Create(Vocabulary, hidden: 5, word: 6, spelling: 4, letter: 3);

    public void Dispose()
    {
        host.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Its_JSON_says_it_all()
    {
        foreach (BidafRecipe recipe in (BidafRecipe[])[Small, Small with { HasFixedWords = true, ContextLength = 50, HighwayLayers = 0 },
            BidafRecipe.Create(new(Vocabulary.Words, []), 4, 3, cell: Cell.Gru, modelLayers: 1)])
        {
            Recipe read = Recipe.FromJson(recipe.ToJson());
            Assert.Equal(recipe, read);
            Assert.Equal(recipe.ToJson(), read.ToJson());
            Assert.Equal(recipe.Build().Parameters, read.Build().Parameters);
            Assert.Equal(recipe.Written().Build().Parameters, recipe.Build().Parameters);
        }
    }

    [Theory]
    [InlineData("\"reader\":\"bidaf\"", "\"reader\":\"bert\"", "bert")]
    [InlineData("\"encoder\":5", "\"encoder\":0", "0 units")]
    [InlineData("\"encoder\":5,", "", "encoder")]
    [InlineData("\"encoder\":5", "\"encoder\":5,\"decoder\":5", "decoder")]
    [InlineData("\"encoder\":5", "\"encoder\":2000000000", "2000000000 units")]
    [InlineData("\"model0_reverse\":5,", "", "model0_reverse")]
    [InlineData("\"highwayLayers\":2", "\"highwayLayers\":99", "99 highway layers")]
    [InlineData("\"characterSpan\":5", "\"characterSpan\":-1", "-1 characters")]
    [InlineData("[\"\\u003Cunk\\u003E\",", "[", "unk")]
    [InlineData("[\"\\u003Cunk\\u003E\",", "[\"\\u003Cunk\\u003E\",null,", "null")]
    [InlineData("\"cell\":\"lstm\"", "\"cell\":\"lsdm\"", "'cell'")]
    [InlineData("\"cell\":", "\"sell\":", "sell")]
    public void Damaged_readers_are_refused(string part, string damage, string word)
    {
        string json = Small.ToJson();
        Assert.Contains(part, json);
        Assert.Contains(word, Assert.Throws<InvalidCallException>(() => Recipe.FromJson(json.Replace(part, damage, StringComparison.Ordinal))).Message);
    }

    // The scores of pairs begin as h . u, nearly: a word of the text is most like the same word of the question.
    [Fact]
    public void Attention_begins_as_the_product_of_both_texts()
    {
        Graph graph = Small.Build();
        string weight = graph.Parameters.Single(spec => spec.Name.StartsWith("attention", StringComparison.Ordinal)).Name;
        using Network network = Network.Create(Small, host, seed: 4);
        float[] w = network.Parameters.Read(weight);
        int width = w.Length / 3;
        Assert.Equal(10, width);
        Assert.All(w[(2 * width)..], x => Assert.Equal(1, x));
        Assert.All(w[..(2 * width)], x => Assert.InRange(Math.Abs(x), 1e-4, 1 / Math.Sqrt(3 * width)));
        Assert.Equal(2 * width, w[..(2 * width)].Distinct().Count());
    }

    [Fact]
    public void Units_are_tied_as_the_paper_reads_them()
    {
        Graph graph = Small.Build();
        Dictionary<string, PrunableAxis> axes = graph.PrunableAxes.ToDictionary(axis => axis.Name);

        Assert.Equal(
            ["encoder", "encoder_reverse", "model0", "model0_reverse", "model1", "model1_reverse", "end", "end_reverse"], axes.Keys.Take(8));
        foreach (string name in (string[])["encoder", "encoder_reverse", "word", "spelling"]) Assert.False(axes[name].IsFoldable, name);
        foreach (string name in (string[])["model0", "model0_reverse", "model1", "model1_reverse", "end", "end_reverse"]) Assert.True(axes[name].IsFoldable, name);
        Assert.Equal(["context.forward", "question.forward"], axes["encoder"].Carriers.Select(value => value.Name));
        Assert.Equal(4, axes["word"].TiedTo.Count); // two layers of gates and candidates
        Assert.False(axes.ContainsKey("letter"));
        Assert.Equal([5, 5, 5, 5, 6, 4], Small.CountUnits(graph));
        Assert.Equal(["encoder", "model0", "model1", "end", "word", "spelling"], Small.GroupUnits(graph).Select(group => group[0]));
    }

    [Fact]
    public void Changed_sizes_are_a_reader_and_factored_matrices_a_graph()
    {
        Recipe small = Small.Change(new Dictionary<string, int> { ["encoder"] = 3, ["encoder_reverse"] = 2, ["word"] = 4, ["highway0.gate.word"] = 4 });
        Assert.IsType<BidafRecipe>(small);
        Assert.Equal(4, small.Build().Axis("highway1.candidate.word").Size);
        Assert.Equal((3, 2), (small.Build().Axis("encoder").Size, small.Build().Axis("encoder_reverse").Size));
        Assert.IsType<GraphRecipe>(Small.Change(new Dictionary<string, int>(), new Dictionary<string, int> { ["model0.forward"] = 2 }));
    }

    // Printed by tests/TorchReader with PyTorch 2.10 (libtorch through TorchSharp 0.107).
    private static readonly (string Name, double[] Values)[] Golden =
    [
        ("start", [-0.32010192, -0.31715563, -0.31058449, -0.30421764, -0.3051455, -0.29844835, -0.29099137]),
        ("end", [0.55816066, 0.53556669, 0.52254665, 0.49243867, 0.46712363, 0.44551787, 0.38638407]),
        ("start", [-0.30769306, -0.29707158, -0.29615223, -0.2973845]),
        ("end", [0.5327239, 0.49479666, 0.45061862, 0.39671618]),
        ("loss", [3.3458724]),
        ("attention.weight", [-0.00011803996]),
        ("encoder.bias_hh", [-0.071500324]),
        ("encoder.bias_hh_reverse", [0.017959876]),
        ("encoder.bias_ih", [-0.071500324]),
        ("encoder.bias_ih_reverse", [0.017959876]),
        ("encoder.weight_hh", [0.015922273]),
        ("encoder.weight_hh_reverse", [0.00033463375]),
        ("encoder.weight_ih", [0.010703678]),
        ("encoder.weight_ih_reverse", [-0.0090739438]),
        ("end.bias", [-4.3886132e-08]),
        ("end.bias_hh", [-0.0097368024]),
        ("end.bias_hh_reverse", [6.5072498e-05]),
        ("end.bias_ih", [-0.0097368024]),
        ("end.bias_ih_reverse", [6.5072498e-05]),
        ("end.weight", [0.021521538]),
        ("end.weight_hh", [0.0019255832]),
        ("end.weight_hh_reverse", [0.00068347785]),
        ("end.weight_ih", [0.0059367078]),
        ("end.weight_ih_reverse", [-0.0063547334]),
        ("highway0.candidate.bias", [-0.009285246]),
        ("highway0.candidate.weight", [0.0019181785]),
        ("highway0.gate.bias", [0.0021477689]),
        ("highway0.gate.weight", [-0.0036604328]),
        ("highway1.candidate.bias", [-0.0056966147]),
        ("highway1.candidate.weight", [0.0064650867]),
        ("highway1.gate.bias", [0.0036397728]),
        ("highway1.gate.weight", [-0.001796148]),
        ("model0.bias_hh", [0.018093957]),
        ("model0.bias_hh_reverse", [-0.030647689]),
        ("model0.bias_ih", [0.018093957]),
        ("model0.bias_ih_reverse", [-0.030647689]),
        ("model0.weight_hh", [-0.0028256841]),
        ("model0.weight_hh_reverse", [-0.0052302862]),
        ("model0.weight_ih", [-0.0049441606]),
        ("model0.weight_ih_reverse", [0.0099147558]),
        ("model1.bias_hh", [-0.0067774206]),
        ("model1.bias_hh_reverse", [0.00052204262]),
        ("model1.bias_ih", [-0.0067774206]),
        ("model1.bias_ih_reverse", [0.00052204262]),
        ("model1.weight_hh", [-0.017596465]),
        ("model1.weight_hh_reverse", [0.014787792]),
        ("model1.weight_ih", [0.011374744]),
        ("model1.weight_ih_reverse", [-0.012251318]),
        ("spelling.bias", [0.01896085]),
        ("spelling.table", [0.0045300331]),
        ("spelling.weight", [-0.010572853]),
        ("start.bias", [-5.6425023e-08]),
        ("start.weight", [-0.17791]),
        ("words.weight", [0.0021634456]),
    ];

    [Fact]
    public void Its_numbers_are_those_of_PyTorch()
    {
        foreach (IBackend backend in (IBackend[])[host, simulator.Backend])
        {
            ReadingVocabulary vocabulary = new(["<unk>", .. "abcdefgh".Select(c => c.ToString())], ["\uFFFD", .. "pqrstu".Select(c => c.ToString())]);
            using Network network = new(BidafRecipe.Create(vocabulary, hidden: 3, word: 4, spelling: 3, letter: 3), backend);
            string[] order = [.. network.Parameters.Slots.Select(slot => slot.Name).Order(StringComparer.Ordinal)];
            foreach (ParameterSpec slot in network.Parameters.Slots)
            {
                int k = Array.IndexOf(order, slot.Name);
                network.Parameters.Write(slot.Name, [.. Enumerable.Range(0, (int)slot.Shape.Count).Select(i => (float)(0.4 * Math.Sin((1.3 * i) + (0.9 * k) + 0.1)))]);
            }

            using DeviceBatches feed = new(new TwoQuestions(), backend, 2);
            using LossTotals totals = backend.Loss.CreateTotals();
            Assert.True(feed.Next());
            network.Forward(feed.Current, isTraining: true);
            float[] start = network.Output(0).ToArray(), end = network.Output(1).ToArray(); // [2, 7]
            new TargetObjective().Apply(network, feed, isTraining: true, totals);
            network.BackwardFromOutputs();
            float[] gradients = network.Parameters.Gradients.ToArray();

            // Single precision on both sides, some hundred roundings of numbers of one at most.
            int place = 0;
            for (int b = 0; b < 2; b++)
            {
                int length = b == 0 ? 7 : 4;
                foreach ((string name, float[] logits) in ((string, float[])[])[("start", start), ("end", end)])
                {
                    Assert.Equal(name, Golden[place].Name);
                    Close.Equal(Golden[place++].Values, logits[(b * 7)..(b * 7 + length)], 1e-4, 1e-5, $"{name} of question {b}");
                    Assert.All(logits[(b * 7 + length)..(b * 7 + 7)], value => Assert.Equal(GpuSpectralRnn.Kernels.StepRows.Masked, value));
                }
            }

            Close.Equal(Golden[place++].Values[0], totals.Read().Loss / 2, 1e-5, 0, "loss");
            Dictionary<string, double> expected = Golden[place..].ToDictionary(pair => pair.Name, pair => pair.Values[0]);
            Assert.Equal(order, expected.Keys.Order(StringComparer.Ordinal));
            foreach (ParameterSpec slot in network.Parameters.Slots)
            {
                double print = 0;
                for (int i = 0; i < slot.Shape.Count; i++) print += gradients[slot.Offset + i] * Math.Sin(i + 1);
                Close.Equal(expected[slot.Name], print, 1e-4, 2e-6, slot.Name);
            }
        }
    }

    [Fact]
    public void Gradients_of_the_whole_agree_with_finite_differences()
    {
        ReadingQuestion[] some = [.. Questions.Take(3)];
        ReadingVocabulary vocabulary = ReadingVocabulary.Of(some, size: 7);
        ReadingData data = new("three", some, vocabulary, 50);
        using Network network = Network.Create(BidafRecipe.Create(vocabulary, hidden: 2, word: 2, spelling: 2, letter: 2, modelLayers: 1), host, seed: 5);
        using DeviceBatches feed = new(data, host, 3);
        using LossTotals totals = host.Loss.CreateTotals();
        TargetObjective objective = new();
        feed.Next();
        network.Forward(feed.Current, isTraining: true);
        objective.Apply(network, feed, isTraining: true, totals);
        host.Fill(network.Parameters.Gradients, 0);
        network.BackwardFromOutputs();

        KinkedDifferences.Check(network.Parameters.Gradients.ToArray(), network.Parameters, Loss, "reader");

        double Loss()
        {
            totals.Reset();
            network.Forward(feed.Current);
            objective.Apply(network, feed, isTraining: false, totals);
            return totals.Read().Loss / feed.Size;
        }
    }

    public static TheoryData<string> Methods =>
        [.. MethodSpec.All.Where(method => method is { Create: not null, IsRefined: false, IsOneWay: false }).Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void It_is_pruned_on_every_axis(string name)
    {
        ReadingData data = new("some", Questions, Vocabulary);
        using Network network = Network.Create(Small, host, seed: 4);
        Calibration calibration = new(network, data);
        MethodSpec method = MethodSpec.Find(name, "name");
        int[] keep = new Budget { Fraction = 0.5 }.Resolve(calibration);

        PruningPlan plan = method.Create!(method.Settings).Plan(calibration, keep);
        using Network sliced = Slicer.Slice(network, plan);
        Parity parity = Parity.OfPlan(network, sliced, plan, data);

        if (!plan.IsUnstructured) Assert.Equal([2, 2, 2, 2, 3, 2], sliced.Recipe.CountUnits(sliced.Graph));
        Assert.True(parity.Difference <= 1e-4 * Math.Max(1, parity.Largest), $"{name}: {parity}");
        Assert.True(parity.Largest < 1e6, $"{name}: masked scores count: {parity}");
        OutputDivergence judged = OutputDivergence.Measure(calibration, sliced);
        Assert.True(double.IsFinite(judged.Divergence) && judged.Agreement is >= 0 and <= 1, $"{name}: {judged}");
        if (name is not "adjoint") return;
        RefinementResult<float[]> refined = Refinement.Refine(calibration, sliced, plan, RefinementBudget.OfSteps(40))!;
        Assert.True(refined.After < refined.Before, $"{name}: {refined}");
    }

    [Fact]
    public void Its_axes_share_one_budget()
    {
        ReadingData data = new("some", Questions, Vocabulary);
        using Network network = Network.Create(Small, host, seed: 4);
        Calibration calibration = new(network, data);

        int[] even = new Budget { Fraction = 0.5 }.Resolve(calibration), shared = new Budget { Fraction = 0.5, IsShared = true }.Resolve(calibration);

        long Count(int[] keep)
        {
            using Network sliced = Slicer.Slice(network, MethodSpec.Find("random", "name") is var random ? random.Create!(random.Settings).Plan(calibration, keep) : null!);
            return sliced.Graph.ParameterCount;
        }

        Assert.InRange(Count(shared), 0.8 * Count(even), 1.2 * Count(even)); // whole units, some of many weights
    }

    [Theory]
    [InlineData("l0")]
    [InlineData("iss")]
    public void It_is_pruned_while_it_trains(string name)
    {
        ReadingData data = new("some", Questions, Vocabulary);
        using Network network = Network.Create(Small, host, seed: 4);
        using ITrainedPruning pruning = name == "l0"
            ? new L0Pruning(new L0Settings { TargetFraction = 0.5 })
            : new IssPruning(new IssSettings { TargetFraction = 0.5 });
        TrainingSettings settings = new() { Epochs = 6, BatchSize = 8, LearningRate = 0.003 };
        using (Trainer trainer = new(network, data, null, settings, pruning)) trainer.Run();

        using Network sliced = pruning.Finish()!;

        Parity parity = Parity.Compare(network, sliced, data);
        Assert.True(parity.Difference <= 1e-4 * Math.Max(1, parity.Largest), $"{name}: {parity}");
        Assert.IsType<BidafRecipe>(sliced.Recipe);
        Assert.True(sliced.Graph.ParameterCount < 0.8 * network.Graph.ParameterCount);
        ModelFile.Save(folder.File("model"), sliced);
        using Network loaded = ModelFile.Load(folder.File("model"), host);
        Assert.Equal(0, Parity.Compare(sliced, loaded, data).Difference);
    }

    [Fact]
    public void Runs_with_averaged_weights_resume_to_the_bit()
    {
        ReadingData data = new("some", Questions, Vocabulary);
        TrainingSettings settings = new()
        {
            Epochs = 3, BatchSize = 8, Optimizer = OptimizerKind.Adadelta, LearningRate = 0.5, Average = 0.9, Dropout = 0.2,
        };
        string path = folder.File("checkpoint");
        using (CancellationTokenSource stop = new())
        using (Network network = Network.Create(Small, host, seed: 3))
        {
            using Trainer first = new(network, data, data, settings)
            {
                CheckpointPath = path,
                ReportEvery = TimeSpan.Zero,
                Stepped = report => { if (report.Step == 7) stop.Cancel(); },
            };
            Assert.True(first.Run(stop.Token).IsCancelled);
        }

        using Network resumed = Network.Create(Small, host, seed: 9), whole = Network.Create(Small, host, seed: 3);
        using (Trainer second = new(resumed, data, data, settings))
        {
            second.Restore(Checkpoint.Load(path));
            second.Run();
        }

        TrainingResult result;
        using (Trainer at = new(whole, data, data, settings)) result = at.Run();
        Assert.Equal(whole.Parameters.Values.ToArray(), resumed.Parameters.Values.ToArray());
        using Evaluator evaluator = new(whole, data, 8);
        Assert.Equal(result.Validation, evaluator.Run()); // what it was judged by is what it holds
        Assert.Equal(("exact-match", true), (result.Validation!.Metric, result.Validation.IsLargerBetter));
        Assert.NotNull(result.Validation.F1);
    }

    [Fact]
    public void Tables_that_are_given_stay()
    {
        ReadingData data = new("some", Questions, Vocabulary);
        using Network network = Network.Create(Small with { HasFixedWords = true }, host, seed: 3);
        float[] before = network.Parameters[BidafRecipe.WordTable].ToArray(), other = network.Parameters["start.weight"].ToArray();
        using Trainer trainer = new(network, data, null, new() { Epochs = 1, BatchSize = 8, WeightDecay = 0.1 });
        trainer.Run();

        Assert.Equal(before, network.Parameters[BidafRecipe.WordTable].ToArray());
        Assert.NotEqual(other, network.Parameters["start.weight"].ToArray());
    }

    // What tests/TorchReader reads, one padded to the other.
    private sealed class TwoQuestions : ISequenceData
    {
        private static readonly (int[] Words, int[][] Letters)[] Contexts =
        [
            ([1, 5, 3, 8, 2, 4, 7], [[1, 2], [3], [4, 5, 6, 1, 2, 3], [2], [6, 6, 1], [5, 4], [3, 2, 1]]), ([2, 0, 6, 1], [[6], [5, 1, 0, 4], [3, 3], [1]]),
        ];

        private static readonly (int[] Words, int[][] Letters)[] Asked =
        [
            ([3, 6, 1], [[4, 5], [1, 1, 1], [2]]), ([7, 2, 4, 5, 0], [[1], [2, 3], [6, 5], [4], [2, 2]]),
        ];

        public string Name => "two questions";

        public int Count => 2;

        public SequenceLayout Layout { get; } = new(
            [
                new("context", 7, 1, 9), new FieldLayout("context.letters", 7, 1, 7) { Characters = 6 },
                new("question", 5, 1, 9), new FieldLayout("question.letters", 5, 1, 7) { Characters = 6 },
            ],
            [new(TargetKind.Label, 7), new(TargetKind.Label, 7)]);

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            batch.Resize(indices.Length);
            foreach (BatchField field in batch.Fields) field.Tokens.Clear();
            batch.Fields[1].Lengths.Clear();
            batch.Fields[3].Lengths.Clear();
            for (int b = 0; b < indices.Length; b++)
            {
                Fill(Contexts[indices[b]], 0, b);
                Fill(Asked[indices[b]], 2, b);
                (batch.Labels[b], batch.Targets[1].Labels[b]) = indices[b] == 0 ? (2, 3) : (0, 2);
            }

            void Fill((int[] Words, int[][] Letters) text, int place, int b)
            {
                (BatchField words, BatchField letters) = (batch.Fields[place], batch.Fields[place + 1]);
                words.Lengths[b] = text.Words.Length;
                for (int t = 0; t < text.Words.Length; t++)
                {
                    int cell = (t * batch.Size) + b;
                    words.Tokens[cell] = text.Words[t];
                    letters.Lengths[cell] = text.Letters[t].Length;
                    for (int w = 0; w < text.Letters[t].Length; w++) letters.Tokens[(w * words.Layout.Steps * batch.Size) + cell] = text.Letters[t][w];
                }
            }
        }
    }
}
