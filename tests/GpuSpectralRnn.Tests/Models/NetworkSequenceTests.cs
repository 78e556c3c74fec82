using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Models;

/// <summary>
/// Tokens, unequal lengths, tied weights and carried state: outputs against the double reference, gradients against finite differences of it.
/// </summary>
public class NetworkSequenceTests
{
    private const int Vocabulary = 5;
    private const double Step = 1e-6; // of the central differences in double: error about Step^2 + 1e-16 / Step = 1e-10

    public static TheoryData<string, Cell, string, Readout, bool> Networks()
    {
        TheoryData<string, Cell, string, Readout, bool> data = new();
        foreach ((string device, Cell cell) in from device in (string[])["host", "ilgpu-cpu"] from cell in Enum.GetValues<Cell>() select (device, cell))
        {
            foreach ((Readout readout, bool isBidirectional) in
                from readout in Enum.GetValues<Readout>() from isBidirectional in (bool[])[false, true] select (readout, isBidirectional))
            {
                data.Add(device, cell, "2", readout, isBidirectional);
                data.Add(device, cell, "3,2", readout, isBidirectional);
                data.Add(device, cell, "2,5,3", readout, isBidirectional);
            }
        }

        return data;
    }

    // One row of full length, one empty, others between; a label of -1 beyond the lengths.
    [Theory]
    [MemberData(nameof(Networks))]
    public void Tokens_of_unequal_length(string device, Cell cell, string hidden, Readout readout, bool isBidirectional) =>
        Check(device, Make(cell, hidden, readout) with { IsBidirectional = isBidirectional }, steps: 4, [4, 1, 0, 3]);

    [Theory]
    [MemberData(nameof(Networks))]
    public void Tied_weights(string device, Cell cell, string hidden, Readout readout, bool isBidirectional)
    {
        Architecture untied = Make(cell, hidden, readout) with { IsBidirectional = isBidirectional };
        Check(device, untied with { TiesWeights = true, Inputs = untied.LayerOutputs(untied.Layers - 1) }, steps: 3, [3, 3]);
    }

    [Theory]
    [InlineData("host", Cell.Irnn)]
    [InlineData("host", Cell.Lstm)]
    [InlineData("host", Cell.Gru)]
    [InlineData("ilgpu-cpu", Cell.RnnTanh)]
    [InlineData("ilgpu-cpu", Cell.Lstm)]
    [InlineData("ilgpu-cpu", Cell.Gru)]
    public void Gradients_stop_at_the_state_that_was_carried(string device, Cell cell) =>
        Check(device, Make(cell, "3,2", Readout.Every), steps: 3, [3, 1, 0], goesOn: true);

    [Theory]
    [InlineData("host", Cell.Irnn)]
    [InlineData("host", Cell.Lstm)]
    [InlineData("ilgpu-cpu", Cell.Gru)]
    [InlineData("ilgpu-cpu", Cell.Lstm)]
    public void A_run_in_pieces_equals_one_long_run(string device, Cell cell)
    {
        using IBackend backend = Devices.Open(device);
        using Network network = Perturbed(Make(cell, "7,4", Readout.Every), backend);
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
        Assert.Equal(second, network.Forward(new SequenceBatch(again, Continues: true).Again).ToArray());
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
        using IBackend backend = Devices.Open("host");
        using Network network = Network.Create(Make(Cell.Lstm, "3", Readout.Every), backend, 1);
        using Network both = Network.Create(Make(Cell.Lstm, "3", Readout.Every) with { IsBidirectional = true }, backend, 1);
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
        // One layer: only the embedding's output and what the read-out sees are dropped. The mask is the seed's, so the loss is a function of the
        // weights.
        DropoutMask mask = new(0.4f, Seed: 3, Step: 17);
        using IBackend backend = Devices.Open(device);
        using Network network = Perturbed(Make(Cell.RnnTanh, "4", readout) with { IsBidirectional = isBidirectional }, backend);
        using Tensor tokens = Upload(backend, Numbers.Integers(6, 4, 0, Vocabulary), 3, 2);
        double Loss() => network.Forward(tokens, isTraining: true, mask).ToArray().Select((y, i) => y * Math.Cos(i)).Sum();
        Tensor outputs = network.Forward(tokens, isTraining: true, mask);
        if (readout != Readout.Every) Assert.Contains(0f, network.SeenByReadout.ToArray());
        Assert.Contains(0f, network.LayerInput(0).ToArray());
        outputs.CopyFrom<float>([.. Enumerable.Range(0, (int)outputs.Count).Select(i => (float)Math.Cos(i))]);
        network.Backward(outputs);
        foreach (string name in (string[])["embedding.weight", "rnn.weight_hh_l0", "readout.weight"])
        {
            float[] gradient = network.Parameters.Gradient(name).ToArray();
            float[] values = network.Parameters.Read(name);
            double[] differences = new double[values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                const float By = 1e-2f;
                double Moved(float by)
                {
                    float[] moved = [.. values];
                    moved[i] += by;
                    network.Parameters.Write(name, moved);
                    return Loss();
                }

                differences[i] = (Moved(By) - Moved(-By)) / (2 * By);
                network.Parameters.Write(name, values);
            }

            // fp32: 1e-2 squared from the difference, 1e-7 / 1e-2 from rounding; a wrong mask is off by the gradient's own size, 0.1 and more.
            Close.Equal(differences, gradient, rtol: 1e-3, atol: 5e-4, what: name);
        }
    }

    private static Architecture Make(Cell cell, string hidden, Readout readout) =>
        NetworkTests.Make(cell, hidden, readout, TaskKind.Classification, inputs: 4, outputs: Vocabulary) with { Vocabulary = Vocabulary };

    private static Network Perturbed(Architecture architecture, IBackend backend) => NetworkTests.Perturbed(architecture, backend);

    private static Tensor Upload(IBackend backend, int[] values, params int[] extents)
    {
        Tensor tensor = backend.Allocate(new Shape(extents), ElementType.Int32);
        tensor.CopyFrom<int>(values);
        return tensor;
    }

    private static void Check(string device, Architecture architecture, int steps, int[] lengths, bool goesOn = false)
    {
        int batch = lengths.Length;
        using IBackend backend = Devices.Open(device);
        using Network network = Perturbed(architecture, backend);
        int[] tokens = Numbers.Integers(steps * batch, 11, 0, Vocabulary);
        for (int i = 0; i < tokens.Length; i++) tokens[i] = i / batch < lengths[i % batch] ? tokens[i] : 0;
        using Tensor input = Upload(backend, tokens, steps, batch), valid = Upload(backend, lengths, batch);
        SequenceBatch given = new(input, lengths.All(length => length == steps) ? null : valid, goesOn);
        Dictionary<string, double[]>? start = null;
        if (goesOn)
        {
            using Tensor before = Upload(backend, Numbers.Integers(2 * batch, 12, 0, Vocabulary), 2, batch);
            network.Forward(before, isTraining: true);
            start = network.CarriedState.ToDictionary(pair => pair.Name, pair => pair.Values.ToArray().ToDoubles());
        }

        int rows = architecture.Readout == Readout.Every ? steps * batch : batch;
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => i / batch < lengths[i % batch] ? i % architecture.Outputs : -1)];
        ReferenceNetwork reference = new(architecture) { Lengths = lengths, Start = start };
        Dictionary<string, double[]> parameters = network.Parameters.Slots.ToDictionary(slot => slot.Name, slot => network.Parameters.Read(slot.Name).ToDoubles());
        Tensor outputs = network.Forward(given, isTraining: true);

        // Sums of at most 10 products per step, at most 4 steps, values of order 1: a few hundred roundings of 6e-8.
        Close.Equal(reference.Forward(parameters, tokens, steps, batch), outputs, rtol: 1e-5, atol: 1e-5, what: "outputs");
        using Tensor label = Upload(backend, labels, rows);
        using LossTotals totals = backend.Loss.CreateTotals();
        backend.Loss.SoftmaxCrossEntropy(outputs, label, 1f / labels.Count(l => l >= 0), outputs, totals);
        LossSums sums = totals.Read();
        Close.Equal(Loss(), sums.Loss / sums.Rows, rtol: 1e-5, atol: 1e-6, what: "loss");
        network.Backward(outputs);
        foreach (ParameterSlot slot in network.Parameters.Slots)
        {
            double[] values = parameters[slot.Name];
            double[] differences = new double[values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                double value = values[i];
                values[i] = value + Step;
                double above = Loss();
                values[i] = value - Step;
                differences[i] = (above - Loss()) / (2 * Step);
                values[i] = value;
            }

            // fp32 through T steps and three layers; a wrong term would be off by its own size, of order 0.01 and more.
            Close.Equal(differences, network.Parameters.Gradient(slot.Name), rtol: 2e-4, atol: 2e-5, what: slot.Name);
        }

        double Loss() => reference.CrossEntropy(reference.Forward(parameters, tokens, steps, batch), labels);
    }
}
