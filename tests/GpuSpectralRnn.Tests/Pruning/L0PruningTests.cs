using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Tests.Training;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

[Collection("ilgpu-cpu")]
public sealed class L0PruningTests(IlgpuCpuDevice simulator) : IDisposable
{
    // P(z != 0) = sigmoid(log alpha - beta log(-gamma / zeta)).
    private const double Shift = 1.5986035;

    private readonly HostBackend host = new(2);
    private readonly TemporaryFolder folder = new();

    // 23 sequences in batches of 4: six steps an epoch, the last of three sequences.
    private static readonly TrainingSettings Run = new() { Epochs = 3, BatchSize = 4, LearningRate = 0.01, Seed = 9 };

    private static readonly L0Settings Third = new() { TargetFraction = 1.0 / 3, GateRate = 0.2 };

    public void Dispose()
    {
        host.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(false, GatedUnits.All)]
    [InlineData(true, GatedUnits.All)]
    [InlineData(false, GatedUnits.Hidden)]
    [InlineData(true, GatedUnits.Inputs)]
    public void The_penalty_has_its_gradient_on_both_backends(bool isBidirectional, GatedUnits gates)
    {
        foreach (IBackend backend in (IBackend[])[host, simulator.Backend])
        {
            using Network network = TestNetworks.Make(backend, Cell.Gru, [5, 4], Readout.Last, inputs: 3, isBidirectional: isBidirectional);
            using L0Pruning pruning = new(new L0Settings { PenaltyFactor = 0.7, Gates = gates });
            string[] axes = pruning.FindAxes(network);
            Assert.Equal((isBidirectional ? 4 : 2, 1, (isBidirectional ? 4 : 2) + 1), (Count(GatedUnits.Hidden), Count(GatedUnits.Inputs), Count(GatedUnits.All)));
            using GateBlock block = new(network, axes, seed: 3);
            block.Start(0.3);
            ExpectedWeights weights = new(network, block.Axes);

            block.SumOpen();
            weights.WriteGradients(0.7);
            foreach (GatedAxis axis in block.Axes) backend.Fill(axis.Gates.Gradients, 0); // nothing of the task's
            block.Backpropagate();

            double[][] alpha = [.. block.Axes.Select(axis => Array.ConvertAll(axis.LogAlpha.ToArray(), x => (double)x))];
            for (int i = 0; i < axes.Length; i++)
            {
                double[] numerical = FiniteDifferences.Gradient(() => 0.7 * weights.Compute(axis => [.. alpha[block.Axes.ToList().IndexOf(axis)].Select(Open)]), alpha[i]);
                Close.Equal(numerical, block.Axes[i].LogAlphaGradient.ToArray(), 1e-5, 1e-5, axes[i]);
            }

            int Count(GatedUnits which)
            {
                using L0Pruning other = new(new L0Settings { PenaltyFactor = 1, Gates = which });
                return other.FindAxes(network).Length;
            }
        }
    }

    [Fact]
    public void The_penalty_is_the_expected_number_of_weights_of_a_gate()
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [3, 2], Readout.Last, inputs: 2);
        using GateBlock block = new(network, ["inputs", "l0", "l1"], seed: 1);
        double[][] p = [[0.3, 0.9], [0.2, 0.5, 0.7], [0.1, 0.8]];

        // All outcomes of the seven gates: weights are there whose both ends are, those of a unit to itself where the unit is.
        double expected = 0;
        foreach (int outcome in Enumerable.Range(0, 1 << 7))
        {
            double chance = 1;
            bool[] open = [.. p.SelectMany(x => x).Select((x, i) => (outcome >> i & 1) == 1)];
            foreach ((bool isOpen, double x) in open.Zip(p.SelectMany(x => x))) chance *= isOpen ? x : 1 - x;
            (int inputs, int low, int top) = (open[..2].Count(x => x), open[2..5].Count(x => x), open[5..].Count(x => x));
            expected += chance * ((inputs * low) + (low * low) + (low * top) + (top * top));
        }

        Assert.Equal(expected, new ExpectedWeights(network, block.Axes).Compute(axis => p[block.Axes.ToList().IndexOf(axis)]), 1e-12);
    }

    public static TheoryData<Cell, bool, bool, GatedUnits> Networks => new()
    {
        { Cell.Irnn, false, false, GatedUnits.Prunable },
        { Cell.Lstm, false, false, GatedUnits.All },
        { Cell.Gru, true, false, GatedUnits.All },
        { Cell.GruResetBefore, true, false, GatedUnits.Hidden },
        { Cell.LstmPeephole, false, true, GatedUnits.Prunable },
        { Cell.Lstm, false, true, GatedUnits.Inputs },
        { Cell.Gru, false, true, GatedUnits.All },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void The_sliced_network_gives_what_the_gated_one_gives_and_has_the_size_asked_for(Cell cell, bool isBidirectional, bool isText, GatedUnits gates)
    {
        using Network network = isText
            ? TestNetworks.MakeLanguageModel(host, cell, [9, 6], embedding: 6)
            : TestNetworks.Make(host, cell, [9, 6], Readout.Mean, inputs: 2, outputs: 3, isBidirectional: isBidirectional);
        ISequenceData data = isText ? new TokenData(23, 5, 7, isStream: true) : new ToyData(23);
        using L0Pruning pruning = new(Third with { Gates = gates });
        using Trainer trainer = new(network, data, data, Run, pruning);
        trainer.Run();
        PruningReport report = pruning.Report(trainer.State.Step);
        Assert.Contains(report.Axes, axis => axis.Undecided > 0); // else there is nothing to fold

        using Network small = pruning.Finish()!;

        Parity parity = Parity.Compare(network, small, data);
        Assert.True(parity.Difference <= 1e-5 * Math.Max(1, parity.Largest), parity.ToString());
        bool hidden = gates != GatedUnits.Inputs, inputs = gates != GatedUnits.Hidden;
        Assert.Equal(hidden ? [3, 2] : [9, 6], small.Architecture.Hidden);
        Assert.Equal(isText ? inputs ? 2 : 6 : 2, small.Architecture.Inputs);
        if (!isText && gates == GatedUnits.All)
            Assert.Equal(1, Enumerable.Range(0, 2).Count(i => small.Parameters.Read("rnn.weight_ih_l0").Chunk(2).All(row => row[i] == 0)));

        // The gates matter: without them the network says something else.
        foreach (UnitCounts axis in report.Axes) Assert.Equal(axis.Units, network.Graph.Axis(axis.Axis).Size);
        using Network plain = new(network.Recipe, host);
        plain.Parameters.CopyFrom(network.Parameters);
        Assert.True(Parity.Compare(network, plain, data).Difference > 1e-3);
    }

    [Fact]
    public void The_units_that_stay_are_those_of_the_largest_log_alpha_with_their_gates_folded_in()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4], Readout.Last, inputs: 2);
        using L0Pruning pruning = new(new L0Settings { Keep = [2], Gates = GatedUnits.Hidden });
        pruning.Begin(network, new RunExtent(10, 5, 1));
        pruning.State[0].Values.View(0, 4).CopyFrom<float>([0.5f, -3f, 4f, 0.4f]);

        using Network small = pruning.Finish()!;

        float[] big = network.Parameters.Read("readout.weight"), left = small.Parameters.Read("readout.weight");
        float gate = (float)((1.2 / (1 + Math.Exp(-0.5))) - 0.1);
        for (int row = 0; row < 4; row++)
        {
            Assert.Equal(big[row * 4] * gate, left[row * 2], 1e-6f);
            Assert.Equal(big[(row * 4) + 2], left[(row * 2) + 1]);
        }
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(12, false)]
    [InlineData(7, true)]
    public void Stopped_and_resumed_a_run_ends_with_the_same_bits(int stopAfter, bool isPriced)
    {
        L0Settings settings = isPriced ? new L0Settings { PenaltyFactor = 1e-3, Gates = GatedUnits.All } : Third;
        (float[] weights, float[][] state) = Train(settings);

        using (CancellationTokenSource stop = new())
        using (Network network = Make())
        using (L0Pruning pruning = new(settings))
        using (Trainer trainer = new(network, new Counted(stopAfter, stop), null, Run, pruning) { CheckpointPath = folder.File("run.ckpt") })
        {
            Assert.True(trainer.Run(stop.Token).IsCancelled);
        }

        (float[] resumed, float[][] resumedState) = Train(settings, Checkpoint.Load(folder.File("run.ckpt")));

        Assert.Equal(weights, resumed);
        Assert.Equal(state, resumedState);
    }

    [Fact]
    public void Another_run_is_not_resumed()
    {
        using (Network network = Make())
        using (L0Pruning pruning = new(Third))
        using (Trainer trainer = new(network, new ToyData(23), null, Run with { Epochs = 1 }, pruning) { CheckpointPath = folder.File("run.ckpt") })
        {
            trainer.Run();
        }

        Checkpoint checkpoint = Checkpoint.Load(folder.File("run.ckpt"));
        Assert.Contains("target fraction", Refused(new L0Pruning(Third with { TargetFraction = 0.5 }), checkpoint));
        Assert.Contains("l0", Refused(null, checkpoint));
        Assert.Contains("epochs", Refused(new L0Pruning(Third), checkpoint, epochs: 2));
        Assert.Contains("another model", Refused(new L0Pruning(Third), With(checkpoint, new() { ["log_alpha"] = new float[4] })));
        Assert.Contains("another model", Refused(new L0Pruning(Third), With(checkpoint, [])));

        string Refused(L0Pruning? pruning, Checkpoint from, int epochs = 1)
        {
            using Network network = Make();
            using L0Pruning? owned = pruning;
            using Trainer trainer = new(network, new ToyData(23), null, Run with { Epochs = epochs }, pruning);
            return Assert.Throws<InvalidCallException>(() => trainer.Restore(from)).Message;
        }

        static Checkpoint With(Checkpoint c, Dictionary<string, float[]> gates) => new()
        {
            Recipe = c.Recipe, Settings = c.Settings, State = c.State, Parameters = c.Parameters, Optimizer = c.Optimizer, PruningSettings = c.PruningSettings, Pruning = gates,
        };
    }

    [Fact]
    public void A_price_that_closes_everything_is_an_error_that_names_it()
    {
        using Network network = Make();
        using L0Pruning pruning = new(new L0Settings { PenaltyFactor = 1e6, GateRate = 1 });
        List<int> sizes = [];
        using Trainer trainer = new(network, new ToyData(23), null, Run, pruning)
        {
            Sliced = sliced =>
            {
                sizes.Add(sliced.Architecture.Hidden[0]);
                sliced.Dispose();
            },
        };

        string message = Assert.Throws<EverythingPrunedException>(() => trainer.Run()).Message;

        Assert.Contains("`PenaltyFactor` 1000000", message);
        Assert.Contains("l0", message);
        Assert.Empty(sizes);
    }

    [Fact]
    public void Impossible_aims_and_networks_are_refused_by_name()
    {
        foreach (double share in (double[])[0, 1, -0.1, 1.5, double.NaN])
            Assert.Contains("`TargetFraction`", Assert.Throws<InvalidCallException>(() => new L0Pruning(new L0Settings { TargetFraction = share })).Message);
        foreach (double price in (double[])[0, -1, double.NaN, double.PositiveInfinity])
            Assert.Contains("`PenaltyFactor`", Assert.Throws<InvalidCallException>(() => new L0Pruning(new L0Settings { PenaltyFactor = price })).Message);
        Assert.Throws<InvalidCallException>(() => new L0Pruning(new L0Settings()));
        Assert.Throws<InvalidCallException>(() => new L0Pruning(Third with { PenaltyFactor = 1 }));
        Assert.Contains("`GateRate`", Assert.Throws<InvalidCallException>(() => new L0Pruning(Third with { GateRate = 0 })).Message);

        using Network reader = new(ReaderGraphTests.Recipe, host); // attention reads the units of its encoders one by one
        using L0Pruning pruning = new(Third with { Gates = GatedUnits.Hidden });
        Assert.Contains("forward", Assert.Throws<InvalidCallException>(() => pruning.Begin(reader, new RunExtent(1, 1, 1))).Message);

        using Network network = Make();
        using L0Pruning watched = new(Third);
        Assert.Contains("Patience", Assert.Throws<InvalidCallException>(
            () => new Trainer(network, new ToyData(23), new ToyData(23), Run with { Patience = 1 }, watched)).Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Features_that_carry_nothing_are_closed(int seed)
    {
        PlantedData data = new(400, seed);
        Architecture architecture = new() { Cell = Cell.Gru, Inputs = PlantedData.Features, Hidden = [8], Outputs = 2, Readout = Readout.Mean };
        using Network network = Network.Create(architecture, host, (ulong)seed);
        using (Trainer before = new(network, data, null, Planted(seed) with { Epochs = 6 })) before.Run();
        using L0Pruning pruning = new(new L0Settings { PenaltyFactor = 3e-3, Gates = GatedUnits.Inputs });
        using Trainer trainer = new(network, data, data, Planted(seed), pruning);

        trainer.Run();

        using Network small = pruning.Finish()!;
        float[][] rows = [.. small.Parameters.Read("rnn.weight_ih_l0").Chunk(PlantedData.Features)];
        int[] read = [.. Enumerable.Range(0, PlantedData.Features).Where(i => rows.Any(row => row[i] != 0))];
        Assert.Equal(PlantedData.Informative, read);
        using Evaluator evaluator = new(small, data, 50);
        Assert.True(evaluator.Run().Value > 0.9);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Columns_of_an_embedding_that_carry_nothing_are_closed(int seed)
    {
        // Two columns tell the tokens' classes, the others are the same for all tokens.
        const int Tokens = 12, Columns = 8;
        ClassTokens data = new(400, Tokens, seed);
        Architecture architecture = new()
        {
            Cell = Cell.Gru, Vocabulary = Tokens, Inputs = Columns, Hidden = [8], Outputs = 2, Readout = Readout.Mean,
        };
        using Network network = Network.Create(architecture, host, (ulong)seed);
        float[] table = Numbers.Normal(Columns, seed);
        network.Parameters.Write("embedding.weight", [.. Enumerable.Range(0, Tokens).SelectMany(token =>
            Enumerable.Range(0, Columns).Select(j => j is 2 or 5 ? (token % 2 == 0 ? 1f : -1f) * (j == 2 ? 1 : -1) : table[j]))]);
        using (Trainer before = new(network, data, null, Planted(seed) with { Epochs = 2, LearningRate = 0.003 })) before.Run();
        using L0Pruning pruning = new(new L0Settings { PenaltyFactor = 3e-3, Gates = GatedUnits.Inputs });
        using Trainer trainer = new(network, data, data, Planted(seed), pruning);

        trainer.Run();

        using Network small = pruning.Finish()!;
        float[] left = pruning.State[0].Values.View(0, Columns).ToArray();
        Assert.All(Enumerable.Range(0, Columns).Where(j => j is not (2 or 5)), j => Assert.True(left[j] <= -2.3979f, $"column {j}: {left[j]}"));
        Assert.InRange(small.Architecture.Inputs, 1, 2);
        using Evaluator evaluator = new(small, data, 50);
        Assert.True(evaluator.Run().Value > 0.9);
    }

    private static TrainingSettings Planted(int seed) => new() { Epochs = 20, BatchSize = 20, LearningRate = 0.01, Seed = (ulong)seed };

    private static double Open(double logAlpha) => 1 / (1 + Math.Exp(-logAlpha - Shift));

    private Network Make() => TestNetworks.Make(host, Cell.Lstm, [9, 6], Readout.Last, inputs: 2, outputs: 3);

    private (float[] Weights, float[][] State) Train(L0Settings settings, Checkpoint? from = null)
    {
        using Network network = Make();
        using L0Pruning pruning = new(settings);
        using Trainer trainer = new(network, new ToyData(23), null, Run, pruning);
        if (from is not null) trainer.Restore(from);
        trainer.Run();
        return (network.Parameters.Values.ToArray(), [.. pruning.State.Select(state => state.Values.ToArray())]);
    }

    // Cancels after some batches.
    private sealed class Counted(int stopAfter, CancellationTokenSource stop) : ISequenceData
    {
        private readonly ToyData data = new(23);
        private int reads;

        public string Name => data.Name;

        public int Count => data.Count;

        public SequenceLayout Layout => data.Layout;

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            data.Read(indices, batch);
            if (indices.Length <= 4 && ++reads == stopAfter) stop.Cancel();
        }
    }

    // Normal numbers; the label is whether the mean over the steps of two features together is above 0.
    private sealed class PlantedData(int count, int seed) : ISequenceData
    {
        public const int Features = 6;

        private const int Steps = 6;

        public static readonly int[] Informative = [1, 4];

        private readonly float[] numbers = Numbers.Normal(count * Steps * Features, seed);

        public string Name => "planted";

        public int Count => count;

        public SequenceLayout Layout => new(Steps, Features, TargetKind.Label, 2);

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            batch.Resize(indices.Length);
            for (int b = 0; b < indices.Length; b++)
            {
                float sum = 0;
                for (int t = 0; t < Steps; t++)
                {
                    ReadOnlySpan<float> own = numbers.AsSpan(((indices[b] * Steps) + t) * Features, Features);
                    own.CopyTo(batch.Inputs[(((t * indices.Length) + b) * Features)..]);
                    foreach (int i in Informative) sum += own[i];
                }

                batch.Labels[b] = sum > 0 ? 1 : 0;
            }
        }
    }

    // Random tokens; the label is whether even ones are the more.
    private sealed class ClassTokens(int count, int tokens, int seed) : ISequenceData
    {
        private const int Steps = 5;

        private readonly int[] numbers = Numbers.Integers(count * Steps, seed, 0, tokens);

        public string Name => "classes of tokens";

        public int Count => count;

        public SequenceLayout Layout => new(Steps, 1, TargetKind.Label, 2) { Vocabulary = tokens };

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            batch.Resize(indices.Length);
            for (int b = 0; b < indices.Length; b++)
            {
                int even = 0;
                for (int t = 0; t < Steps; t++)
                {
                    int token = numbers[(indices[b] * Steps) + t];
                    batch.Tokens[(t * indices.Length) + b] = token;
                    even += 1 - (token % 2);
                }

                batch.Labels[b] = 2 * even > Steps ? 1 : 0;
            }
        }
    }
}
