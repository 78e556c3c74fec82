using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Samples for the refit of rows: steps drawn evenly from the calibration's gradient inputs, with the states and inputs of a recurrence and the
/// squared adjoints of its rows. They do not depend on the plan.
/// </summary>
/// <param name="Count">N, steps in random order, so that the first of them are a sample of all.</param>
/// <param name="States">h of the step processed before [N, m].</param>
/// <param name="Inputs">x [N, I].</param>
/// <param name="Squares">delta^2 [N, G*m], delta the adjoint at the gates' products: means over random directions of the outputs.</param>
internal sealed record RowSamples(int Count, float[] States, float[] Inputs, float[] Squares)
{
    /// <summary>The random stream of the first probe; each backward pass takes the next.</summary>
    internal const ulong ProbeStream = 3UL << 56;

    /// <summary>Approximate limit on the numbers kept for each recurrence.</summary>
    private const int Room = 1 << 24;

    /// <summary>Collects the samples of every recurrence.</summary>
    /// <exception cref="OperationCanceledException">The calibration was cancelled.</exception>
    public static IReadOnlyDictionary<string, RowSamples> Collect(Calibration calibration)
    {
        Network network = calibration.Network;
        Collection[] collections = [.. network.Graph.Nodes.Where(node => node.Module is Recurrent).Select(node => new Collection(calibration, node))];
        using SquaresOfProducts squares = new(network);
        using DeviceBatches feed = new(calibration.GradientInputs, network.Backend, calibration.BatchSize);
        ulong stream = ProbeStream;
        while (feed.Next())
        {
            squares.Clear();
            for (int probe = 0; probe < calibration.Probes; probe++)
            {
                calibration.Cancellation.ThrowIfCancellationRequested();
                network.Forward(probe == 0 ? feed.Current : feed.Current.Again, isTraining: true);
                OutputProbe.Draw(network, feed, calibration.Metric, calibration.Settings.Seed, ref stream);
                network.BackwardFromOutputs(squares);
                network.Backend.Fill(network.Parameters.Gradients, 0);
            }

            foreach (Collection collection in collections) collection.Add(network, squares.Of(collection.Name), feed);
        }

        return collections.ToDictionary(collection => collection.Name, collection => collection.Shuffled(calibration.Settings.Seed));
    }

    /// <summary>Accumulates delta^2 at the products' gradients.</summary>
    private sealed class SquaresOfProducts(Network network) : IBackwardObserver, IDisposable
    {
        private readonly Dictionary<string, Tensor> memory = []; // for the first batch, which is the largest
        private readonly Dictionary<string, Tensor> sums = [];

        public void Clear() => sums.Clear();

        public Tensor Of(string states) => sums[states];

        public void Gradient(Value value, Tensor gradient, int from)
        {
        }

        public void Products(Value states, Tensor gradient)
        {
            if (!sums.TryGetValue(states.Name, out Tensor? sum))
            {
                if (!memory.TryGetValue(states.Name, out Tensor? room)) memory.Add(states.Name, room = network.Backend.Allocate(gradient.Shape));
                sums.Add(states.Name, sum = room.View(0, gradient.Shape.Rows, gradient.Shape.Columns));
                network.Backend.Fill(sum, 0);
            }

            network.Backend.Matrix.AddSquares(new(gradient, sum));
        }

        public void Dispose()
        {
            foreach (Tensor tensor in memory.Values) tensor.Dispose();
        }
    }

    private sealed class Collection
    {
        private readonly Node node;
        private readonly Recurrent recurrent;
        private readonly int hidden, inputs, rows, stride;
        private readonly List<float> states = [], xs = [], squares = [];
        private long seen;

        public Collection(Calibration calibration, Node node)
        {
            (this.node, recurrent) = (node, (Recurrent)node.Module);
            (hidden, inputs) = (node.Output.Width, node.Inputs[0].Width);
            rows = recurrent.Cell.Gates() * hidden;
            long steps = (long)calibration.GradientInputs.Count * calibration.Inputs.Layout.Steps;
            stride = (int)Math.Max(1, steps * (rows + hidden + inputs) / Room);
        }

        public string Name => node.Output.Name;

        // Of a batch [T, B]: every stride-th step that is no padding.
        public void Add(Network network, Tensor batchSquares, DeviceBatches feed)
        {
            int size = feed.Size;
            Tensor own = network.Values(node.Output.Name);
            int count = own.Shape.Rows, back = recurrent.IsReverse ? size : -size;
            List<int> chosen = [], before = [];
            for (int row = 0; row < count; row++)
            {
                if (row / size >= feed.Lengths()[row % size] || seen++ % stride != 0) continue;
                chosen.Add(row);
                before.Add(row + back);
            }

            // The step before the first is the initial state.
            int IndexOrZero(int row) => row < 0 || row >= count ? 0 : row;
            float[] previous = Gather(own, [.. before.Select(IndexOrZero)]);
            float[] start = network.StartOf(recurrent.Name)?.Hidden.ToArray() ?? new float[size * hidden];
            for (int i = 0; i < chosen.Count; i++)
                if (before[i] < 0 || before[i] >= count) start.AsSpan(chosen[i] % size * hidden, hidden).CopyTo(previous.AsSpan(i * hidden, hidden));
            states.AddRange(previous);
            xs.AddRange(Gather(network.Values(node.Inputs[0].Name), [.. chosen]));
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
