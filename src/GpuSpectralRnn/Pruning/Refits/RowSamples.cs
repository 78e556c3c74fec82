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
        using SquaresOfProducts squares = new(network);
        using DeviceBatches feed = new(calibration.GradientInputs, network.Backend, calibration.BatchSize);
        ulong stream = ProbeStream;
        while (feed.Next())
        {
            squares.Clear();
            for (int probe = 0; probe < calibration.Probes; probe++)
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                Tensor outputs = network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                OutputProbe.Draw(network, outputs, feed.Current.Lengths, calibration.Metric, calibration.Settings.Seed, stream++);
                network.Backward(outputs, squares);
                network.Backend.Fill(network.Parameters.Gradients, 0);
            }

            foreach (Collection collection in collections) collection.Add(network, squares.Of(collection.Recurrence), feed);
        }

        return [.. collections.Select(collection => collection.Shuffled(calibration.Settings.Seed))];
    }

    /// <summary>delta^2, added up where the products' gradients are.</summary>
    private sealed class SquaresOfProducts(Network network) : IBackwardObserver, IDisposable
    {
        private readonly Tensor?[] memory = new Tensor?[network.Architecture.Recurrences]; // for the first batch, which is the largest
        private readonly Tensor?[] sums = new Tensor?[network.Architecture.Recurrences];

        public void Clear() => Array.Clear(sums);

        public Tensor Of(int recurrence) => sums[recurrence]!;

        public void Enter(int recurrence, Tensor consumerGradient, int from)
        {
        }

        public void Leave(int recurrence, Tensor productGradient)
        {
            if (sums[recurrence] is not { } sum)
            {
                memory[recurrence] ??= network.Backend.Allocate(productGradient.Shape);
                sums[recurrence] = sum = memory[recurrence]!.View(0, productGradient.Shape.Rows, productGradient.Shape.Columns);
                network.Backend.Fill(sum, 0);
            }

            network.Backend.Matrix.AddSquares(new(productGradient, sum));
        }

        public void Inputs(Tensor gradient)
        {
        }

        public void Dispose()
        {
            foreach (Tensor? tensor in memory) tensor?.Dispose();
        }
    }

    private sealed class Collection
    {
        private readonly int hidden, inputs, rows, stride;
        private readonly List<float> states = [], xs = [], squares = [];
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
        public void Add(Network network, Tensor batchSquares, DeviceBatches feed)
        {
            Architecture architecture = network.Architecture;
            int layer = Recurrence / architecture.Directions, size = feed.Size;
            Tensor own = network.RecurrenceStates(Recurrence);
            int count = own.Shape.Rows, back = architecture.IsReverse(Recurrence) ? size : -size;
            List<int> chosen = [], before = [];
            for (int row = 0; row < count; row++)
            {
                if (row / size >= feed.Lengths[row % size] || seen++ % stride != 0) continue;
                chosen.Add(row);
                before.Add(row + back);
            }

            // The step walked before the first is the state in which the network started.
            int IndexOrZero(int row) => row < 0 || row >= count ? 0 : row;
            float[] previous = Gather(own, [.. before.Select(IndexOrZero)]), start = network.StartOf(layer)?.Hidden.ToArray() ?? new float[size * hidden];
            for (int i = 0; i < chosen.Count; i++)
                if (before[i] < 0 || before[i] >= count) start.AsSpan(chosen[i] % size * hidden, hidden).CopyTo(previous.AsSpan(i * hidden, hidden));
            states.AddRange(previous);
            xs.AddRange(Gather(network.LayerInput(layer), [.. chosen]));
            squares.AddRange(Gather(batchSquares, [.. chosen]));
        }

        public RowSamples Shuffled(ulong seed)
        {
            int[] order = [.. Enumerable.Range(0, states.Count / hidden)];
            new RandomStream(seed, RandomPurpose.Shuffle, 0).Permute(order);
            return new RowSamples(order.Length, Ordered(states, order, hidden), Ordered(xs, order, inputs), Ordered(squares, order, rows));
        }

        // Rows [n, width] of a tensor, chosen where it is.
        private static float[] Gather(Tensor table, int[] chosen)
        {
            if (chosen.Length == 0) return [];
            using Tensor places = table.Backend.Allocate(new Shape(chosen.Length), ElementType.Int32);
            places.CopyFrom<int>(chosen);
            using Tensor gathered = table.Backend.Allocate(new Shape(chosen.Length, table.Shape.Columns));
            table.Backend.Embedding.Forward(new(places, table, gathered));
            return gathered.ToArray();
        }

        private static float[] Ordered(List<float> values, int[] order, int width)
        {
            float[] all = new float[values.Count];
            ReadOnlySpan<float> rows = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(values);
            for (int i = 0; i < order.Length; i++) rows.Slice(order[i] * width, width).CopyTo(all.AsSpan(i * width));
            values.Clear();
            return all;
        }
    }
}
