using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Pruning;

/// <summary>Refinement without labels: what it sees, how it chooses, and that it helps every kind of network.</summary>
public sealed class RefinementTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(11)]
    [InlineData(100)]
    public void Calibration_inputs_are_divided_into_three_parts_that_share_nothing(int count)
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [4], Readout.Last);
        NormalData data = new(count, 3, 3);
        Calibration calibration = new(network, data);
        ISequenceData[] parts = [calibration.Inputs, calibration.Held, calibration.Judged];

        // Sequences of normal numbers are told by their first.
        float[] firsts = [.. parts.SelectMany(First)];
        Assert.Equal(First(data), firsts);
        Assert.Equal(count, firsts.Distinct().Count());
        Assert.All(parts, part => Assert.True(part.Count > 0));
        if (count == 100) Assert.Equal([80, 12, 8], parts.Select(part => part.Count));
    }

    [Fact]
    public void What_chooses_and_what_judges_changes_no_step()
    {
        using Network network = TestNetworks.Make(host, Cell.Gru, [8], Readout.Last);
        Network Refined(NormalData data, ISequenceData seen)
        {
            Calibration calibration = new(network, seen);
            Network small = Slicer.Slice(network, new MagnitudeUnits().Plan(new Calibration(network, data), [4]));
            RefinementResult<float[]> result = Refinement.Refine(calibration, small, null, RefinementBudget.OfSteps(20))!;
            Assert.True(result.After < result.Before);
            return small;
        }

        NormalData data = new(100, 4, 3);
        using Network once = Refined(data, data), other = Refined(data, new Changed(data, from: 92)); // other inputs to judge by
        Assert.Equal(once.Parameters.Values.ToArray(), other.Parameters.Values.ToArray());
    }

    [Fact]
    public void The_ladder_ends_where_a_lower_rate_is_worse_and_goes_on_while_that_helps()
    {
        // Losses of the runs in turn; the two first measure the time of a step.
        Ladder ladder = new([9, 9, 0.5, 0.4, 0.6, 0.3, 0.29]);
        List<string> notes = [];
        RefinementResult<string> result = ladder.Climb("1", RefinementBudget.Auto, notes.Add);

        Assert.Equal([0.1, 0.05, 0.02, 0.05, 0.05], result.Runs.Select(run => run.Rate));
        Assert.Equal(["1", "1", "1", "0.4", "0.3"], ladder.Starts.Skip(2));
        Assert.Equal("0.29", result.Best);
        Assert.Equal((1, 0.29), (result.Before, result.After));
        Assert.Contains("refining without labels: 500 steps at each of up to 3 rates", Assert.Single(notes));
    }

    [Fact]
    public void The_start_stays_where_nothing_is_better_and_a_run_that_diverges_is_no_end()
    {
        RefinementResult<string> result = new Ladder([9, 9, double.NaN, 2, 3]).Climb("1", RefinementBudget.OfSteps(7));
        Assert.Equal("1", result.Best);
        Assert.Equal([double.PositiveInfinity, 2, 3], result.Runs.Select(run => run.Divergence));
        Assert.All(result.Runs, run => Assert.Equal(7, run.Steps));
        Assert.Throws<ArgumentException>(() => new Ladder([]).Climb("1", RefinementBudget.Off));
    }

    [Fact]
    public void Seconds_limit_the_work()
    {
        RefinementResult<string> result = new Ladder([9, 9, 0.5, 0.6]).Climb("1", RefinementBudget.OfSeconds(1e-9));
        Assert.Equal(["0.5"], [result.Best]);
        Assert.All(result.Runs, run => Assert.Equal(1, run.Steps));
    }

    [Theory]
    [InlineData("auto", "auto")]
    [InlineData("off", "off")]
    [InlineData("0", "off")]
    [InlineData("250", "250")]
    [InlineData("1.5s", "1.5s")]
    public void Budgets_are_read_and_written(string text, string again) => Assert.Equal(again, RefinementBudget.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("0s")]
    [InlineData("NaNs")]
    [InlineData("1e999s")]
    [InlineData("long")]
    public void Other_budgets_are_refused(string text) =>
        Assert.Contains("`Refine`", Assert.Throws<InvalidCallException>(() => RefinementBudget.Parse(text)).Message);

    [Theory]
    [InlineData(Cell.Lstm, Readout.Last, false)]
    [InlineData(Cell.Gru, Readout.Every, false)]
    [InlineData(Cell.Irnn, Readout.Mean, true)]
    [InlineData(Cell.RnnTanh, Readout.Last, true)]
    public void Networks_of_two_layers_come_closer(Cell cell, Readout readout, bool isBidirectional)
    {
        using Network network = TestNetworks.Make(host, cell, [8, 6], readout, isBidirectional: isBidirectional);
        ComesCloser(network, new NormalData(200, 4, 3));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Language_models_come_closer(bool isStream)
    {
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Lstm, [10]);
        ComesCloser(network, new TokenData(200, 6, 7, isStream), share: 0.98); // random tokens: KL is 2e-4 from the start
    }

    [Fact]
    public void Regressions_come_closer()
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [10], Readout.Last, task: TaskKind.Regression);
        ComesCloser(network, new NormalData(200, 4, 3));
    }

    [Fact]
    public void Masks_stay_and_the_masked_network_comes_closer()
    {
        using Network network = TestNetworks.Make(host, Cell.Irnn, [8], Readout.Last);
        Calibration calibration = new(network, new NormalData(200, 4, 3));
        PruningPlan plan = new MagnitudeWeights().Plan(calibration, [4]);
        using Network small = Slicer.Slice(network, plan);
        float[] before = small.Parameters.Read("rnn.weight_hh_l0");

        RefinementResult<float[]> result = Refinement.Refine(calibration, small, plan, RefinementBudget.OfSteps(30))!;

        Assert.True(result.After < result.Before, $"{result}");
        Assert.Equal(before.Select(weight => weight == 0), small.Parameters.Read("rnn.weight_hh_l0").Select(weight => weight == 0));
        Assert.NotEqual(before, small.Parameters.Read("rnn.weight_hh_l0"));
    }

    [Fact]
    public void Hints_are_the_gradient_of_the_states_squared_distance_over_their_variance()
    {
        const int Count = 7, Steps = 3;
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [6], Readout.Last);
        Calibration calibration = new(network, new NormalData(60, Steps, 3));
        PruningPlan plan = new MagnitudeUnits().Plan(calibration, [3]);
        using Network small = Slicer.Slice(network, plan), student = new(StateHints.Show(small.Graph, TaskKind.Classification), host);
        student.Parameters.CopyFrom(small.Parameters);
        using StateHints hints = StateHints.Create(calibration, plan);
        using DeviceBatches feed = new(calibration.Inputs, host, Count);
        using Teacher teacher = new(network, calibration.Inputs, Count, hints.Wanted);
        feed.Next();
        teacher.See(feed);
        student.Forward(feed.Current, isTraining: true);
        string state = small.Graph.PrunableAxes[0].Carriers[0].Name;
        float[] own = student.Values(state).ToArray(), all = network.Values(state).ToArray();

        hints.Apply(student, teacher, 0.5f);

        float[] gradient = student.Output(1).ToArray();
        GpuSpectralRnn.Numerics.Matrix covariance = calibration.CentredGram(0);
        double[] expected = new double[own.Length];
        for (int row = 0; row < Steps * Count; row++)
        {
            for (int j = 0; j < 3; j++)
            {
                int unit = plan.Axes[0].Kept[j];
                expected[row * 3 + j] = 0.5 * 2 * (own[row * 3 + j] - all[row * 6 + unit]) / covariance[unit, unit] / own.Length;
            }
        }

        Close.Equal(expected, gradient, 1e-4, 1e-6, "gradient of the hints"); // single precision, differences of states near 1
    }

    [Fact]
    public void Mixed_inputs_are_convex_always_the_same_and_never_of_tokens()
    {
        NormalData data = new(5, 2, 3);
        MixedInputs mixed = new(data, seed: 3);
        Assert.Equal(10, mixed.Count);
        float[] plain = Values(data, 0, 1, 2, 3, 4), same = Values(mixed, 0, 1, 2, 3, 4), first = Values(mixed, 9, 6), again = Values(mixed, 6, 9);
        Assert.Equal(plain, same);
        for (int i = 0; i < 6; i++)
        {
            (int t, int f) = (i / 3, i % 3);
            Assert.Equal(first[(t * 2 + 1) * 3 + f], again[t * 2 * 3 + f]);
        }

        // The mixture 6 is a x_1 + (1 - a) x_j with one a of [1/2, 1) for one j.
        float[] mixture = [.. Enumerable.Range(0, 6).Select(i => again[i / 3 * 6 + i % 3])];
        float[] Own(int sequence) => [.. Enumerable.Range(0, 6).Select(i => plain[(i / 3 * 5 + sequence) * 3 + i % 3])];
        Assert.Contains(Enumerable.Range(0, 5), j =>
        {
            float[] x = Own(1), y = Own(j);
            if (j == 1) return mixture.Zip(x).All(pair => Math.Abs(pair.First - pair.Second) < 1e-6);
            double share = (mixture[0] - y[0]) / (x[0] - y[0]);
            return share is >= 0.5 and < 1 && Enumerable.Range(0, 6).All(i => Math.Abs(share * x[i] + (1 - share) * y[i] - mixture[i]) < 1e-4);
        });
        Assert.False(MixedInputs.CanMix(new TokenData(5, 3, 7, isStream: false)));
        Assert.Throws<ArgumentException>(() => new MixedInputs(new TokenData(5, 3, 7, isStream: false), 1));
    }

    private static void ComesCloser(Network network, ISequenceData data, double share = 0.9)
    {
        Calibration calibration = new(network, data);
        int[] keep = [.. network.Architecture.Hidden.Select(units => units / 2)];
        PruningPlan plan = new SpectralPruning(new SpectralSettings()).Plan(calibration, keep);
        using Network small = Slicer.Slice(network, plan);
        OutputDivergence before = OutputDivergence.Judge(calibration, small);

        RefinementResult<float[]> result = Refinement.Refine(calibration, small, plan, RefinementBudget.OfSteps(60))!;

        // Half of the units of a random network: 60 steps take away a tenth of what is lost, on inputs that nothing saw.
        OutputDivergence after = OutputDivergence.Judge(calibration, small);
        Assert.True(after.Divergence < share * before.Divergence, $"{before} -> {after}; {result}");
    }

    private static float[] First(ISequenceData data)
    {
        Batch batch = new(data.Layout, data.Count);
        data.Read([.. Enumerable.Range(0, data.Count)], batch);
        return [.. Enumerable.Range(0, data.Count).Select(i => batch.Inputs[i * data.Layout.Features])];
    }

    private static float[] Values(ISequenceData data, params int[] numbers)
    {
        Batch batch = new(data.Layout, numbers.Length);
        data.Read(numbers, batch);
        return batch.Inputs.ToArray();
    }

    /// <summary>The same data with other numbers from some sequence on.</summary>
    private sealed class Changed(ISequenceData data, int from) : ISequenceData
    {
        public string Name => data.Name;

        public int Count => data.Count;

        public SequenceLayout Layout => data.Layout;

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            data.Read(indices, batch);
            int features = Layout.Features;
            for (int i = 0; i < batch.Inputs.Length; i++)
                if (indices[i / features % indices.Length] >= from) batch.Inputs[i] = -batch.Inputs[i];
        }
    }

    /// <summary>A ladder whose runs come to given losses; a candidate is its loss in words.</summary>
    private sealed class Ladder(double[] losses) : RateLadder<string>
    {
        private int run;

        public List<string> Starts { get; } = [];

        protected override IReadOnlyList<double> Rates => [0.1, 0.05, 0.02];

        protected override double WorkOfStep => 1;

        protected override string? Run(string from, double rate, int steps)
        {
            Starts.Add(from);
            double loss = losses[run++];
            return double.IsNaN(loss) ? null : FormattableString.Invariant($"{loss}");
        }

        protected override double Judge(string candidate) => double.Parse(candidate, System.Globalization.CultureInfo.InvariantCulture);
    }
}
