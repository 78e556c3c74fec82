using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Pruning;

public sealed class MethodTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    public static TheoryData<string> All() => [.. Methods.Keys];

    private static readonly Dictionary<string, Func<IPruningMethod>> Methods = new()
    {
        ["adjoint"] = () => new SpectralPruning(new SpectralSettings()),
        ["adjoint greedy time-weighted"] = () => new SpectralPruning(new SpectralSettings { Search = UnitSearch.Greedy, IsTimeWeighted = true }),
        ["adjoint rows"] = () => new SpectralPruning(new SpectralSettings { Refit = Refit.Rows }),
        ["fisher swap"] = () => new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Fisher, Search = UnitSearch.Swap }),
        ["paper"] = () => new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Paper, Theta = 0.5 }),
        ["paper leverage"] = () => new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Paper, Search = UnitSearch.Leverage }),
        ["paper without"] = () => new SpectralPruning(new SpectralSettings { Criterion = SpectralCriterion.Paper, Fold = FoldKind.None }),
        ["affine readout"] = () => new SpectralPruning(new SpectralSettings { Fold = FoldKind.Affine, Refit = Refit.Readout }),
        ["auto"] = () => new AutoPruning(new SpectralSettings { Refit = Refit.Rows }),
        ["random"] = () => new RandomUnits(),
        ["random without"] = () => new RandomUnits(isReconstructed: false),
        ["magnitude-unit"] = () => new MagnitudeUnits(),
        ["magnitude-unit without"] = () => new MagnitudeUnits(isReconstructed: false),
        ["iss-gm"] = () => new GeometricMedian(),
        ["iss-gm without"] = () => new GeometricMedian(isReconstructed: false),
        ["magnitude-weight"] = () => new MagnitudeWeights(),
        ["random-weight"] = () => new RandomWeights(),
        ["column"] = () => new ColumnSparsification(),
        ["low-rank"] = () => new LowRank(),
    };

    private static readonly Dictionary<string, WeightCounts> PaperCounts = new()
    {
        ["adjoint"] = new(42, 1764, 420),
        ["random"] = new(42, 1764, 420),
        ["magnitude-weight"] = new(128, 1764, 1280),
        ["random-weight"] = new(128, 1764, 1280),
        ["column"] = new(128, 5376, 1280),
        ["low-rank"] = new(128, 10752, 1280),
    };

    [Theory]
    [InlineData(UnitSearch.Backward)]
    [InlineData(UnitSearch.Greedy)]
    public void Plans_for_several_sizes_are_those_for_each(UnitSearch search)
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [9, 6], Readout.Last);
        Calibration calibration = new(network, new NormalData(60, 4, 3));
        SpectralPruning method = new(new SpectralSettings { Search = search });
        int[][] sizes = [[2, 6], [9, 1], [5, 5], [9, 6]];
        IReadOnlyList<PruningPlan> plans = method.PlanAll(calibration, sizes);
        foreach ((int[] keep, PruningPlan plan) in sizes.Zip(plans))
        {
            PruningPlan alone = method.Plan(calibration, keep);
            foreach ((UnitPlan expected, UnitPlan axis) in alone.Axes.Zip(plan.Axes))
            {
                Assert.Equal(expected.Kept, axis.Kept);
                Assert.Equal(expected.Fold!.Data, axis.Fold!.Data);
            }
        }
    }

    [Fact]
    public void There_is_one_vocabulary_of_methods()
    {
        string[] names = [.. MethodSpec.All.Select(method => method.Name)];
        Assert.Equal(names.Distinct(), names);
        foreach (MethodSpec method in MethodSpec.All.Where(method => method.Create is not null))
        {
            IPruningMethod made = method.Create!(method.Settings);
            Assert.Equal(made is SpectralPruning or AutoPruning ? MethodSpec.Spectral : method.Name.Replace("-without", "").Replace("-refined", ""), made.Name);
        }

        Assert.All(ComparisonReport.First, name => Assert.Contains(name, names));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sliced_equals_masked_for_networks_of_two_layers(string method)
    {
        foreach (Readout readout in Enum.GetValues<Readout>())
        {
            using Network network = TestNetworks.Make(host, Cell.Irnn, [7, 5], readout);
            CheckParity(method, network, new NormalData(30, 4, 3), [4, 3]);
        }

        foreach (Cell cell in (Cell[])[Cell.Lstm, Cell.Gru])
        {
            using Network network = TestNetworks.Make(host, cell, [7, 5], Readout.Last);
            CheckParity(method, network, new NormalData(30, 4, 3), [4, 3]);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sliced_equals_masked_for_networks_of_two_directions(string method)
    {
        foreach (Cell cell in (Cell[])[Cell.RnnTanh, Cell.Lstm, Cell.Gru])
        {
            using Network network = TestNetworks.Make(host, cell, [6, 4], cell == Cell.Gru ? Readout.Mean : Readout.Last, isBidirectional: true);
            NormalData data = new(30, 4, 3);
            if (method != "low-rank") CheckParity(method, network, data, [4, 3]);
            else Assert.Contains("one direction", Assert.Throws<InvalidCallException>(() => CheckParity(method, network, data, [4, 3])).Message);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sliced_equals_masked_for_language_models(string method)
    {
        foreach (bool isTied in (bool[])[false, true])
        {
            using Network network = TestNetworks.MakeLanguageModel(host, isTied ? Cell.Gru : Cell.Lstm, [6, 5], isTied: isTied);
            CheckParity(method, network, new TokenData(24, 5, 7, isStream: true), [4, 3]);
        }

        using Network both = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [5], isBidirectional: true);
        if (method != "low-rank") CheckParity(method, both, new TokenData(24, 5, 7, isStream: false), [3]);
    }

    [Theory]
    [InlineData(FoldKind.Linear, Refit.None, false)]
    [InlineData(FoldKind.Affine, Refit.Rows, false)]
    [InlineData(FoldKind.None, Refit.None, true)]
    [InlineData(FoldKind.Linear, Refit.Rows, true)]
    public void Columns_of_an_embedding_are_pruned_like_units(FoldKind fold, Refit refit, bool isTied)
    {
        foreach (bool isBidirectional in (bool[])[false, true])
        {
            using Network network = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [6, 4], isTied: isTied, isBidirectional: isBidirectional);
            TokenData data = new(24, 5, 7, isStream: !isBidirectional);
            SpectralSettings settings = new() { Fold = fold, Refit = refit, KeepEmbedding = 3 };
            PruningPlan plan = new SpectralPruning(settings).Plan(new Calibration(network, data), [4, 4]);
            using Network sliced = Slicer.Slice(network, plan);

            Assert.Equal([7, 3], sliced.Parameters["embedding.weight"].Shape.ToArray());
            Assert.False(sliced.Architecture.TiesWeights);
            Assert.Equal(21, WeightCounts.Count(network.Architecture, plan).Embedding);
            Assert.Equal(sliced.Architecture.ParameterCount, sliced.Parameters.Count);
            Parity parity = Parity.OfPlan(network, sliced, plan, data);
            Assert.True(parity.Difference <= 1e-5 * Math.Max(1, parity.Largest), $"{parity}");
        }
    }

    [Fact]
    public void An_embedding_of_few_directions_loses_the_other_columns_without_loss()
    {
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Gru, [5], vocabulary: 9, embedding: 6);
        NetworkWeights weights = NetworkWeights.Read(network);
        Matrix narrow = RandomMatrix.Uniform(9, 3, 1) * RandomMatrix.Uniform(3, 6, 2); // 6 columns, 3 directions
        using Network big = (weights with
        { Values = new Dictionary<string, Matrix>(weights.Values) { ["embedding.weight"] = narrow } }).ToNetwork(host);
        TokenData data = new(40, 5, 9, isStream: true);
        PruningPlan plan = new SpectralPruning(new SpectralSettings { KeepEmbedding = 3, Ridge = 1e-9 }).Plan(new Calibration(big, data), [5]);
        using Network sliced = Slicer.Slice(big, plan);

        Parity parity = Parity.Compare(big, sliced, data);
        Assert.True(parity.Difference <= 1e-5, $"{parity}"); // the goal's own tolerance
    }

    [Fact]
    public void Tied_weights_stay_tied_where_neither_end_changes_and_come_apart_otherwise()
    {
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [6, 5], isTied: true);
        Calibration calibration = new(network, new TokenData(24, 5, 7, isStream: true));
        Architecture Shrunk(int[] keep) =>
            new SpectralPruning(new SpectralSettings { Fold = FoldKind.None }).Plan(calibration, keep).Shrink(network.Architecture);
        PruningPlan below = new("below", [UnitFold.None(6, [0, 2]), UnitPlan.Whole(5)]);

        Assert.True(below.Shrink(network.Architecture).TiesWeights);
        Assert.False(Shrunk([6, 4]).TiesWeights);
        using Network sliced = Slicer.Slice(network, below);
        Assert.True(Parity.OfPlan(network, sliced, below, calibration.Inputs).Difference < 1e-5);
    }

    private void CheckParity(string method, Network network, ISequenceData data, int[] keep)
    {
        PruningPlan plan = Methods[method]().Plan(new Calibration(network, data), keep);
        using Network sliced = Slicer.Slice(network, plan);
        Parity parity = Parity.OfPlan(network, sliced, plan, data);

        // Two orders of summation, at most 5 steps (of a stream 24 x 5), folds of size 1 or so
        Assert.True(parity.Difference <= 1e-5 * Math.Max(1, parity.Largest), $"{network}: {parity}");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_same_seed_gives_the_same_plan(string method)
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [7], Readout.Last);
        PruningPlan Make() => Methods[method]().Plan(new Calibration(network, new NormalData(30, 4, 3)), [3]);
        NetworkWeights first = Slicer.Slice(NetworkWeights.Read(network), Make()), second = Slicer.Slice(NetworkWeights.Read(network), Make());

        Assert.Equal(first.Recurrences[0].Hidden.Data, second.Recurrences[0].Hidden.Data);
        Assert.Equal(first.Readout.Weight.Data, second.Readout.Weight.Data);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Impossible_numbers_of_units_are_refused(string method)
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4], Readout.Last);
        Calibration calibration = new(network, new NormalData(10, 3, 3));

        Assert.Contains("`keep` 0", Assert.Throws<InvalidCallException>(() => Methods[method]().Plan(calibration, [0])).Message);
        Assert.Contains("`keep` 5", Assert.Throws<InvalidCallException>(() => Methods[method]().Plan(calibration, [5])).Message);
        Assert.Throws<InvalidCallException>(() => Methods[method]().Plan(calibration, [2, 2]));
    }

    [Theory]
    [InlineData(Cell.Lstm)]
    [InlineData(Cell.Gru)]
    [InlineData(Cell.LstmPeephole)]
    public void Distances_between_units_are_those_of_their_stacked_gate_rows(Cell cell)
    {
        using Network network = TestNetworks.Make(host, cell, [6, 5], Readout.Last, inputs: 1);
        NetworkWeights weights = NetworkWeights.Read(network);
        for (int layer = 0; layer < 2; layer++)
        {
            PrunableAxis axis = network.Graph.PrunableAxes[layer];
            LayerWeights w = weights.Recurrences[layer];
            int units = axis.Units, gates = w.Hidden.Rows / units;
            double[][] rows =
            [
                .. Enumerable.Range(0, units).Select(unit => Enumerable.Range(0, gates)
                    .SelectMany(gate => w.Input.Row((gate * units) + unit).ToArray().Concat(w.Hidden.Row((gate * units) + unit).ToArray()))
                    .ToArray()),
            ];
            double[] expected = [.. rows.Select(a => rows.Sum(b => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum())))];

            // Sums of fewer than a hundred terms, in two orders
            Close.Equal(expected, GeometricMedian.SumsOfDistances(weights, axis), 1e-13, 0, $"{cell}, layer {layer}");
            int[] kept = new GeometricMedian(isReconstructed: false).Plan(new Calibration(network, new NormalData(9, 3, 1)), [3, 3]).Axes[layer].Kept;
            Assert.Equal(Enumerable.Range(0, units).OrderByDescending(j => expected[j]).Take(3).Order(), kept);
        }
    }

    [Fact]
    public void The_geometric_median_drops_what_others_can_stand_for()
    {
        // Five copies of one unit, nearly, and three that stand apart: the copies go first.
        using Network network = TestNetworks.Make(host, Cell.Lstm, [8], Readout.Last);
        NetworkWeights weights = NetworkWeights.Read(network);
        LayerWeights w = weights.Recurrences[0];
        int[] apart = [1, 4, 6];
        foreach (int unit in Enumerable.Range(0, 8).Except(apart))
        {
            for (int gate = 0; gate < 4; gate++)
            {
                foreach (Matrix matrix in (Matrix[])[w.Input, w.Hidden])
                    for (int j = 0; j < matrix.Columns; j++) matrix[(gate * 8) + unit, j] = 0.1 + (1e-3 * unit);
            }
        }

        using Network changed = weights.ToNetwork(host);
        Assert.Equal(apart, new GeometricMedian().Plan(new Calibration(changed, new NormalData(9, 3, 3)), [3]).Axes[0].Kept);
    }

    [Fact]
    public void Counts_are_those_of_the_paper()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [128], Readout.Last, inputs: 1, outputs: 10);
        Calibration calibration = new(network, new NormalData(40, 5, 1));
        Assert.Equal(new WeightCounts(128, 16384, 1280), WeightCounts.Count(network.Architecture));
        foreach ((string method, WeightCounts counts) in PaperCounts)
        {
            PruningPlan plan = Methods[method]().Plan(calibration, [42]);
            Assert.Equal((method, counts), (method, WeightCounts.Count(network.Architecture, plan)));
            using Network sliced = Slicer.Slice(network, plan);
            if (!plan.IsUnstructured) Assert.Equal(counts, WeightCounts.Count(sliced.Architecture));
            if (plan.IsUnstructured) Assert.Equal(counts.HiddenHidden, sliced.Parameters.Read("rnn.weight_hh_l0").LongCount(w => w != 0));
        }
    }

    [Theory]
    [InlineData(Cell.Irnn)]
    [InlineData(Cell.RnnTanh)]
    public void Copies_of_units_are_dropped_without_loss(Cell cell)
    {
        using Network small = TestNetworks.Make(host, cell, [4, 3], Readout.Last), big = Duplicated(small, 3);
        NormalData data = new(60, 5, 3);
        Assert.True(Parity.Compare(small, big, data).Difference < 1e-5);
        foreach (string method in (string[])["adjoint", "paper", "affine readout", "auto"])
        {
            IPruningMethod made = method switch
            {
                "adjoint" => new SpectralPruning(new SpectralSettings { Ridge = 1e-9 }),
                "paper" => new SpectralPruning(
                    new SpectralSettings { Criterion = SpectralCriterion.Paper, Theta = 0.5, Ridge = 1e-9, Search = UnitSearch.Greedy }),
                "affine readout" => new SpectralPruning(new SpectralSettings { Fold = FoldKind.Affine, Ridge = 1e-9, Refit = Refit.Readout }),
                _ => new AutoPruning(new SpectralSettings { Ridge = 1e-9 }),
            };
            PruningPlan plan = made.Plan(new Calibration(big, data), [4, 3]);
            using Network sliced = Slicer.Slice(big, plan);

            Assert.Equal([0, 1, 2, 3], plan.Axes[0].Kept.Select(j => j % 4).Order());
            Parity parity = Parity.Compare(big, sliced, data);
            Assert.True(parity.Difference <= 1e-5, $"{method}: {parity}"); // the goal's own tolerance
        }
    }

    [Fact]
    public void Keeping_all_units_with_a_vanishing_ridge_gives_the_network_back()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [6, 4], Readout.Mean);
        NormalData data = new(60, 5, 3);
        PruningPlan plan = new SpectralPruning(new SpectralSettings { Ridge = 1e-12 }).Plan(new Calibration(network, data), [6, 4]);

        using Network sliced = Slicer.Slice(network, plan);

        // The ridge over the least eigenvalue, some 1e-3 of the mean
        Close.Equal(network.Parameters.Values.ToArray(), sliced.Parameters.Values.ToArray(), 0, 1e-6, "parameters");
    }

    [Fact]
    public void The_best_rank_k_approximation_is_kept_as_factors()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [6], Readout.Last);
        Matrix w = NetworkWeights.Read(network).Recurrences[0].Hidden;
        Calibration calibration = new(network, new NormalData(10, 3, 3));
        double[] squares = SymmetricEigen.Compute(Matrix.Product(w, w, transposeA: true)).Values;
        foreach (int rank in (int[])[1, 3, 6])
        {
            Factors factors = new LowRank().Plan(calibration, [rank]).Axes[0].Factors!;

            // Eckart and Young: the squared error is the sum of the squares left out.
            Close.Equal(squares[rank..].Sum(), Math.Pow((w - factors.Left * factors.Right).FrobeniusNorm(), 2), 1e-10, 1e-12, $"rank {rank}");
        }
    }

    [Fact]
    public void A_layer_that_is_dead_needs_a_ridge()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        network.Parameters.Write("rnn.bias_ih_l0", [-100, -100, -100, -100]);
        Calibration calibration = new(network, new NormalData(10, 3, 3));

        Assert.Equal(2, new SpectralPruning(new SpectralSettings()).Plan(calibration, [2]).Axes[0].Kept.Length);
        SpectralPruning without = new(new SpectralSettings { Ridge = 0 });
        Assert.Contains("ridge", Assert.Throws<InvalidCallException>(() => without.Plan(calibration, [2])).Message);
    }

    [Fact]
    public void Broken_calibrations_are_refused()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        Assert.Contains(
            "1 calibration sequence;", Assert.Throws<InvalidCallException>(() => new Calibration(network, new NormalData(1, 3, 3))).Message);
        Assert.Contains(
            "2 calibration sequences", Assert.Throws<InvalidCallException>(() => new Calibration(network, new NormalData(2, 3, 3))).Message);
        Assert.Throws<InvalidCallException>(() => new Calibration(network, new NormalData(9, 3, 4)));
        Assert.Throws<InvalidCallException>(() => new Calibration(network, new NormalData(9, 3, 3), new CalibrationSettings { HeldApart = 1 }));
        using CancellationTokenSource source = new();
        source.Cancel();
        Calibration cancelled = new(network, new NormalData(9, 3, 3), cancellation: source.Token);
        Assert.Throws<OperationCanceledException>(() => new SpectralPruning(new SpectralSettings()).Plan(cancelled, [2]));
    }

    // Every unit in so many copies; a consumer's weight is shared out among them unevenly.
    private Network Duplicated(Network network, int copies)
    {
        NetworkWeights w = NetworkWeights.Read(network);
        Matrix Copy(Matrix rows) => rows.SelectRows([.. Enumerable.Range(0, copies * rows.Rows).Select(i => i % rows.Rows)]);
        Matrix Share(Matrix columns)
        {
            Matrix shared = new(columns.Rows, copies * columns.Columns);
            for (int i = 0; i < shared.Rows; i++)
                for (int j = 0; j < shared.Columns; j++)
                    shared[i, j] = columns[i, j % columns.Columns] * (1 + j / columns.Columns) / (copies * (copies + 1) / 2.0);
            return shared;
        }

        Architecture bigger = network.Architecture with { Hidden = [.. network.Architecture.Hidden.Select(h => copies * h)] };
        Dictionary<string, Matrix> values = w.Values.ToDictionary(
            pair => pair.Key,
            pair => pair.Key.Contains("weight_ih_l0") ? Copy(pair.Value)
                : pair.Key.Contains("rnn.weight") ? Copy(Share(pair.Value))
                : pair.Key.Contains("rnn.bias") ? Copy(pair.Value)
                : pair.Key == "readout.weight" ? Share(pair.Value) : pair.Value);
        return new NetworkWeights(bigger, values).ToNetwork(host);
    }
}
