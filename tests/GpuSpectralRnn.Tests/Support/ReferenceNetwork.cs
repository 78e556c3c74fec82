using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// A network by its definition in double precision, its layers being <see cref="ReferenceLayer"/>s: the judge of the fast ones. Tied weights stand
/// under the embedding's name only.
/// </summary>
public sealed class ReferenceNetwork(Architecture architecture, IReadOnlyDictionary<string, double[]> parameters)
{
    /// <summary>The reference of a network as it is now.</summary>
    public static ReferenceNetwork Of(Network network, int[]? lengths = null, IReadOnlyDictionary<string, double[]>? start = null) => new(
        network.Architecture, network.Parameters.Slots.ToDictionary(slot => slot.Name, slot => network.Parameters.Read(slot.Name).ToDoubles()))
    {
        Lengths = lengths,
        Start = start,
    };

    public IReadOnlyDictionary<string, double[]> Parameters => parameters;

    /// <summary>Valid steps of each sequence; null: all.</summary>
    public int[]? Lengths { get; init; }

    /// <summary>Where the layers start, by name (<c>h_l0</c>, <c>c_l0</c>); null: from zero.</summary>
    public IReadOnlyDictionary<string, double[]>? Start { get; init; }

    /// <summary>Hidden states of the last forward pass, per recurrence [T, B, H].</summary>
    public double[][] States { get; } = new double[architecture.Recurrences][];

    /// <summary>Outputs of tokens [T, B].</summary>
    public double[] Forward(int[] tokens, int steps, int batch)
    {
        int extent = architecture.Inputs;
        double[] table = parameters["embedding.weight"];
        return Forward([.. tokens.SelectMany(token => table[(token * extent)..((token + 1) * extent)])], steps, batch);
    }

    /// <summary>
    /// Outputs [B, O], or [T, B, O] from a read-out of every step; input [T, B, I]. <paramref name="perturbation"/> is added to the states of one
    /// recurrence on their way to the consumers.
    /// </summary>
    public double[] Forward(double[] input, int steps, int batch, int perturbed = -1, double[]? perturbation = null)
    {
        double[] x = input;
        int inputs = architecture.Inputs;
        int[] lengths = Lengths ?? [.. Enumerable.Repeat(steps, batch)];
        for (int r = 0; r < architecture.Recurrences; r += architecture.Directions)
        {
            int layer = r / architecture.Directions, hidden = architecture.Hidden[layer];
            double[] below = x;
            for (int d = 0; d < architecture.Directions; d++)
                States[r + d] = Layer(layer, below, inputs, steps, batch, d == 1, r + d == perturbed ? perturbation : null);
            double[][] directions = States[r..(r + architecture.Directions)];
            inputs = architecture.LayerOutputs(layer);
            x = [.. Enumerable.Range(0, steps * batch).SelectMany(row => directions.SelectMany(h => h[(row * hidden)..((row + 1) * hidden)]))];
        }

        double[] seen = architecture.Readout switch
        {
            Readout.Last => [.. Enumerable.Range(0, batch * inputs).Select(i => At(IsOfReverse(i) ? 0 : lengths[i / inputs] - 1, i))],
            Readout.LastStep => [.. Enumerable.Range(0, batch * inputs).Select(i => At(lengths[i / inputs] - 1, i))],
            Readout.Mean =>
            [
                .. Enumerable.Range(0, batch * inputs)
                    .Select(i => Enumerable.Range(0, lengths[i / inputs]).Sum(t => At(t, i)) / Math.Max(1, lengths[i / inputs])),
            ],
            _ => x,
        };
        double[] weights = parameters[architecture.TiesWeights ? "embedding.weight" : "readout.weight"];
        return ReferenceMatrix.Linear(seen.Length / inputs, inputs, architecture.Outputs, seen, weights, parameters["readout.bias"]);

        bool IsOfReverse(int i) => architecture.IsBidirectional && i % inputs >= inputs / 2;
        double At(int t, int i) => t < 0 ? 0 : x[(t * batch * inputs) + i];
    }

    /// <summary>d(v . outputs) / d(states of a recurrence, as its consumers see them) [T, B, H], by finite differences.</summary>
    public double[] StateGradient(int recurrence, double[] v, double[] input, int steps, int batch)
    {
        double[] perturbation = new double[steps * batch * architecture.RecurrenceUnits(recurrence)];
        return FiniteDifferences.Gradient(() => ReferenceMatrix.Dot(Forward(input, steps, batch, recurrence, perturbation), v), perturbation);
    }

    /// <summary>Mean cross-entropy over the rows whose label is not -1.</summary>
    public double CrossEntropy(double[] logits, int[] labels)
    {
        int classes = architecture.Outputs;
        double sum = 0;
        for (int row = 0; row < labels.Length; row++)
        {
            if (labels[row] < 0) continue;
            double[] z = logits[(row * classes)..((row + 1) * classes)];
            double top = z.Max();
            sum += top + Math.Log(z.Sum(value => Math.Exp(value - top))) - z[labels[row]];
        }

        return sum / labels.Count(label => label >= 0);
    }

    /// <summary>Mean squared error over all rows and outputs.</summary>
    public static double SquaredError(double[] predictions, double[] targets) => predictions.Zip(targets, (p, t) => (p - t) * (p - t)).Average();

    private double[] Layer(int layer, double[] x, int inputs, int steps, int batch, bool isReverse, double[]? perturbation)
    {
        string end = isReverse ? $"l{layer}_reverse" : $"l{layer}";
        RecurrentShape shape = new(architecture.Cell.Kind(), steps, batch, inputs, architecture.Hidden[layer]) { IsReverse = isReverse };
        ReferenceLayer reference = new(shape)
        {
            Input = x,
            InputWeights = parameters[$"rnn.weight_ih_{end}"],
            HiddenWeights = parameters[$"rnn.weight_hh_{end}"],
            InputBias = parameters[$"rnn.bias_ih_{end}"],
            HiddenBias = parameters[$"rnn.bias_hh_{end}"],
            Peepholes = parameters.GetValueOrDefault($"rnn.weight_peephole_{end}"),
            Initial = Start?[$"h_l{layer}"],
            InitialCell = Start?.GetValueOrDefault($"c_l{layer}"),
            Lengths = Lengths,
            Perturbation = perturbation,
        };
        return reference.Forward().Output;
    }
}
