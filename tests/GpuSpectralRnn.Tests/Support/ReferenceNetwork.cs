using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>A network written out in double precision as its definition reads, one number at a time: the judge of the fast ones.</summary>
public sealed class ReferenceNetwork(Architecture architecture)
{
    /// <summary>Valid steps of each sequence; null: all.</summary>
    public int[]? Lengths { get; init; }

    /// <summary>Where the layers start, by name (<c>h_l0</c>, <c>c_l0</c>); null: from zero.</summary>
    public IReadOnlyDictionary<string, double[]>? Start { get; init; }

    /// <summary>Outputs of tokens [T, B]; tied weights stand under the embedding's name only.</summary>
    public double[] Forward(IReadOnlyDictionary<string, double[]> parameters, int[] tokens, int steps, int batch)
    {
        int extent = architecture.Inputs;
        double[] table = parameters["embedding.weight"];
        return Forward(parameters, [.. tokens.SelectMany(token => table[(token * extent)..((token + 1) * extent)])], steps, batch);
    }

    /// <summary>Outputs [B, O], or [T, B, O] from a read-out of every step; input [T, B, I].</summary>
    public double[] Forward(IReadOnlyDictionary<string, double[]> parameters, double[] input, int steps, int batch)
    {
        double[] x = input;
        int inputs = architecture.Inputs;
        int[] lengths = Lengths ?? [.. Enumerable.Repeat(steps, batch)];
        for (int layer = 0; layer < architecture.Layers; layer++)
        {
            double[] below = x;
            int hidden = architecture.Hidden[layer];
            double[][] directions =
            [
                .. Enumerable.Range(0, architecture.Directions)
                    .Select(direction => Layer(parameters, layer, below, inputs, steps, batch, direction == 1)),
            ];
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
        return Affine(seen, weights, parameters["readout.bias"], inputs, architecture.Outputs);

        bool IsOfReverse(int i) => architecture.IsBidirectional && i % inputs >= inputs / 2;
        double At(int t, int i) => t < 0 ? 0 : x[(t * batch * inputs) + i];
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

    private double[] Layer(IReadOnlyDictionary<string, double[]> parameters, int layer, double[] x, int inputs, int steps, int batch, bool isReverse)
    {
        string end = isReverse ? $"l{layer}_reverse" : $"l{layer}";
        int hidden = architecture.Hidden[layer];
        int rows = architecture.Cell.Gates() * hidden;
        double[] fromInput = Affine(x, parameters[$"rnn.weight_ih_{end}"], parameters[$"rnn.bias_ih_{end}"], inputs, rows);
        double[] h = [.. Start?[$"h_l{layer}"] ?? new double[batch * hidden]];
        double[] c = [.. Start?.GetValueOrDefault($"c_l{layer}") ?? new double[batch * hidden]];
        double[] all = new double[steps * batch * hidden];
        foreach (int t in isReverse ? Enumerable.Range(0, steps).Reverse() : Enumerable.Range(0, steps))
        {
            double[] fromHidden = Affine(h, parameters[$"rnn.weight_hh_{end}"], parameters[$"rnn.bias_hh_{end}"], hidden, rows);
            for (int i = 0; i < h.Length; i++)
            {
                if (Lengths is not null && t >= Lengths[i / hidden]) continue;
                double Input(int gate) => fromInput[(((t * batch) + (i / hidden)) * rows) + (gate * hidden) + (i % hidden)];
                double Recurrent(int gate) => fromHidden[(i / hidden * rows) + (gate * hidden) + (i % hidden)];
                double Sum(int gate) => Input(gate) + Recurrent(gate);
                switch (architecture.Cell)
                {
                    case Cell.Lstm:
                        c[i] = (Sigmoid(Sum(1)) * c[i]) + (Sigmoid(Sum(0)) * Math.Tanh(Sum(2)));
                        h[i] = Sigmoid(Sum(3)) * Math.Tanh(c[i]);
                        break;
                    case Cell.Gru:
                        double update = Sigmoid(Sum(1));
                        h[i] = ((1 - update) * Math.Tanh(Input(2) + (Sigmoid(Sum(0)) * Recurrent(2)))) + (update * h[i]);
                        break;
                    default:
                        h[i] = architecture.Cell == Cell.RnnTanh ? Math.Tanh(Sum(0)) : Math.Max(0, Sum(0));
                        break;
                }

                all[(t * h.Length) + i] = h[i];
            }
        }

        return all;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double[] Affine(double[] x, double[] weights, double[] bias, int inputs, int outputs)
    {
        int rows = x.Length / inputs;
        double[] y = new double[rows * outputs];
        for (int row = 0; row < rows; row++)
        {
            for (int o = 0; o < outputs; o++)
            {
                double sum = bias[o];
                for (int i = 0; i < inputs; i++) sum += weights[(o * inputs) + i] * x[(row * inputs) + i];
                y[(row * outputs) + o] = sum;
            }
        }

        return y;
    }
}
