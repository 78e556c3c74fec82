using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Tests.Training;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>Group lasso, gradual magnitude pruning and the trace norm while a network is trained.</summary>
public sealed class TrainedPruningTests : IDisposable
{
    private static readonly TrainingSettings Settings = new() { Epochs = 6, BatchSize = 4, LearningRate = 0.01, Schedule = new() { Kind = ScheduleKind.OneCycle } };

    private readonly HostBackend host = new(2);
    private readonly TemporaryFolder folder = new();

    private static readonly Dictionary<string, Func<ITrainedPruning>> Methods = new()
    {
        ["iss"] = () => new IssPruning(new IssSettings { TargetFraction = 0.4 }),
        ["iss, lambda"] = () => new IssPruning(new IssSettings { GroupPenalty = 0.1 }),
        ["gradual"] = () => new GradualPruning(new GradualSettings { TargetFraction = 0.3 }),
        ["trace norm"] = () => new TraceNorm(0.01),
        ["expander"] = () => new ExpanderPruning(new ExpanderSettings { Density = 0.2, ExpansionLimit = -0.2 }),
        ["magnitude, rewound"] = () => new ExpanderPruning(new ExpanderSettings { Density = 0.2, Stop = ExpansionStop.None, RewindEpoch = 1 }),
        ["biregular"] = () => new ConstructedMasks(new ConstructedMaskSettings { Density = 0.3, Construction = MaskConstruction.Biregular, Block =
            new(2, 2) }),
    };

    public static TheoryData<string> Names => [.. Methods.Keys];

    public void Dispose()
    {
        folder.Dispose();
        host.Dispose();
    }

    [Theory]
    [InlineData(Cell.Irnn)]
    [InlineData(Cell.LstmPeephole)]
    public void A_group_is_all_weights_of_a_unit(Cell cell)
    {
        using Network network = TestNetworks.Make(host, cell, [6, 5], Readout.Last);
        NetworkWeights weights = NetworkWeights.Read(network);
        for (int layer = 0; layer < 2; layer++)
        {
            int units = network.Graph.PrunableAxes[layer].Units;
            LayerWeights own = weights.Recurrences[layer];
            Matrix above = layer == 0 ? weights.Recurrences[1].Input : weights.Readout.Weight;
            double[] expected = new double[units];
            for (int unit = 0; unit < units; unit++)
            {
                foreach (Matrix rows in (Matrix[])[own.Input, own.Hidden])
                    for (int i = unit; i < rows.Rows; i += units) expected[unit] += VectorOps.Dot(rows.Row(i), rows.Row(i));
                foreach (Matrix columns in (Matrix[])[own.Hidden, above])
                    for (int i = 0; i < columns.Rows; i++) expected[unit] += columns[i, unit] * columns[i, unit];
                if (cell == Cell.LstmPeephole)
                    expected[unit] += weights[$"rnn.weight_peephole_l{layer}"].Data.Where((_, i) => i % units == unit).Sum(x => x * x);
                expected[unit] = Math.Sqrt(expected[unit]);
            }

            using UnitGroups groups = new(network, [$"l{layer}"]);
            Close.Equal(expected, Array.ConvertAll(groups.ReadNorms(), x => (double)x), 1e-6, 1e-6, $"layer {layer}"); // sums of some 50 numbers
        }
    }

    [Theory]
    [InlineData(Cell.Irnn, false)]
    [InlineData(Cell.Lstm, false)]
    [InlineData(Cell.Gru, true)]
    public void A_group_lasso_ends_at_its_target_and_slicing_changes_nothing(Cell cell, bool isBidirectional)
    {
        using Network network = TestNetworks.Make(host, cell, [10, 6], Readout.Last, inputs: 2, outputs: 3, isBidirectional: isBidirectional);
        using IssPruning pruning = new(new IssSettings { TargetFraction = 0.3 });
        List<EpochReport> epochs = [];
        Train(network, new ToyData(40), Settings with { Epochs = 12 }, pruning, epochs.Add);
        using Network sliced = pruning.Finish()!;

        Assert.Equal([3, 2], sliced.Architecture.Hidden);
        Parity parity = Parity.Compare(network, sliced, new ToyData(40));
        Assert.True(parity.Difference <= 1e-5 * Math.Max(1, parity.Largest), $"{parity}"); // two orders of summation
        int[] open = [.. epochs.Select(epoch => epoch.Pruning!.Axes[0].Open)];
        Assert.Equal(open.OrderDescending(), open); // what is closed stays closed
        Assert.True(open[^1] >= 3 && open[^1] < 10, $"{open[^1]}");
    }

    [Fact]
    public void A_group_lasso_prunes_language_models_with_an_embedding_and_refuses_tied_weights()
    {
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [6, 5]);
        using IssPruning pruning = new(new IssSettings { Keep = [3, 2] });
        TokenData data = new(24, 5, 7, isStream: true);
        Train(network, data, Settings, pruning);
        using Network sliced = pruning.Finish()!;
        Assert.Equal([3, 2], sliced.Architecture.Hidden);
        Parity parity = Parity.Compare(network, sliced, data);
        Assert.True(parity.Difference <= 1e-5 * Math.Max(1, parity.Largest), $"{parity}");

        using Network tied = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [6, 5], isTied: true);
        using IssPruning refused = new(new IssSettings { Keep = [3, 2] });
        Assert.Contains("shared", Assert.Throws<InvalidCallException>(() => Train(tied, data, Settings, refused)).Message);
    }

    [Fact]
    public void A_price_that_closes_everything_is_an_error_with_a_remedy()
    {
        using Network network = TestNetworks.Make(host, Cell.Gru, [6], Readout.Last, inputs: 2, outputs: 3);
        using IssPruning pruning = new(new IssSettings { GroupPenalty = 1e4 });
        Assert.Contains("`GroupPenalty` 10000", Assert.Throws<EverythingPrunedException>(() => Train(network, new ToyData(20), Settings, pruning)).Message);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Stopped_and_resumed_a_run_ends_with_the_same_bits(string method)
    {
        string path = folder.File("run");
        float[] expected = Run(stopAfter: 0, resumes: false);
        Run(stopAfter: 37, resumes: false); // of 60 steps, within an epoch
        Assert.Equal(expected, Run(stopAfter: 0, resumes: true));

        float[] Run(int stopAfter, bool resumes)
        {
            using Network network = TestNetworks.Make(host, Cell.Lstm, [8], Readout.Last, inputs: 2, outputs: 3);
            using ITrainedPruning pruning = Methods[method]();
            using CancellationTokenSource stop = new();
            using Trainer trainer = new(network, new ToyData(40), null, Settings, pruning)
            {
                CheckpointPath = path,
                ReportEvery = TimeSpan.Zero,
                Stepped = report =>
                {
                    if (report.Step == stopAfter) stop.Cancel();
                },
            };
            if (resumes) trainer.Restore(Checkpoint.Load(path));
            Assert.Equal(stopAfter > 0, trainer.Run(stop.Token).IsCancelled);
            return network.Parameters.Values.ToArray();
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Settings_of_another_run_are_refused_on_resume(string method)
    {
        string path = folder.File("run");
        using (Network network = TestNetworks.Make(host, Cell.Lstm, [8], Readout.Last, inputs: 2, outputs: 3))
        using (ITrainedPruning pruning = Methods[method]())
        using (Trainer trainer = new(network, new ToyData(40), null, Settings, pruning) { CheckpointPath = path }) trainer.Run();

        using Network other = TestNetworks.Make(host, Cell.Lstm, [8], Readout.Last, inputs: 2, outputs: 3);
        using IssPruning another = new(new IssSettings { TargetFraction = 0.7 });
        using Trainer resumed = new(other, new ToyData(40), null, Settings, another);
        Assert.Contains("another way", Assert.Throws<InvalidCallException>(() => resumed.Restore(Checkpoint.Load(path))).Message);
    }

    [Fact]
    public void Gradual_pruning_ends_with_its_share_of_every_matrix_and_keeps_the_size()
    {
        using Network network = TestNetworks.Make(host, Cell.Gru, [8], Readout.Last, inputs: 2, outputs: 3);
        using GradualPruning pruning = new(new GradualSettings { TargetFraction = 0.25 });
        List<long> kept = [];
        Train(network, new ToyData(40), Settings, pruning, epoch => kept.Add(epoch.Pruning!.Weights!.Value.Kept));
        Assert.Null(pruning.Finish());

        Assert.Equal([8], network.Architecture.Hidden);
        foreach ((string name, int count) in (ReadOnlySpan<(string, int)>)[("rnn.weight_ih_l0", 48), ("rnn.weight_hh_l0", 192), ("readout.weight", 24)])
            Assert.Equal(count / 4, network.Parameters.Read(name).Count(w => w != 0));
        Assert.DoesNotContain(0f, network.Parameters.Read("rnn.bias_ih_l0"));
        Assert.Equal(kept.OrderDescending(), kept);
        Assert.True(kept[0] > kept[2], string.Join(" ", kept));
        Assert.Equal(66, kept[^1]);
    }

    [Fact]
    public void Gradual_pruning_keeps_as_many_recurrent_weights_as_other_masks()
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [8, 6], Readout.Last, inputs: 2, outputs: 3);
        using GradualPruning pruning = new(new GradualSettings { Keep = [3, 6] });
        Train(network, new ToyData(40), Settings, pruning);
        pruning.Finish();
        Assert.Equal(4 * 9, network.Parameters.Read("rnn.weight_hh_l0").Count(w => w != 0));
        Assert.DoesNotContain(0f, network.Parameters.Read("rnn.weight_hh_l1"));
        Assert.DoesNotContain(0f, network.Parameters.Read("rnn.weight_ih_l0"));
    }

    // Narang et al.: slope theta = 2 q f / (2 (ramp - start) + 3 (end - ramp)) for every f steps, then half as much again; at the end it is q.
    [Theory]
    [InlineData(0, 0.25, 0.5)]
    [InlineData(0.1, 0.3, 0.9)]
    public void The_threshold_grows_at_two_slopes(double start, double ramp, double end)
    {
        using GradualPruning pruning = new(new GradualSettings { TargetFraction = 0.5, Start = start, Ramp = ramp, End = end });
        double theta = 2 / ((2 * (ramp - start)) + (3 * (end - ramp)));
        foreach (double at in (double[])[0, start, 0.2, ramp, 0.45, end, 1])
        {
            double expected = at < start ? 0 : at < ramp ? theta * (at - start) : at < end ? (theta * (ramp - start)) + (1.5 * theta * (at - ramp)) : 1;
            Assert.Equal(expected, pruning.Grown(at), 1e-12);
        }
    }

    [Fact]
    public void The_gradient_of_the_trace_norm_is_that_of_differences()
    {
        const double Lambda = 0.3;
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [5], Readout.Last, inputs: 2, outputs: 3);
        using TraceNorm penalty = new(Lambda);
        penalty.Begin(network, new RunExtent(10, 10, 1));
        host.Fill(network.Parameters.Gradients, 0);
        penalty.AfterBackward(1);
        double[] hidden = network.Parameters.Read("rnn.weight_hh_l0").ToDoubles(), readout = network.Parameters.Read("readout.weight").ToDoubles();
        double epsilon = TraceNorm.Epsilon(Gram());
        double[] numeric = FiniteDifferences.Gradient(() => Lambda * SymmetricEigen.Compute(Gram()).Values.Sum(mu => Math.Sqrt(Math.Max(0, mu) + epsilon)), hidden);

        Close.Equal(numeric, network.Parameters.Gradient("rnn.weight_hh_l0"), 1e-4, 1e-5); // single precision, eps 1e-4 of the mean square
        Assert.All(network.Parameters.Gradient("rnn.weight_ih_l0").ToArray(), x => Assert.Equal(0, x));

        Matrix Gram()
        {
            Matrix c = Matrix.From(8, 5, [.. hidden, .. readout]);
            return Matrix.Product(c, c, transposeA: true);
        }
    }

    [Fact]
    public void A_trace_norm_lowers_the_singular_values_and_takes_nothing_away()
    {
        double plain = Norm(null), priced = Norm(new TraceNorm(0.05));
        Assert.True(priced < 0.8 * plain, $"{priced} {plain}");

        double Norm(ITrainedPruning? penalty)
        {
            using Network network = TestNetworks.Make(host, Cell.Lstm, [8], Readout.Last, inputs: 2, outputs: 3);
            using (penalty) Train(network, new ToyData(40), Settings with { Epochs = 15 }, penalty);
            Assert.Equal([8], network.Architecture.Hidden);
            Matrix c = NetworkWeights.Read(network).Consumers(0);
            return SymmetricEigen.Compute(Matrix.Product(c, c, transposeA: true)).Values.Sum(mu => Math.Sqrt(Math.Max(0, mu)));
        }
    }

    [Theory]
    [InlineData("iss")]
    [InlineData("iss, lambda")]
    public void A_step_takes_no_memory(string method)
    {
        using IlgpuBackend simulator = (IlgpuBackend)Devices.Open("ilgpu-cpu");
        foreach (IBackend backend in (IBackend[])[host, simulator])
        {
            using Network network = TestNetworks.Make(backend, Cell.Gru, [9, 5], Readout.Last, inputs: 2, outputs: 3);
            using ITrainedPruning pruning = Methods[method]();
            pruning.Begin(network, new RunExtent(100, 10, 1));
            for (int step = 1; step <= 3; step++) Step(step);
            long device = simulator.Memory.Allocations, managed = GC.GetAllocatedBytesForCurrentThread();
            for (int step = 4; step <= 13; step++) Step(step);
            Assert.Equal(device, simulator.Memory.Allocations);

            // Each operation is handed to the threads as a closure of some 150 bytes, whatever the sizes: 30 of them in a step.
            if (backend == host) Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - managed, 0, 10 * 8192);

            void Step(int step)
            {
                pruning.BeforeStep(step);
                pruning.AfterBackward(step);
                pruning.AfterStep(step, 0.01);
            }
        }
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        foreach (double share in (double[])[0, 1, double.NaN])
        {
            Assert.Contains("`TargetFraction`", Assert.Throws<InvalidCallException>(() => new IssPruning(new IssSettings { TargetFraction = share })).Message);
            Assert.Contains("`TargetFraction`", Assert.Throws<InvalidCallException>(() => new GradualPruning(new GradualSettings { TargetFraction = share })).Message);
        }

        Assert.Contains("one aim", Assert.Throws<InvalidCallException>(() => new IssPruning(new IssSettings())).Message);
        Assert.Contains("one aim", Assert.Throws<InvalidCallException>(() => new IssPruning(new IssSettings { TargetFraction = 0.5, GroupPenalty = 1 })).Message);
        Assert.Contains("`GroupPenalty` 0", Assert.Throws<InvalidCallException>(() => new IssPruning(new IssSettings { GroupPenalty = 0 })).Message);
        Assert.Contains("one aim", Assert.Throws<InvalidCallException>(() => new GradualPruning(new GradualSettings())).Message);
        Assert.Contains("rising", Assert.Throws<InvalidCallException>(() => new GradualPruning(new GradualSettings { TargetFraction = 0.5, Ramp = 0.6 })).Message);
        Assert.Contains("`traceNorm` 0", Assert.Throws<InvalidCallException>(() => new TraceNorm(0)).Message);
    }

    private static void Train(Network network, ISequenceData data, TrainingSettings settings, ITrainedPruning? pruning, Action<EpochReport>? epoch = null)
    {
        using Trainer trainer = new(network, data, null, settings, pruning) { EpochFinished = epoch };
        trainer.Run();
    }
}
