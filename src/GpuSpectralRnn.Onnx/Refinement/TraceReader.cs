using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Specialization;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>
/// Runs the calibration again and records the inputs and states of one recurrent node, and which tails behind it reproduce the graph's values.
/// </summary>
internal sealed class TraceReader
{
    /// <summary>Largest count of recorded numbers (256 MB); further sequences are left out.</summary>
    private const long MostNumbers = 64L << 20;

    /// <summary>Calls in which a tail is compared with the graph.</summary>
    private const int CheckedCalls = 20;

    /// <summary>Rounding of 32-bit floats through the few operators of a tail, relative to the largest value.</summary>
    private const float Tolerance = 1e-3f;

    private readonly int hidden;
    private readonly int directions;
    private readonly int inputs;
    private readonly List<Trajectory> trajectories = [];
    private readonly List<Check> checks = [];
    private Trajectory[] lanes = [];
    private long numbers;
    private bool isForeign;

    private TraceReader(NodeWeights weights) => (hidden, directions, inputs) = (weights.Hidden, weights.Directions, weights.Inputs);

    /// <summary>The trace of a node.</summary>
    /// <param name="model">The original graph.</param>
    /// <param name="number">The node's, in the order of the file.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="calls">The calibration.</param>
    /// <param name="end">Its sequences before this one are run.</param>
    /// <param name="states">Outputs that go into the next call.</param>
    public static NodeTrace Read(ModelProto model, int number, NodeWeights weights, GraphCalls calls, int end, IReadOnlySet<string> states)
    {
        ModelProto copy = model.Clone();
        RecurrentNode node = RecurrentNode.FindAll(copy)[number];
        if (RefinedCell.FindObstacle(node, weights) is { } obstacle) return new NodeTrace([], [], obstacle);
        TraceReader reader = new(weights);
        TailFinder finder = new(copy, Branches.Find(model, copy, calls), states);
        string last = node.Output(RecurrentOutput.H), all = node.Output(RecurrentOutput.Y);
        OutputTail[] tails =
        [
            .. all.Length > 0 ? finder.Find(node.Scope, all, weights.Directions * weights.Hidden) : [],
            .. last.Length > 0 ? finder.Find(node.Scope, last, weights.Directions * weights.Hidden) : [],
        ];
        ValueProbe probe = new(copy);
        string x = node.Input(RecurrentInput.X), initial = node.Input(RecurrentInput.InitialH), y = StateProbe.NameStates(node);
        List<string> shown = [probe.Show(node.Scope, x, $"{node}/x"), probe.Show(node.Scope, y, $"{node}/y")];
        if (initial.Length > 0) shown.Add(probe.Show(node.Scope, initial, $"{node}/initial"));
        foreach (OutputTail tail in tails)
        {
            reader.checks.Add(new Check(tail, shown.Count));
            shown.Add(probe.Show(tail.Scope, tail.Value, $"{node}/tail"));
        }

        using InferenceSession session = RuntimeSession.Open(probe.ToFile(), "the graph with what its recurrent nodes take and make as outputs");
        string[] names = [.. shown.Distinct()];
        for (int sequence = 0; sequence < end && reader.numbers < MostNumbers && !reader.isForeign; sequence++)
        {
            reader.lanes = [];
            calls.Run(
                session, sequence, names, results => reader.Add([.. shown.Select(name => results[Array.IndexOf(names, name)])], initial.Length > 0));
        }

        if (reader.isForeign) return new NodeTrace([], [], "it does not go on from its own last state, nor start at zero");
        return new NodeTrace(reader.trajectories, reader.Objectives(node.Scope, y, calls.States.Count > 0));
    }

    // What follows in later calls hangs on the states themselves, farther than gradients go back: they are compared beside the outputs.
    private (OutputTail, bool)[] Objectives(Scope scope, string y, bool isCarried)
    {
        (OutputTail, bool)[] good = [.. checks.Where(check => check.Calls > 0 && !check.IsWrong).Select(check => (check.Tail, check.IsLastOnly))];
        (OutputTail, bool) states = (new OutputTail([], scope, y), false);
        if (good.Length == 0 || good.Length < checks.Count) return [states];
        return isCarried ? [.. good, states] : good;
    }

    private void Add(OrtValue[] values, bool hasInitial)
    {
        long[] shape = values[1].GetTensorTypeAndShape().Shape;
        if (isForeign || numbers >= MostNumbers || shape.Length < 4 || shape.Contains(0)) return;
        ReadOnlySpan<float> x = values[0].GetTensorDataAsSpan<float>(), y = values[1].GetTensorDataAsSpan<float>();
        ReadOnlySpan<float> initial = hasInitial ? values[2].GetTensorDataAsSpan<float>() : [];
        int steps = (int)shape[^4], batch = (int)shape[^2], runs = y.Length / (steps * directions * batch * hidden), width = directions * hidden;
        float[] states = new float[y.Length];
        for (int run = 0; run < runs; run++)
        {
            Span<float> own = states.AsSpan(run * steps * batch * width);
            Reorder(y.Slice(run * steps * batch * width, steps * batch * width), own, steps, batch);
            if (!Begin(hasInitial ? initial.Slice(run * batch * width, batch * width) : default, batch)) return;
            for (int row = 0; row < steps * batch; row++)
            {
                Trajectory lane = lanes[row % batch];
                lane.Inputs.AddRange(x.Slice((run * steps * batch + row) * inputs, inputs));
                lane.States.AddRange(own.Slice(row * width, width));
                lane.IsLast.Add(row / batch == steps - 1);
            }

            numbers += (long)steps * batch * (inputs + width);
        }

        foreach (Check check in checks) check.Compare(states, values[check.At], runs * steps * batch, steps, batch, width);
    }

    // [T, D, N, H] to [T, N, D H].
    private void Reorder(ReadOnlySpan<float> y, Span<float> states, int steps, int batch)
    {
        for (int block = 0; block < steps * directions * batch; block++)
        {
            int n = block % batch, d = block / batch % directions, t = block / batch / directions;
            y.Slice(block * hidden, hidden).CopyTo(states[(((t * batch + n) * directions + d) * hidden)..]);
        }
    }

    // Whether the call continues from the end of the last one, or starts at zero; initial [D, N, H].
    private bool Begin(ReadOnlySpan<float> initial, int batch)
    {
        bool isZero = !initial.ContainsAnyExcept(0f);
        if (!isZero && lanes.Length == batch && directions == 1)
        {
            const float rounding = 1e-5f;
            for (int n = 0; n < batch; n++)
            {
                ReadOnlySpan<float> end = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(lanes[n].States)[^hidden..];
                for (int j = 0; j < hidden; j++)
                    if (!(Math.Abs(end[j] - initial[n * hidden + j]) <= rounding)) isForeign = true;
            }

            return !isForeign;
        }

        if (!isZero)
        {
            isForeign = true;
            return false;
        }

        lanes = [.. Enumerable.Range(0, batch).Select(_ => new Trajectory())];
        trajectories.AddRange(lanes);
        return true;
    }

    /// <summary>Compares a tail with what the graph computes.</summary>
    private sealed class Check(OutputTail tail, int at)
    {
        public OutputTail Tail { get; } = tail;

        /// <summary>Index of its last value among the exposed outputs.</summary>
        public int At { get; } = at;

        public int Calls { get; private set; }

        public bool IsLastOnly { get; private set; }

        public bool IsWrong { get; private set; }

        public void Compare(float[] states, OrtValue value, int rows, int steps, int batch, int width)
        {
            if (IsWrong || Calls >= CheckedCalls) return;
            if (value.GetTensorTypeAndShape().ElementDataType != Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float)
            {
                IsWrong = true;
                return;
            }

            ReadOnlySpan<float> seen = value.GetTensorDataAsSpan<float>();
            int columns = Tail.Width(width);
            IsLastOnly = seen.Length == columns * (rows / steps) && steps > 1;
            int[] used = [.. Enumerable.Range(0, rows).Where(row => !IsLastOnly || row / batch % steps == steps - 1)];
            float[] taken = [.. used.SelectMany(row => states[(row * width)..((row + 1) * width)])];
            float[] made = Tail.Apply(taken, used.Length);
            Calls++;
            IsWrong = made.Length != seen.Length;
            float largest = 1;
            for (int i = 0; i < made.Length && !IsWrong; i++)
            {
                largest = Math.Max(largest, Math.Abs(seen[i]));
                IsWrong = !(Math.Abs(made[i] - seen[i]) <= Tolerance * largest);
            }
        }
    }
}
