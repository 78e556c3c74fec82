using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
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

/// <summary>
/// A network that no stack can express: two texts of tokens through one shared bidirectional encoder, attention of both to each other, two outputs.
/// </summary>
public sealed class ReaderGraphTests : IDisposable
{
    private const int Vocabulary = 8, Embedded = 6, Hidden = 5, Modelled = 7, Classes = 4;

    private readonly HostBackend host = new(threads: 2);
    private readonly TemporaryFolder folder = new();

    public static GraphRecipe Recipe { get; } = new()
    {
        Fields = [new Field { Name = "context", Vocabulary = Vocabulary }, new Field { Name = "question", Vocabulary = Vocabulary }],
        Axes = new Dictionary<string, int>
        {
            ["word"] = Embedded, ["gate"] = Embedded, ["candidate"] = Embedded, ["forward"] = Hidden, ["reverse"] = Hidden, ["model"] = Modelled,
            ["asked"] = Classes, ["told"] = Classes,
        },
        Modules =
        [
            new Embedding { Name = "context.words", Inputs = ["context"], Axis = "word", Weight = "words" },
            new Embedding { Name = "question.words", Inputs = ["question"], Axis = "word", Weight = "words" },
            .. Encoder("context"),
            .. Encoder("question"),
            new GpuSpectralRnn.Networks.Modules.Attention { Name = "attention", Inputs = ["context.encoded", "question.encoded"] },
            new Dropout { Name = "attention.dropped", Inputs = ["attention"], Stream = 7 },
            new Recurrent { Name = "model", Inputs = ["attention.dropped"], Cell = Cell.Gru, Axis = "model" },
            new MeanOverSteps { Name = "mean", Inputs = ["model"] },
            new LastStep { Name = "last", Inputs = ["question.encoded"] },
            new Linear { Name = "asked", Inputs = ["last"], Axes = ["asked"] },
            new Linear { Name = "told", Inputs = ["mean"], Axes = ["told"] },
        ],
        Outputs = ["asked", "told"],
    };

    public void Dispose()
    {
        host.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Its_JSON_says_it_all()
    {
        Recipe read = GpuSpectralRnn.Networks.Recipe.FromJson(Recipe.ToJson());

        Assert.Equal(Recipe, read);
        Assert.Equal(Recipe.Build().Parameters, read.Build().Parameters);
        Assert.Contains("\"type\":\"attention\"", Recipe.ToJson());
    }

    [Theory]
    [InlineData("\"fields\":[", "\"fields\":[null,", "null")]
    [InlineData("\"modules\":[", "\"modules\":[null,", "null")]
    [InlineData("\"inputs\":[", "\"inputs\":[null,", "null")]
    [InlineData("\"outputs\":[", "\"outputs\":[null,", "null")]
    [InlineData("\"model\":7", "\"model\":0", "0 units")]
    [InlineData("\"model\":7", "\"model\":2000000000", "2000000000 units")]
    [InlineData("\"model\":7", "\"model\":1048576", "parameters")]
    [InlineData("\"axis\":\"model\"", "\"axis\":\"model\",\"rank\":-3", "rank -3")]
    [InlineData("\"axis\":\"model\"", "\"axis\":\"model\",\"rank\":8", "rank 8")]
    [InlineData("\"vocabulary\":8", "\"vocabulary\":2000000000", "2000000000 tokens")]
    [InlineData("\"type\":\"attention\"", "\"type\":\"attraction\"", "cannot be read")]
    [InlineData("\"context.gate\",\"context.candidate\",", "\"context.gate\",", "takes three")]
    public void Damaged_graphs_are_refused(string part, string damage, string word)
    {
        string json = Recipe.ToJson();
        int place = json.IndexOf(part, StringComparison.Ordinal);
        string damaged = json.Remove(place, part.Length).Insert(place, damage);

        Assert.Contains(word, Assert.Throws<InvalidCallException>(() => GpuSpectralRnn.Networks.Recipe.FromJson(damaged)).Message);
    }

    [Fact]
    public void Truncated_graphs_are_told_to_be_no_JSON()
    {
        string json = Recipe.ToJson();
        for (int length = 0; length < json.Length; length++)
        {
            string cut = json[..length];
            Assert.Contains("no valid JSON", Assert.Throws<InvalidCallException>(() => GpuSpectralRnn.Networks.Recipe.FromJson(cut)).Message);
        }
    }

    [Theory]
    [InlineData("modules", "'modoles' is not known")]
    [InlineData("fields", "'fialds' is not known")]
    [InlineData("axes", "'exes' is not known")]
    public void Misspelt_members_of_graphs_are_named(string member, string reason)
    {
        string damaged = Recipe.ToJson().Replace($"\"{member}\":", $"\"{reason.Split('\'')[1]}\":");

        Assert.Contains(reason, Assert.Throws<InvalidCallException>(() => GpuSpectralRnn.Networks.Recipe.FromJson(damaged)).Message);
    }

    [Fact]
    public void Units_are_tied_as_the_modules_read_them()
    {
        IReadOnlyList<PrunableAxis> axes = Recipe.Build().PrunableAxes;

        Assert.Equal(["forward", "reverse", "model", "word", "gate", "candidate"], axes.Select(axis => axis.Name));
        Assert.Equal([false, false, true, false, false, false], axes.Select(axis => axis.IsFoldable));
        Assert.Equal(["candidate", "gate"], axes.Single(axis => axis.Name == "word").TiedTo.Order());
        Assert.Equal(["context.forward", "question.forward"], axes[0].Carriers.Select(value => value.Name));
    }

    [Fact]
    public void It_learns_is_saved_and_resumed_to_the_bit()
    {
        PairData data = new(300, isLabelled: true);
        TrainingSettings settings = new() { Epochs = 10, BatchSize = 20, LearningRate = 0.01, Optimizer = OptimizerKind.Adam, Dropout = 0.1 };
        using Network network = Network.Create(Recipe, host, seed: 3);
        string path = folder.File("checkpoint");
        using (CancellationTokenSource stop = new())
        {
            using Trainer first = new(network, data, null, settings)
            {
                CheckpointPath = path,
                ReportEvery = TimeSpan.Zero,
                Stepped = report => { if (report.Step == 37) stop.Cancel(); },
            };
            Assert.True(first.Run(stop.Token).IsCancelled);
        }

        using Network resumed = Network.Create(Recipe, host, seed: 9), whole = Network.Create(Recipe, host, seed: 3);
        using (Trainer second = new(resumed, data, null, settings))
        {
            second.Restore(Checkpoint.Load(path));
            second.Run();
        }

        using Trainer at = new(whole, data, null, settings);
        at.Run();
        Assert.Equal(whole.Parameters.Values.ToArray(), resumed.Parameters.Values.ToArray());

        using Evaluator evaluator = new(whole, data, 50);
        Evaluation evaluation = evaluator.Run();
        Assert.True(evaluation.Value > 0.9, $"{evaluation}"); // by chance a quarter
        ModelFile.Save(folder.File("model"), whole);
        using Network loaded = ModelFile.Load(folder.File("model"), host);
        Assert.Equal(0, Parity.Compare(whole, loaded, data).Difference);
    }

    public static TheoryData<string> Methods =>
        [.. MethodSpec.All.Where(method => method is { Create: not null, IsRefined: false, IsOneWay: false }).Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void It_is_pruned_on_every_axis(string name)
    {
        PairData data = new(60, isLabelled: false);
        using Network network = Network.Create(Recipe, host, seed: 4);
        Calibration calibration = new(network, data);
        MethodSpec method = MethodSpec.Find(name, "name");
        int[] keep = new Budget { Fraction = 0.6 }.Resolve(calibration);

        PruningPlan plan = method.Create!(method.Settings).Plan(calibration, keep);
        using Network sliced = Slicer.Slice(network, plan);
        Parity parity = Parity.OfPlan(network, sliced, plan, data);

        if (!plan.IsUnstructured) Assert.Equal([3, 3, 4, 4, 4, 4], sliced.Graph.PrunableAxes.Select(axis => axis.Units));
        Assert.True(parity.Difference <= 1e-4 * Math.Max(1, parity.Largest), $"{name}: {parity}");
        Assert.Equal(2, sliced.Graph.Nodes.Count(node => node.Module is Recurrent { Weights: "encoder.*_forward" })); // shared as before
        OutputDivergence judged = OutputDivergence.Measure(calibration, sliced);
        Assert.True(double.IsFinite(judged.Divergence));
        if (name is not ("adjoint" or "magnitude-weight")) return; // with hints, and with a mask
        RefinementResult<float[]> refined = Refinement.Refine(calibration, sliced, plan, RefinementBudget.OfSteps(40))!;
        Assert.True(refined.After < refined.Before, $"{name}: {refined}");
    }

    [Fact]
    public void A_plan_that_keeps_other_units_of_tied_axes_is_refused()
    {
        using Network network = Network.Create(Recipe, host, seed: 4);
        UnitPlan[] plans = [.. network.Graph.PrunableAxes.Select(axis => UnitPlan.Whole(axis.Units))];
        plans[3] = UnitPlan.Whole(Embedded) with { Kept = [0, 2] };
        plans[4] = plans[5] = UnitPlan.Whole(Embedded) with { Kept = [0, 3] };
        Assert.Contains("read together", Assert.Throws<ArgumentException>(() => Slicer.Slice(network, new PruningPlan("wrong", plans))).Message);
        plans[4] = plans[5] = plans[3];
        plans[3] = plans[3] with { Fold = new(Embedded, 2) };
        Assert.Contains("element by element", Assert.Throws<ArgumentException>(() => Slicer.Slice(network, new PruningPlan("wrong", plans))).Message);
    }

    // Both texts by modules that share their parameters.
    private static Module[] Encoder(string text) =>
    [
        new Linear { Name = $"{text}.gate", Inputs = [$"{text}.words"], Axes = ["gate"], Weight = "gate.weight", Bias = "gate.bias" },
        new Linear
        { Name = $"{text}.candidate", Inputs = [$"{text}.words"], Axes = ["candidate"], Weight = "candidate.weight", Bias = "candidate.bias" },
        new Highway { Name = $"{text}.highway", Inputs = [$"{text}.gate", $"{text}.candidate", $"{text}.words"] },
        new Recurrent { Name = $"{text}.forward", Inputs = [$"{text}.highway"], Cell = Cell.Lstm, Axis = "forward", Weights = "encoder.*_forward" },
        new Recurrent
        {
            Name = $"{text}.reverse", Inputs = [$"{text}.highway"], Cell = Cell.Lstm, Axis = "reverse", IsReverse = true,
            Weights = "encoder.*_reverse",
        },
        new Concat { Name = $"{text}.encoded", Inputs = [$"{text}.forward", $"{text}.reverse"] },
    ];

    /// <summary>Pairs of texts: the question's last token asks for a class, and the context's first token tells one.</summary>
    private sealed class PairData(int count, bool isLabelled) : ISequenceData
    {
        private const int Context = 6, Question = 4;

        public string Name => "pairs";

        public int Count => count;

        public SequenceLayout Layout { get; } = new(
            [new FieldLayout("context", Context, 1, Vocabulary), new FieldLayout("question", Question, 1, Vocabulary)],
            isLabelled ? [new(TargetKind.Label, Classes), new(TargetKind.Label, Classes)] : []);

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            batch.Resize(indices.Length);
            for (int b = 0; b < indices.Length; b++)
            {
                Random random = new(indices[b] + 1);
                (int context, int question) = (random.Next(2, Context + 1), random.Next(1, Question + 1));
                (batch.Lengths[b], batch.Fields[1].Lengths[b]) = (context, question);
                int told = 0, asked = 0;
                for (int t = 0; t < Context; t++)
                {
                    int token = random.Next(Vocabulary);
                    batch.Tokens[(t * indices.Length) + b] = t < context ? token : 0;
                    if (t == 0) told = token / 2;
                }

                for (int t = 0; t < Question; t++)
                {
                    int token = random.Next(Vocabulary);
                    batch.Fields[1].Tokens[(t * indices.Length) + b] = t < question ? token : 0;
                    if (t == question - 1) asked = token / 2;
                }

                if (!isLabelled) continue;
                batch.Labels[b] = asked;
                batch.Targets[1].Labels[b] = told;
            }
        }
    }
}
