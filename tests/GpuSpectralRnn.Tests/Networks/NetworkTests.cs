using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>
/// Whole networks, of numbers and of tokens, with unequal lengths, tied weights and carried state: outputs against the double reference, gradients
/// against finite differences of it.
/// </summary>
[Collection("ilgpu-cpu")]
public class NetworkTests(IlgpuCpuDevice ilgpu, HostDevice host) : IClassFixture<HostDevice>
{
    private const int Vocabulary = 5;

    public static TheoryData<Cell, Readout, bool> Kinds()
    {
        TheoryData<Cell, Readout, bool> data = [];
        foreach (Cell cell in Enum.GetValues<Cell>())
        {
            foreach (Readout readout in Enum.GetValues<Readout>())
                foreach (bool isBidirectional in (bool[])[false, true]) data.Add(cell, readout, isBidirectional);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Sequences_of_numbers(Cell cell, Readout readout, bool isBidirectional)
    {
        foreach ((string hidden, int steps, int batch) in new[] { ("3", 1, 1), ("1", 2, 3), ("5,5", 5, 2), ("7,4,3", 4, 5) })
            Check(Make(cell, hidden, readout, TaskKind.Classification, 3, 4) with { IsBidirectional = isBidirectional }, steps, All(steps, batch));
        if (readout == Readout.Every) return; // regression has one answer a sequence
        foreach ((string hidden, int steps, int batch) in new[] { ("6", 3, 2), ("4,2,17", 7, 1) })
            Check(Make(cell, hidden, readout, TaskKind.Regression, 3, 2) with { IsBidirectional = isBidirectional }, steps, All(steps, batch));
    }

    // One row of full length, one empty, others between; a label of -1 beyond the lengths.
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tokens_of_unequal_length(Cell cell, Readout readout, bool isBidirectional)
    {
        foreach (string hidden in (string[])["2", "3,2", "2,5,3"])
            Check(MakeLanguage(cell, hidden, readout) with { IsBidirectional = isBidirectional }, steps: 4, [4, 1, 0, 3]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tied_weights(Cell cell, Readout readout, bool isBidirectional)
    {
        foreach (string hidden in (string[])["2", "3,2", "2,5,3"])
        {
            Architecture untied = MakeLanguage(cell, hidden, readout) with { IsBidirectional = isBidirectional };
            Check(untied with { TiesWeights = true, Inputs = untied.LayerOutputs(untied.Layers - 1) }, steps: 3, [3, 3]);
        }
    }

    [Theory]
    [InlineData(Cell.Irnn)]
    [InlineData(Cell.RnnTanh)]
    [InlineData(Cell.Lstm)]
    [InlineData(Cell.Gru)]
    public void Gradients_stop_at_the_state_that_was_carried(Cell cell) =>
        Check(MakeLanguage(cell, "3,2", Readout.Every), steps: 3, [3, 1, 0], goesOn: true);

    [Theory]
    [InlineData("host", Cell.Irnn)]
    [InlineData("host", Cell.Lstm)]
    [InlineData("ilgpu-cpu", Cell.Gru)]
    [InlineData("ilgpu-cpu", Cell.Lstm)]
    public void A_run_in_pieces_equals_one_long_run(string device, Cell cell)
    {
        IBackend backend = Backend(device);
        using Network network = Perturbed(MakeLanguage(cell, "7,4", Readout.Every), backend);
        int[] tokens = Numbers.Integers(9 * 2, 3, 0, Vocabulary); // [9, 2]
        float[] whole = Run(tokens, 9, null, continues: false);
        float[] pieces =
        [
            .. Run(tokens[..6], 3, null, continues: false),
            .. Run(tokens[6..10], 2, null, continues: true),
            .. Run([.. tokens[10..], 0, 0], 5, [4, 4], continues: true)[..(4 * 2 * Vocabulary)],
        ];
        Assert.Equal(whole, pieces);

        // Once more over the same piece, from where it started; then on.
        Run(tokens[..6], 3, null, continues: false);
        float[] second = Run(tokens[6..12], 3, null, continues: true);
        using Tensor again = Upload(backend, tokens[6..12], 3, 2);
        Assert.Equal(second, network.Forward(new SequenceBatch(again, continues: true).Again).ToArray());
        Assert.Equal(whole[(6 * 2 * Vocabulary)..], Run(tokens[12..], 3, null, continues: true));

        // What was carried can be put into another network.
        Run(tokens[..12], 6, null, continues: false);
        Dictionary<string, float[]> state = network.CarriedState.ToDictionary(pair => pair.Name, pair => pair.Values.ToArray());
        Run(tokens[..6], 3, null, continues: false);
        network.RestoreState(2, name => state[name]);
        Assert.Equal(whole[(6 * 2 * Vocabulary)..], Run(tokens[12..], 3, null, continues: true));

        float[] Run(int[] piece, int steps, int[]? lengths, bool continues)
        {
            using Tensor input = Upload(backend, piece, steps, 2);
            using Tensor? valid = lengths is null ? null : Upload(backend, lengths, 2);
            return network.Forward(new SequenceBatch(input, valid, continues)).ToArray();
        }
    }

    [Fact]
    public void What_cannot_go_on_or_fit_is_refused()
    {
        IBackend backend = host.Backend;
        using Network network = Network.Create(MakeLanguage(Cell.Lstm, "3", Readout.Every), backend, 1);
        using Network both = Network.Create(MakeLanguage(Cell.Lstm, "3", Readout.Every) with { IsBidirectional = true }, backend, 1);
        using Tensor two = Upload(backend, [0, 1], 1, 2), three = Upload(backend, [0, 1, 2], 1, 3), unknown = Upload(backend, [0, Vocabulary], 1, 2);
        using Tensor real = backend.Allocate(new Shape(1, 2, 4));
        Assert.Contains("from zero", Assert.Throws<InvalidCallException>(() => network.Forward(new SequenceBatch(two, null, true))).Message);
        network.Forward(two);
        Assert.Contains("3 sequences", Assert.Throws<InvalidCallException>(() => network.Forward(new SequenceBatch(three, null, true))).Message);
        network.Forward(new SequenceBatch(two) { IsWhole = true });
        Assert.Empty(network.CarriedState);
        Assert.Contains("from zero", Assert.Throws<InvalidCallException>(() => network.Forward(new SequenceBatch(two, null, true))).Message);
        Assert.Contains("bidirectional", Assert.Throws<InvalidCallException>(() => both.Forward(new SequenceBatch(two, null, true))).Message);
        Assert.Contains("tokens", Assert.Throws<ArgumentException>(() => network.Forward(real)).Message);
        Assert.Contains($"Token {Vocabulary} ", Assert.Throws<InvalidCallException>(() => network.Forward(unknown)).Message);
    }

    // Two layers: what passes between them is dropped, too.
    [Theory]
    [InlineData("host", false)]
    [InlineData("host", true)]
    [InlineData("ilgpu-cpu", false)]
    [InlineData("ilgpu-cpu", true)]
    public void Gradients_pass_through_the_mask_that_the_states_passed(string device, bool isBidirectional)
    {
        IBackend backend = Backend(device);
        Architecture architecture = Make(Cell.Gru, "4,3", Readout.Mean, TaskKind.Regression, inputs: 3, outputs: 1);
        using Network network = Perturbed(architecture with { IsBidirectional = isBidirectional }, backend);
        using Tensor input = backend.Allocate(new Shape(3, 2, 3));
        input.CopyFrom<float>(Random(18, 4));
        DropoutMask mask = new(0.5f, Seed: 3, Step: 17);
        float[] masked = network.Forward(input, isTraining: true, mask).ToArray();
        Assert.NotEqual(network.Forward(input).ToArray(), masked);
        Assert.NotEqual(network.Forward(input, isTraining: true, mask with { Step = 18 }).ToArray(), masked);
        CheckMaskedGradients(network, input, mask, "rnn.weight_ih_l0", "rnn.weight_hh_l1");
    }

    // One layer: only the embedding's output and what the read-out sees are dropped.
    [Theory]
    [InlineData("host", Readout.Every, false)]
    [InlineData("host", Readout.Last, true)]
    [InlineData("host", Readout.Mean, false)]
    [InlineData("host", Readout.LastStep, true)]
    [InlineData("ilgpu-cpu", Readout.LastStep, false)]
    [InlineData("ilgpu-cpu", Readout.Every, true)]
    [InlineData("ilgpu-cpu", Readout.Last, false)]
    public void Gradients_pass_through_every_mask(string device, Readout readout, bool isBidirectional)
    {
        IBackend backend = Backend(device);
        using Network network = Perturbed(MakeLanguage(Cell.RnnTanh, "4", readout) with { IsBidirectional = isBidirectional }, backend);
        using Tensor tokens = Upload(backend, Numbers.Integers(6, 4, 0, Vocabulary), 3, 2);
        DropoutMask mask = new(0.4f, Seed: 3, Step: 17);
        network.Forward(tokens, isTraining: true, mask);
        if (readout != Readout.Every) Assert.Contains(0f, network.Values(network.Graph.Node("readout").Inputs[0].Name).ToArray());
        Assert.Contains(0f, network.Values(network.Graph.Node("l0").Inputs[0].Name).ToArray());
        CheckMaskedGradients(network, tokens, mask, "embedding.weight", "rnn.weight_hh_l0", "readout.weight");
    }

    internal static Architecture Make(Cell cell, string hidden, Readout readout, TaskKind task, int inputs, int outputs) => new()
    {
        Cell = cell,
        Inputs = inputs,
        Hidden = [.. hidden.Split(',').Select(int.Parse)],
        Readout = readout,
        Outputs = outputs,
        Task = task,
    };

    internal static float[] Random(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((2 * random.NextDouble()) - 1))];
    }

    // Initial weights with noise, so that an IRNN's zeros and ones do not hide a term.
    internal static Network Perturbed(Architecture architecture, IBackend backend)
    {
        Network network = Network.Create(architecture, backend, seed: 5);
        foreach (ParameterSpec slot in network.Parameters.Slots)
        {
            float[] noise = Random((int)slot.Shape.Count, (int)slot.Offset);
            network.Parameters.Write(slot.Name, [.. network.Parameters.Read(slot.Name).Zip(noise, (value, n) => (0.7f * value) + (0.3f * n))]);
        }

        return network;
    }

    private static Architecture MakeLanguage(Cell cell, string hidden, Readout readout) =>
        Make(cell, hidden, readout, TaskKind.Classification, inputs: 4, outputs: Vocabulary) with { Vocabulary = Vocabulary };

    private static int[] All(int steps, int batch) => [.. Enumerable.Repeat(steps, batch)];

    private static Tensor Upload(IBackend backend, int[] values, params int[] extents)
    {
        Tensor tensor = backend.Allocate(new Shape(extents), ElementType.Int32);
        tensor.CopyFrom<int>(values);
        return tensor;
    }

    private IBackend Backend(string device) => device == "host" ? host.Backend : ilgpu.Backend;

    private void Check(Architecture architecture, int steps, int[] lengths, bool goesOn = false)
    {
        int batch = lengths.Length, rows = architecture.Readout == Readout.Every ? steps * batch : batch;
        int[] tokens = [.. Numbers.Integers(steps * batch, 11, 0, Vocabulary).Select((token, i) => i / batch < lengths[i % batch] ? token : 0)];
        bool Counts(int row) => row / batch < lengths[row % batch] && (rows <= 2 || row % 5 != 1);
        int[] labels = [.. Enumerable.Range(0, rows).Select(row => Counts(row) ? row % architecture.Outputs : -1)];
        float[] numbers = Random(steps * batch * architecture.Inputs, 11), targets = Random(rows * architecture.Outputs, 12);
        bool ofTokens = architecture.Vocabulary > 0;
        ReferenceNetwork? reference = null;
        double[][]? differences = null;
        double[] Expected() => ofTokens ? reference!.Forward(tokens, steps, batch) : reference!.Forward(numbers.ToDoubles(), steps, batch);
        double Loss() => architecture.Task == TaskKind.Classification
            ? reference!.CrossEntropy(Expected(), labels)
            : ReferenceNetwork.SquaredError(Expected(), targets.ToDoubles());
        foreach (IBackend backend in (IBackend[])[host.Backend, ilgpu.Backend])
        {
            string what = $"{backend.Device.Id}, {architecture.Cell} {string.Join(",", architecture.Hidden)} {architecture.Task}";
            using Network network = Perturbed(architecture, backend);
            using Tensor input = ofTokens ? Upload(backend, tokens, steps, batch) : backend.Allocate(new Shape(steps, batch, architecture.Inputs));
            using Tensor valid = Upload(backend, lengths, batch);
            if (!ofTokens) input.CopyFrom<float>(numbers);
            if (goesOn)
            {
                using Tensor before = Upload(backend, Numbers.Integers(2 * batch, 12, 0, Vocabulary), 2, batch);
                network.Forward(before, isTraining: true);
            }

            // Weights and carried states of the devices differ by rounding only.
            reference ??= ReferenceNetwork.Of(
                network, lengths, goesOn ? network.CarriedState.ToDictionary(pair => pair.Name, pair => pair.Values.ToArray().ToDoubles()) : null);
            SequenceBatch given = new(input, lengths.All(length => length == steps) ? null : valid, goesOn);
            Tensor outputs = network.Forward(given, isTraining: true);

            // Sums of at most 17 products per step, at most 7 steps, values of order 1: a few hundred roundings of 6e-8.
            Close.Equal(Expected(), outputs, rtol: 1e-5, atol: 1e-5, what: $"{what} outputs");
            using LossTotals totals = backend.Loss.CreateTotals();
            if (architecture.Task == TaskKind.Classification)
            {
                using Tensor label = Upload(backend, labels, rows);
                backend.Loss.SoftmaxCrossEntropy(new(outputs, label, 1f / labels.Count(l => l >= 0), outputs, totals));
            }
            else
            {
                using Tensor target = backend.Allocate(new Shape(rows, architecture.Outputs));
                target.CopyFrom<float>(targets);
                backend.Loss.MeanSquaredError(new(outputs, target, 1f / rows, outputs, totals));
            }

            LossSums sums = totals.Read();
            Close.Equal(Loss(), sums.Loss / sums.Rows, rtol: 1e-5, atol: 1e-6, what: $"{what} loss");
            network.Backward(outputs);
            differences ??= [.. network.Parameters.Slots.Select(slot => FiniteDifferences.Gradient(Loss, reference.Parameters[slot.Name]))];
            foreach ((ParameterSpec slot, double[] expected) in network.Parameters.Slots.Zip(differences))
            {
                // fp32 through T steps and three layers; a wrong term would be off by its own size, of order 0.01 and more.
                Close.Equal(expected, network.Parameters.Gradient(slot.Name), rtol: 2e-4, atol: 2e-5, what: $"{what} {slot.Name}");
            }
        }
    }

    // The mask is the seed's, so the loss, a sum of outputs weighed by cosines, is a function of the weights.
    private static void CheckMaskedGradients(Network network, Tensor input, DropoutMask mask, params string[] names)
    {
        Tensor outputs = network.Forward(input, isTraining: true, mask);
        outputs.CopyFrom<float>([.. Enumerable.Range(0, (int)outputs.Count).Select(i => (float)Math.Cos(i))]);
        network.Backward(outputs);
        foreach (string name in names)
        {
            const float By = 1e-2f;
            float[] gradient = network.Parameters.Gradient(name).ToArray(), values = network.Parameters.Read(name);
            double Moved(int i, float by)
            {
                network.Parameters.Write(name, [.. values.Select((value, j) => i == j ? value + by : value)]);
                return network.Forward(input, isTraining: true, mask).ToArray().Select((y, k) => y * Math.Cos(k)).Sum();
            }

            double[] differences = [.. Enumerable.Range(0, values.Length).Select(i => (Moved(i, By) - Moved(i, -By)) / (2 * By))];
            network.Parameters.Write(name, values);

            // fp32: 1e-2 squared from the difference, 1e-7 / 1e-2 from rounding; a wrong mask is off by the gradient's own size, 0.1 and more.
            Close.Equal(differences, gradient, rtol: 1e-3, atol: 5e-4, what: name);
        }
    }
}
