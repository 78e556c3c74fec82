using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Tests.Training;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>Masks while a network is trained: iterative magnitude pruning with and without a stop, and masks from the first step on.</summary>
public sealed class MaskedTrainingTests : IDisposable
{
    private const string Hidden = "rnn.weight_hh_l0";
    private static readonly TrainingSettings Settings =
        new() { Epochs = 6, BatchSize = 4, LearningRate = 0.01, Schedule = new() { Kind = ScheduleKind.Constant } };

    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Fact]
    public void Without_a_stop_every_layer_ends_at_its_density()
    {
        using Network network = Make(Cell.Lstm, 16);
        List<long> kept = [];
        PruningReport report = Train(network, new ExpanderPruning(new ExpanderSettings { Density = 0.25, Stop = ExpansionStop.None }), epoch =>
            kept.Add(epoch.Pruning!.Weights!.Value.Kept));
        Assert.Equal(kept.OrderDescending(), kept);
        Assert.True(kept[0] > kept[^1], string.Join(" ", kept));
        foreach (LayerReport layer in report.Layers) Assert.Equal(0.25, layer.Density, 0.01);
        Assert.All(report.Layers, layer => Assert.False(layer.IsFrozen));
        for (int gate = 0; gate < 4; gate++) Assert.Equal(64, network.Parameters.Read(Hidden).Skip(gate * 256).Take(256).Count(w => w != 0));
        Assert.Equal(4 + 4 + 1, report.Layers.Count);
        Assert.Equal("magnitude", report.Method);
    }

    [Fact]
    public void A_layer_that_would_stop_expanding_gets_its_step_back_and_is_frozen()
    {
        const double Limit = 0.15;
        using Network network = Make(Cell.RnnTanh, 32);
        using ExpanderPruning pruning = new(new ExpanderSettings { Density = 0.05, StepFraction = 0.2, ExpansionLimit = Limit, Weights =
            MaskedWeights.Hidden });
        LayerReport layer = Train(network, pruning).Layers.Single();
        Assert.True(layer.IsFrozen);
        Assert.True(layer.Density > 0.05 && layer.Density < 1, $"{layer}");
        Assert.True(layer.Expansion >= Limit, $"{layer}");
        Assert.Equal(layer.Density, Math.Pow(0.8, Math.Round(Math.Log(layer.Density) / Math.Log(0.8))), 0.001); // a whole number of rounds

        // The step that was undone: the same share less would have broken the limit.
        Matrix weights = Matrix.From(32, 32, network.Parameters.Read(Hidden)), mask = Matrix.From(32, 32, network.Parameters.MaskOf(Hidden)!);
        Assert.Equal((int)Math.Round(layer.Density * 1024), weights.Data.Count(w => w != 0));
        Assert.Equal(layer.Expansion!.Value, Expansion.Unweighted(host, new BipartiteGraph(mask)).Relative!.Value, 1e-9);
    }

    [Fact]
    public void The_smallest_weights_go_first()
    {
        using Network network = Make(Cell.RnnTanh, 8);
        float[] before = network.Parameters.Read(Hidden);
        using ExpanderPruning pruning = new(new ExpanderSettings { Density = 0.5, StepFraction = 0.5, Stop = ExpansionStop.None, Weights =
            MaskedWeights.Hidden });
        pruning.Begin(network, new RunExtent(10, 10, 1));
        for (int step = 1; step <= 10; step++) pruning.AfterStep(step, 0.01);
        float[] after = network.Parameters.Read(Hidden);
        HashSet<int> largest = [.. Enumerable.Range(0, 64).OrderByDescending(i => Math.Abs(before[i])).Take(32)];
        for (int i = 0; i < 64; i++) Assert.Equal(largest.Contains(i) ? before[i] : 0, after[i]);
    }

    [Fact]
    public void What_is_left_goes_back_to_the_weights_of_the_epoch()
    {
        using Network network = Make(Cell.RnnTanh, 8);
        float[] first = network.Parameters.Read(Hidden);
        ExpanderSettings settings = new() { Density = 0.3, Stop = ExpansionStop.None, RewindEpoch = 0, End = 1 }; // the last round is the last step
        Train(network, new ExpanderPruning(settings));
        float[] after = network.Parameters.Read(Hidden);
        Assert.Equal(EdgeCounts.Of(8, 8, 0.3), after.Count(w => w != 0));
        for (int i = 0; i < after.Length; i++) Assert.True(after[i] == 0 || after[i] == first[i]);
        Assert.Contains("`RewindEpoch` 3", Assert.Throws<InvalidCallException>(
            () => Train(network, new ExpanderPruning(settings with { RewindEpoch = 3 }))).Message);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Blocks_are_kept_or_dropped_whole(bool isConstructed)
    {
        using Network network = Make(Cell.Gru, 18);
        BlockExtent block = new(4, 4);
        Train(network, isConstructed
            ? new ConstructedMasks(new ConstructedMaskSettings { Density = 0.3, Construction = MaskConstruction.Biregular, Block = block, Weights =
                MaskedWeights.Hidden })
            : new ExpanderPruning(new ExpanderSettings { Density = 0.3, Block = block, Stop = ExpansionStop.None, Weights = MaskedWeights.Hidden }));
        float[] mask = network.Parameters.MaskOf(Hidden)!;
        for (int gate = 0; gate < 3; gate++)
        {
            Matrix own = Matrix.From(18, 18, mask.AsSpan(gate * 324, 324)), sums = block.Sums(own);
            Assert.Equal(EdgeCounts.Of(5, 5, 0.3), sums.Data.Count(x => x > 0));
            Assert.Equal(own.Data, block.Spread(Matrix.From(5, 5, [.. sums.Data.Select(x => x > 0 ? 1.0 : 0)]), 18, 18).Data);
        }
    }

    [Theory]
    [InlineData(MaskConstruction.Random)]
    [InlineData(MaskConstruction.Biregular)]
    [InlineData(MaskConstruction.Lifted)]
    public void Constructed_masks_hold_from_the_first_step_on(MaskConstruction construction)
    {
        using Network network = Make(Cell.Lstm, 16);
        using ConstructedMasks pruning = new(new ConstructedMaskSettings { Density = 0.25, Construction = construction });
        PruningReport report = Train(network, pruning);
        Assert.All(report.Layers, layer => Assert.InRange(layer.Density, 0.2, 0.3));
        float[] mask = network.Parameters.MaskOf(Hidden)!, weights = network.Parameters.Read(Hidden);
        for (int i = 0; i < mask.Length; i++) Assert.Equal(mask[i] != 0, weights[i] != 0);
        Assert.NotEqual(mask[..256], mask[256..512]); // each gate has its own
    }

    [Theory]
    [InlineData(Cell.RnnTanh)]
    [InlineData(Cell.Irnn)]
    [InlineData(Cell.Lstm)]
    [InlineData(Cell.Gru)]
    [InlineData(Cell.LstmPeephole)]
    [InlineData(Cell.GruResetBefore)]
    public void Units_without_weights_are_sliced_away_and_no_output_changes(Cell cell)
    {
        using Network network = TestNetworks.Make(host, cell, [12, 10], Readout.Last, inputs: 2, outputs: 3);
        using ConstructedMasks pruning = new(new ConstructedMaskSettings { Density = 0.3, Block = new(3, 3), Construction =
            MaskConstruction.Random });
        Train(network, pruning);
        Silence(network, unread: 4, unfed: 7);
        using Network sliced = EmptyUnits.Slice(network)!;
        Assert.True(sliced.Architecture.Hidden[0] <= 10, $"{sliced}");
        Parity parity = Parity.Compare(network, sliced, new ToyData(40));
        Assert.True(parity.Difference <= 1e-5 * Math.Max(1, parity.Largest), $"{parity}"); // two orders of summation
        Assert.NotNull(sliced.Parameters.Mask);
        Assert.Null(EmptyUnits.Slice(sliced));
    }

    [Fact]
    public void A_network_without_masks_has_no_empty_units()
    {
        using Network network = Make(Cell.Lstm, 6);
        Assert.Null(EmptyUnits.Slice(network));
    }

    [Fact]
    public void Settings_out_of_range_are_refused()
    {
        foreach (double share in (double[])[0, 1, double.NaN])
            Assert.Contains("`Density`", Assert.Throws<InvalidCallException>(() =>
                new ExpanderPruning(new ExpanderSettings { Density = share })).Message);
        Assert.Contains("one aim", Assert.Throws<InvalidCallException>(() => new ConstructedMasks(new ConstructedMaskSettings())).Message);
        Assert.Contains("`StepFraction`", Assert.Throws<InvalidCallException>(() =>
            new ExpanderPruning(new ExpanderSettings { Density = 0.5, StepFraction = 1 })).Message);
        Assert.Contains("`ExpansionLimit`", Assert.Throws<InvalidCallException>(() =>
            new ExpanderPruning(new ExpanderSettings { Density = 0.5, Stop = ExpansionStop.Gap })).Message);
        Assert.Contains("`RewindEpoch`", Assert.Throws<InvalidCallException>(() =>
            new ExpanderPruning(new ExpanderSettings { Density = 0.5, RewindEpoch = -1 })).Message);
    }

    private Network Make(Cell cell, int hidden) => TestNetworks.Make(host, cell, [hidden], Readout.Last, inputs: 2, outputs: 3);

    private static PruningReport Train(Network network, ITrainedPruning pruning, Action<EpochReport>? epoch = null)
    {
        using Trainer trainer = new(network, new ToyData(40), null, Settings, pruning) { EpochFinished = epoch };
        trainer.Run();
        return pruning.Report(trainer.State.Step);
    }

    // One unit that nobody reads, and one of the lower layer that no weight reaches.
    private static void Silence(Network network, int unread, int unfed)
    {
        foreach ((string name, int columns) in (ReadOnlySpan<(string, int)>)[("rnn.weight_hh_l0", 12), ("rnn.weight_ih_l1", 12),
            ("rnn.weight_ih_l0", 2)])
        {
            float[] mask = network.Parameters.MaskOf(name) ?? [.. Enumerable.Repeat(1f, (int)network.Parameters[name].Count)];
            for (int i = 0; i < mask.Length; i++)
            {
                (int row, int column) = (i / columns, i % columns);
                if ((name != "rnn.weight_ih_l0" && column == unread) || (name != "rnn.weight_ih_l1" && row % 12 == unfed)) mask[i] = 0;
            }

            network.Parameters.SetMask(name, mask);
        }

        EmptyUnits.MaskBiases(network);
    }
}
