using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// A network by its definition in double precision, with a number added to any hidden state on its way to the consumers (recurrent product, layer
/// above, read-out), though not to a cell's own memory (c of an LSTM, z h of a GRU): the judge of the adjoint statistics.
/// </summary>
internal sealed class PerturbedNetwork(NetworkWeights weights, double[] input, int steps, int batch)
{
    /// <summary>Hidden states of the last <see cref="Outputs"/>, per recurrence [T, B, H].</summary>
    public double[][] States { get; } =
        [.. Enumerable.Range(0, weights.Recurrences.Count).Select(r => new double[steps * batch * weights.Architecture.RecurrenceUnits(r)])];

    /// <summary>
    /// Outputs [B, O] or [T, B, O] where <paramref name="perturbation"/> [T, B, H] is added to the states of <paramref name="recurrence"/>.
    /// </summary>
    public double[] Outputs(int recurrence, double[] perturbation)
    {
        Architecture architecture = weights.Architecture;
        double[] x = input;
        int inputs = architecture.Inputs;
        double[][] seen = [];
        for (int l = 0; l < architecture.Layers; l++)
        {
            seen = [.. Enumerable.Range(l * architecture.Directions, architecture.Directions)
                .Select(r => Walk(r, x, inputs, r == recurrence ? perturbation : null))];
            int hidden = architecture.Hidden[l];
            double[][] parts = seen;
            x = [.. Enumerable.Range(0, steps * batch).SelectMany(row => parts.SelectMany(h => h[(row * hidden)..((row + 1) * hidden)]))];
            inputs = parts.Length * hidden;
        }

        int width = inputs, per = batch * width, top = architecture.Hidden[^1];
        double[] read = architecture.Readout switch
        {
            Readout.Last => [.. Enumerable.Range(0, batch).SelectMany(b => seen.SelectMany((h, direction) =>
                h.Skip((((direction == 1 ? 0 : steps - 1) * batch) + b) * top).Take(top)))],
            Readout.LastStep => x[^per..],
            Readout.Mean => [.. Enumerable.Range(0, per).Select(i => Enumerable.Range(0, steps).Average(t => x[t * per + i]))],
            _ => x,
        };
        Matrix y = Matrix.Product(Matrix.From(read.Length / width, width, read), weights.Readout.Weight, transposeB: true);
        for (int i = 0; i < y.Rows; i++)
            for (int o = 0; o < y.Columns; o++) y[i, o] += weights.Readout.Bias[o];
        return y.Data;
    }

    /// <summary>d(v . outputs) / d(states of a recurrence) [T, B, H], by finite differences.</summary>
    public double[] Gradient(int recurrence, double[] v)
    {
        double[] perturbation = new double[States[recurrence].Length];
        return FiniteDifferences.Gradient(() => Outputs(recurrence, perturbation).Zip(v, (f, d) => f * d).Sum(), perturbation);
    }

    // The states as the consumers see them, [T, B, H].
    private double[] Walk(int r, double[] x, int inputs, double[]? perturbation)
    {
        Cell cell = weights.Architecture.Cell;
        LayerWeights own = weights.Recurrences[r];
        int hidden = own.Hidden.Columns;
        bool isReverse = weights.Architecture.IsReverse(r);
        (double[] seen, double[] memory) = (new double[steps * batch * hidden], new double[batch * hidden]);
        for (int walked = 0; walked < steps; walked++)
        {
            int t = isReverse ? steps - 1 - walked : walked, before = isReverse ? t + 1 : t - 1;
            for (int b = 0; b < batch; b++)
            {
                int row = t * batch + b, previous = before * batch + b;
                for (int j = 0; j < hidden; j++)
                {
                    double Input(int gate)
                    {
                        int i = gate * hidden + j;
                        return own.InputBias[i] + Enumerable.Range(0, inputs).Sum(c => own.Input[i, c] * x[row * inputs + c]);
                    }

                    double Product(int gate)
                    {
                        int i = gate * hidden + j;
                        return own.HiddenBias[i]
                            + (walked == 0 ? 0 : Enumerable.Range(0, hidden).Sum(c => own.Hidden[i, c] * seen[previous * hidden + c]));
                    }

                    double Sum(int gate) => Input(gate) + Product(gate);
                    ref double c = ref memory[b * hidden + j];
                    double h;
                    switch (cell)
                    {
                        case Cell.Lstm:
                            c = Sigmoid(Sum(1)) * c + Sigmoid(Sum(0)) * Math.Tanh(Sum(2));
                            h = Sigmoid(Sum(3)) * Math.Tanh(c);
                            break;
                        case Cell.Gru:
                            double update = Sigmoid(Sum(1));
                            h = c = (1 - update) * Math.Tanh(Input(2) + Sigmoid(Sum(0)) * Product(2)) + update * c;
                            break;
                        default:
                            h = cell == Cell.RnnTanh ? Math.Tanh(Sum(0)) : Math.Max(0, Sum(0));
                            break;
                    }

                    States[r][row * hidden + j] = h;
                    seen[row * hidden + j] = h + (perturbation?[row * hidden + j] ?? 0);
                }
            }
        }

        return seen;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
