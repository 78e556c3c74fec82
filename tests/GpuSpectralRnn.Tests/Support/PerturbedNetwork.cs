using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// An Elman network by its definition in double precision, with a number added to any hidden state on its way to the consumers (recurrence, layer
/// above, read-out): the judge
/// of the adjoint statistics.
/// </summary>
internal sealed class PerturbedNetwork(NetworkWeights weights, double[] input, int steps, int batch)
{
    /// <summary>Hidden states of the last <see cref="Outputs"/>, per layer [T, B, H].</summary>
    public double[][] States { get; } = [.. weights.Architecture.Hidden.Select(m => new double[steps * batch * m])];

    /// <summary>
    /// Outputs [B, O] or [T, B, O] where <paramref name="perturbation"/> [T, B, H] is added to the states of <paramref name="layer"/>.
    /// </summary>
    public double[] Outputs(int layer, double[] perturbation)
    {
        Architecture architecture = weights.Architecture;
        double[] x = input;
        for (int l = 0; l < architecture.Layers; l++)
        {
            (LayerWeights own, int inputs, int hidden) = (weights.Layers[l], architecture.LayerInputs(l), architecture.Hidden[l]);
            double[] seen = new double[steps * batch * hidden];
            for (int row = 0; row < steps * batch; row++)
            {
                for (int j = 0; j < hidden; j++)
                {
                    double a = own.InputBias[j] + own.HiddenBias[j];
                    for (int i = 0; i < inputs; i++) a += own.Input[j, i] * x[row * inputs + i];
                    for (int i = 0; i < hidden && row >= batch; i++) a += own.Hidden[j, i] * seen[(row - batch) * hidden + i];
                    double h = architecture.Cell == Cell.RnnTanh ? Math.Tanh(a) : Math.Max(0, a);
                    States[l][row * hidden + j] = h;
                    seen[row * hidden + j] = h + (l == layer ? perturbation[row * hidden + j] : 0);
                }
            }

            x = seen;
        }

        int width = architecture.Hidden[^1], per = batch * width;
        double[] read = architecture.Readout switch
        {
            Readout.Last => x[((steps - 1) * per)..],
            Readout.Mean => [.. Enumerable.Range(0, per).Select(i => Enumerable.Range(0, steps).Average(t => x[t * per + i]))],
            _ => x,
        };
        Matrix y = Matrix.Product(Matrix.From(read.Length / width, width, read), weights.Readout.Weight, transposeB: true);
        for (int i = 0; i < y.Rows; i++)
            for (int o = 0; o < y.Columns; o++) y[i, o] += weights.Readout.Bias[o];
        return y.Data;
    }

    /// <summary>d(v . outputs) / d(states of a layer) [T, B, H], by finite differences.</summary>
    public double[] Gradient(int layer, double[] v)
    {
        double[] perturbation = new double[States[layer].Length];
        return FiniteDifferences.Gradient(() => Outputs(layer, perturbation).Zip(v, (f, d) => f * d).Sum(), perturbation);
    }
}
