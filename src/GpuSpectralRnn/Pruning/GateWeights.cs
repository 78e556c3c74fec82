using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// How much an error of each gate's recurrent product at each step matters to the outputs: u = delta^2 / mean + 1/2, where delta^2 is the mean square of
/// the adjoint at the gate's rows, over random directions of the outputs; 0 for padding.
/// </summary>
internal sealed class GateWeights : IBackwardObserver
{
    /// <summary>What every step weighs beside its adjoint; smaller floors can do harm.</summary>
    public const double Floor = 0.5;

    /// <summary>The random stream of the first probe; each backward pass takes the next.</summary>
    internal const ulong ProbeStream = 3UL << 56;

    private readonly int gates, probes;
    private readonly List<float[]>[][] squares; // per recurrence and gate, batch by batch [T, B]

    private GateWeights(Architecture architecture, int probes)
    {
        (gates, this.probes) = (architecture.Cell.Gates(), probes);
        squares = [.. Enumerable.Range(0, architecture.Recurrences).Select(_ => Enumerable.Range(0, gates).Select(_ => new List<float[]>()).ToArray())];
    }

    /// <summary>Collects over the calibration's gradient inputs.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static GateWeights Collect(Calibration calibration)
    {
        Network network = calibration.Network;
        GateWeights result = new(network.Architecture, calibration.Probes);
        using BatchFeed feed = new(calibration.GradientInputs, network.Backend, calibration.BatchSize);
        ulong stream = ProbeStream;
        double[][] sums = [.. result.squares.Select(_ => new double[result.gates])];
        double counted = 0;
        while (feed.Next())
        {
            int steps = calibration.Inputs.Layout.Steps;
            foreach (List<float[]>[] recurrence in result.squares)
                foreach (List<float[]> gate in recurrence) gate.Add(new float[steps * feed.Size]);
            float[]? mask = Padding.Mask(feed.Current);
            for (int probe = 0; probe < calibration.Probes; probe++)
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                Tensor outputs = network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                Probe.Draw(network, outputs, calibration.Metric, mask, calibration.Settings.Seed, stream++);
                network.Backward(outputs, result);
                network.Backend.Fill(network.Parameters.Gradients, 0);
            }

            counted += mask?.Sum() ?? steps * feed.Size;
            result.EndBatch(sums, mask);
        }

        result.Normalise(sums, counted);
        return result;
    }

    /// <summary>u [T, B] of one gate's rows in one batch, batches as the calibration's gradient inputs give them.</summary>
    public float[] Of(int recurrence, int gate, int batch) => squares[recurrence][gate][batch];

    /// <inheritdoc/>
    public void Enter(int recurrence, Tensor consumerGradient, int from)
    {
    }

    /// <inheritdoc/>
    public void Leave(int recurrence, Tensor productGradient)
    {
        float[] deltas = productGradient.ToArray();
        int width = productGradient.Shape.Columns, units = width / gates;
        Parallel.For(0, deltas.Length / width, row =>
        {
            for (int gate = 0; gate < gates; gate++)
            {
                float sum = 0;
                foreach (float delta in deltas.AsSpan(row * width + gate * units, units)) sum += delta * delta;
                squares[recurrence][gate][^1][row] += sum / (units * probes);
            }
        });
    }

    /// <inheritdoc/>
    public void Inputs(Tensor gradient)
    {
    }

    // Marks what does not count by -1, and sums up the rest.
    private void EndBatch(double[][] sums, float[]? mask)
    {
        for (int r = 0; r < squares.Length; r++)
        {
            for (int gate = 0; gate < gates; gate++)
            {
                float[] batch = squares[r][gate][^1];
                for (int row = 0; row < batch.Length; row++)
                {
                    sums[r][gate] += batch[row];
                    if (mask?[row] == 0) batch[row] = -1;
                }
            }
        }
    }

    private void Normalise(double[][] sums, double counted)
    {
        for (int r = 0; r < squares.Length; r++)
        {
            for (int gate = 0; gate < gates; gate++)
            {
                double mean = sums[r][gate] / counted;
                bool isAlive = mean > 0 && double.IsFinite(mean);
                foreach (float[] batch in squares[r][gate])
                    for (int row = 0; row < batch.Length; row++) batch[row] = batch[row] < 0 ? 0 : (float)((isAlive ? batch[row] / mean : 1) + Floor);
            }
        }
    }
}
