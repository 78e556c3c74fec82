using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Models;

/// <summary>Whole networks: outputs against the double reference, gradients against finite differences of it, golden numbers from PyTorch.</summary>
public class NetworkTests
{
    private const double Step = 1e-6; // of the central differences in double: error about Step^2 + 1e-16 / Step = 1e-10

    public static TheoryData<string, Cell, string, Readout, TaskKind, int, int> Networks()
    {
        TheoryData<string, Cell, string, Readout, TaskKind, int, int> data = new();
        foreach ((string device, Cell cell) in from device in (string[])["host", "ilgpu-cpu"] from cell in Enum.GetValues<Cell>() select (device, cell))
        {
            foreach (Readout readout in Enum.GetValues<Readout>())
            {
                data.Add(device, cell, "3", readout, TaskKind.Classification, 1, 1);
                data.Add(device, cell, "1", readout, TaskKind.Classification, 2, 3);
                data.Add(device, cell, "5,5", readout, TaskKind.Classification, 5, 2);
                data.Add(device, cell, "7,4,3", readout, TaskKind.Classification, 4, 5);
                if (readout == Readout.Every) continue;
                data.Add(device, cell, "6", readout, TaskKind.Regression, 3, 2);
                data.Add(device, cell, "4,2,17", readout, TaskKind.Regression, 7, 1);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Outputs_and_gradients_agree_with_the_double_reference(string device, Cell cell, string hidden, Readout readout, TaskKind task, int steps, int batch) =>
        Check(device, Make(cell, hidden, readout, task, inputs: 3, outputs: task == TaskKind.Regression ? 2 : 4), steps, batch);

    [Theory]
    [MemberData(nameof(Networks))]
    public void Two_directions_agree_with_the_double_reference(string device, Cell cell, string hidden, Readout readout, TaskKind task, int steps, int batch) =>
        Check(
            device,
            Make(cell, hidden, readout, task, inputs: 3, outputs: task == TaskKind.Regression ? 2 : 4) with { IsBidirectional = true },
            steps,
            batch);

    private static void Check(string device, Architecture architecture, int steps, int batch)
    {
        (Readout readout, TaskKind task) = (architecture.Readout, architecture.Task);
        using IBackend backend = Devices.Open(device);
        using Network network = Perturbed(architecture, backend);
        float[] x = Random(steps * batch * 3, 11);
        int rows = readout == Readout.Every ? steps * batch : batch;
        int[] labels = [.. Enumerable.Range(0, rows).Select(i => rows > 2 && i % 5 == 1 ? -1 : i % architecture.Outputs)];
        float[] targets = Random(rows * architecture.Outputs, 12);
        ReferenceNetwork reference = new(architecture);
        Dictionary<string, double[]> parameters = network.Parameters.Slots.ToDictionary(slot => slot.Name, slot => Doubles(network.Parameters.Read(slot.Name)));
        double[] input = Doubles(x);

        using Tensor inputTensor = backend.Allocate(new Shape(steps, batch, 3));
        inputTensor.CopyFrom<float>(x);
        Tensor outputs = network.Forward(inputTensor, isTraining: true);

        // Sums of at most 17 products per step, at most 7 steps, values of order 1: a few hundred roundings of 6e-8.
        Close.Equal(reference.Forward(parameters, input, steps, batch), outputs, rtol: 1e-5, atol: 1e-5, what: "outputs");

        double expected = Loss();
        using LossTotals totals = backend.Loss.CreateTotals();
        if (task == TaskKind.Classification)
        {
            using Tensor labelTensor = backend.Allocate(new Shape(rows), ElementType.Int32);
            labelTensor.CopyFrom<int>(labels);
            backend.Loss.SoftmaxCrossEntropy(outputs, labelTensor, 1f / labels.Count(label => label >= 0), outputs, totals);
        }
        else
        {
            using Tensor targetTensor = backend.Allocate(new Shape(rows, architecture.Outputs));
            targetTensor.CopyFrom<float>(targets);
            backend.Loss.MeanSquaredError(outputs, targetTensor, 1f / rows, outputs, totals);
        }

        LossSums sums = totals.Read();
        Close.Equal(expected, sums.Loss / sums.Rows, rtol: 1e-5, atol: 1e-6, what: "loss");
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

        double Loss()
        {
            double[] y = reference.Forward(parameters, input, steps, batch);
            return task == TaskKind.Classification ? reference.CrossEntropy(y, labels) : ReferenceNetwork.SquaredError(y, Doubles(targets));
        }
    }

    [Theory]
    [InlineData("host", false)]
    [InlineData("host", true)]
    [InlineData("ilgpu-cpu", false)]
    [InlineData("ilgpu-cpu", true)]
    public void Gradients_pass_through_the_mask_that_the_states_passed(string device, bool isBidirectional)
    {
        Architecture architecture = Make(Cell.Gru, "4,3", Readout.Mean, TaskKind.Regression, inputs: 3, outputs: 1) with { IsBidirectional = isBidirectional };
        DropoutMask mask = new(0.5f, Seed: 3, Step: 17);
        using IBackend backend = Devices.Open(device);
        using Network network = Perturbed(architecture, backend);
        using Tensor input = backend.Allocate(new Shape(3, 2, 3));
        input.CopyFrom<float>(Random(18, 4));
        double Loss() => network.Forward(input, isTraining: true, mask).ToArray().Sum(y => (double)y);
        Assert.NotEqual(network.Forward(input).ToArray(), network.Forward(input, isTraining: true, mask).ToArray());
        Assert.NotEqual(network.Forward(input, isTraining: true, mask with { Step = 18 }).ToArray(), network.Forward(input, isTraining: true, mask).ToArray());
        Tensor outputs = network.Forward(input, isTraining: true, mask);
        backend.Fill(outputs, 1);
        network.Backward(outputs);
        foreach (string name in (string[])["rnn.weight_ih_l0", "rnn.weight_hh_l1"])
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
            Close.Equal(differences, gradient, rtol: 1e-3, atol: 3e-4, what: name);
        }
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
        foreach (ParameterSlot slot in network.Parameters.Slots)
        {
            float[] noise = Random((int)slot.Shape.Count, (int)slot.Offset);
            network.Parameters.Write(slot.Name, [.. network.Parameters.Read(slot.Name).Zip(noise, (value, n) => (0.7f * value) + (0.3f * n))]);
        }

        return network;
    }

    private static double[] Doubles(float[] values) => Array.ConvertAll(values, value => (double)value);
}
