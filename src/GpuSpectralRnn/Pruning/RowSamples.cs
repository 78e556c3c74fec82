using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// What rows fitted again are fitted on: steps drawn evenly from the calibration's gradient inputs, with what a recurrence saw and how much errors of
/// its rows mattered there. The same for every plan.
/// </summary>
/// <param name="Count">N, steps in random order: the first of them are a sample of all.</param>
/// <param name="States">h of the step walked before [N, m].</param>
/// <param name="Inputs">x [N, I].</param>
/// <param name="Squares">delta^2 [N, G*m], delta the adjoint at the gates' products: means over random directions of the outputs.</param>
internal sealed record RowSamples(int Count, float[] States, float[] Inputs, float[] Squares)
{
    /// <summary>The random stream of the first probe; each backward pass takes the next.</summary>
    internal const ulong ProbeStream = 3UL << 56;

    /// <summary>Numbers that are kept of each recurrence, more or less.</summary>
    private const int Room = 1 << 24;

    /// <summary>Collects for every recurrence.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static RowSamples[] Collect(Calibration calibration)
    {
        Network network = calibration.Network;
        Architecture architecture = network.Architecture;
        Collection[] collections = [.. Enumerable.Range(0, architecture.Recurrences).Select(r => new Collection(calibration, r))];
        SquaresOfProducts squares = new(architecture.Recurrences);
        using BatchFeed feed = new(calibration.GradientInputs, network.Backend, calibration.BatchSize);
        ulong stream = ProbeStream;
        while (feed.Next())
        {
            float[]? mask = Padding.Mask(feed.Current);
            squares.Clear();
            for (int probe = 0; probe < calibration.Probes; probe++)
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                Tensor outputs = network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                Probe.Draw(network, outputs, calibration.Metric, mask, calibration.Settings.Seed, stream++);
                network.Backward(outputs, squares);
                network.Backend.Fill(network.Parameters.Gradients, 0);
            }

            foreach (Collection collection in collections) collection.Add(network, squares.Of(collection.Recurrence), mask);
        }

        return [.. collections.Select(collection => collection.Shuffled(calibration.Settings.Seed))];
    }

    private sealed class SquaresOfProducts(int recurrences) : IBackwardObserver
    {
        private readonly float[][] sums = new float[recurrences][];

        public void Clear() => Array.Clear(sums);

        public float[] Of(int recurrence) => sums[recurrence];

        public void Enter(int recurrence, Tensor consumerGradient, int from)
        {
        }

        public void Leave(int recurrence, Tensor productGradient)
        {
            float[] deltas = productGradient.ToArray(), sum = sums[recurrence] ??= new float[deltas.Length];
            for (int i = 0; i < deltas.Length; i++) sum[i] += deltas[i] * deltas[i];
        }

        public void Inputs(Tensor gradient)
        {
        }
    }

    private sealed class Collection
    {
        private readonly int hidden, inputs, rows, stride;
        private readonly List<float[]> states = [], xs = [], squares = [];
        private long seen;

        public Collection(Calibration calibration, int recurrence)
        {
            Architecture architecture = calibration.Network.Architecture;
            Recurrence = recurrence;
            (hidden, inputs) = (architecture.RecurrenceUnits(recurrence), architecture.LayerInputs(recurrence / architecture.Directions));
            rows = architecture.Cell.Gates() * hidden;
            long steps = (long)calibration.GradientInputs.Count * calibration.Inputs.Layout.Steps;
            stride = (int)Math.Max(1, steps * (rows + hidden + inputs) / Room);
        }

        public int Recurrence { get; }

        // Of a batch [T, B]: every stride-th step that is no padding.
        public void Add(Network network, float[] batchSquares, float[]? mask)
        {
            Architecture architecture = network.Architecture;
            int layer = Recurrence / architecture.Directions, count = batchSquares.Length / rows;
            Tensor own = network.RecurrenceStates(Recurrence);
            int size = own.Shape[1];
            float[] after = own.ToArray(), x = network.LayerInput(layer).ToArray(), start = network.StartOf(layer)?.Hidden.ToArray() ?? new float[size * hidden];
            bool isReverse = architecture.IsReverse(Recurrence);
            for (int row = 0; row < count; row++)
            {
                if (mask?[row] == 0 || seen++ % stride != 0) continue;
                int before = isReverse ? row + size : row - size;
                bool isFirst = before < 0 || before >= count;
                states.Add(isFirst ? Row(start, row % size, hidden) : Row(after, before, hidden));
                xs.Add(Row(x, row, inputs));
                squares.Add(Row(batchSquares, row, rows));
            }
        }

        public RowSamples Shuffled(ulong seed)
        {
            int[] order = new int[states.Count];
            for (int i = 0; i < order.Length; i++) order[i] = i;
            new RandomStream(seed, RandomPurpose.Shuffle, 0).Permute(order);
            return new RowSamples(order.Length, Gather(states, order), Gather(xs, order), Gather(squares, order));
        }

        private static float[] Row(float[] values, int row, int width) => values[(row * width)..((row + 1) * width)];

        private static float[] Gather(List<float[]> rows, int[] order)
        {
            float[] all = new float[order.Length == 0 ? 0 : order.Length * rows[0].Length];
            for (int i = 0; i < order.Length; i++) rows[order[i]].CopyTo(all, i * rows[0].Length);
            rows.Clear();
            return all;
        }
    }
}
