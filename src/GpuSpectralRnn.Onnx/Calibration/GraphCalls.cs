using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Graphs;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>
/// The calls of a graph: N sequences, each of one call, or, where a state goes from call to call, of as many as the data's second extent says.
/// </summary>
internal sealed class GraphCalls
{
    private readonly IReadOnlyDictionary<string, NamedArray> arrays;
    private readonly Dictionary<string, FeedValue> constants = [];
    private readonly Dictionary<string, FeedValue> zeros = [];
    private readonly Dictionary<string, int[]> extents = [];
    private readonly CallOptions options;

    /// <summary>Checks that everything that the graph asks for is there, and fits.</summary>
    /// <exception cref="InvalidCallException">It is not; the message names the input.</exception>
    public GraphCalls(InferenceSession session, IReadOnlyDictionary<string, NamedArray> data, CallOptions options)
    {
        this.options = options;
        IReadOnlyDictionary<string, NodeMetadata> inputs = session.InputMetadata;
        string names = string.Join(", ", inputs.Keys);
        foreach ((string output, string input) in options.States)
        {
            if (!session.OutputMetadata.ContainsKey(output))
                throw new InvalidCallException($"`States` {output}={input}: there is no output {output}; outputs are {string.Join(", ", session.OutputMetadata.Keys)}.");
            if (!inputs.TryGetValue(input, out NodeMetadata? state)) throw new InvalidCallException($"`States` {output}={input}: there is no input {input}; inputs are {names}.");
            int[] shape = Array.ConvertAll(state.Dimensions, extent => Math.Max(1, extent));
            zeros[input] = new FeedValue(state.ElementDataType, shape, new double[shape.Aggregate(1, (a, b) => a * b)]);
        }

        foreach ((string name, double[] values) in options.Fixed)
        {
            if (!inputs.TryGetValue(name, out NodeMetadata? input)) throw new InvalidCallException($"`Fixed` {name}: there is no input {name}; inputs are {names}.");
            constants[name] = Constant(name, input, values);
        }

        string[] open = [.. inputs.Keys.Except(zeros.Keys).Except(constants.Keys)];
        if (data.TryGetValue(CalibrationData.Nameless, out NamedArray? nameless))
        {
            if (open.Length != 1)
                throw new InvalidCallException(
                    $"`data` {nameless.Name} is one array, but the inputs {(open.Length == 0 ? "are all set" : string.Join(", ", open) + " need values")}; "
                    + "save an .npz with the inputs' names, or use `Fixed` and `States`.");
            data = new Dictionary<string, NamedArray> { [open[0]] = nameless };
        }

        if (data.Keys.Except(open).FirstOrDefault() is { } stranger)
            throw new InvalidCallException($"`data` holds {stranger}, which is no input that needs values; those are {string.Join(", ", open)}.");
        if (open.Except(data.Keys).FirstOrDefault() is { } missing)
            throw new InvalidCallException($"The input {missing} gets no values; add it to `data`, or use `Fixed` {missing}=VALUE or `States` OUTPUT={missing}.");
        if (data.Count == 0) throw new InvalidCallException("No input takes values of `data`; leave one without `Fixed` and `States`.");
        arrays = data;
        foreach ((string name, NamedArray array) in data) extents[name] = CallExtents(name, inputs[name], array);
        Sequences = Same(0, "sequences");
        Calls = options.IsStreaming ? Same(1, "calls") : 1;
        Types = data.Keys.ToDictionary(name => name, name => inputs[name].ElementDataType);
    }

    /// <summary>N.</summary>
    public int Sequences { get; }

    /// <summary>Calls of a sequence.</summary>
    public int Calls { get; }

    private Dictionary<string, TensorElementType> Types { get; }

    /// <summary>
    /// Makes the calls of one sequence in their order. The results of a call, in the order of <paramref name="outputs"/>, are gone after
    /// <paramref name="see"/> returns.
    /// </summary>
    /// <exception cref="RunFailedException">ONNX Runtime fails; the message is its own.</exception>
    public void Run(InferenceSession session, int sequence, string[] outputs, Action<IReadOnlyList<OrtValue>> see)
    {
        string[] wanted = [.. outputs, .. options.States.Keys.Except(outputs)];
        using RunOptions run = new();
        Dictionary<string, OrtValue> states = zeros.ToDictionary(pair => pair.Key, pair => pair.Value.ToOrtValue());
        Dictionary<string, OrtValue> fixedValues = constants.ToDictionary(pair => pair.Key, pair => pair.Value.ToOrtValue());
        IDisposableReadOnlyCollection<OrtValue>? last = null;
        try
        {
            for (int call = 0; call < Calls; call++)
            {
                Dictionary<string, OrtValue> feed = new(states);
                foreach ((string name, OrtValue value) in fixedValues) feed[name] = value;
                List<OrtValue> own = [];
                try
                {
                    foreach (string name in arrays.Keys)
                    {
                        OrtValue value = Slice(name, sequence, call).ToOrtValue();
                        own.Add(value);
                        feed[name] = value;
                    }

                    IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, feed, wanted);
                    last?.Dispose();
                    last = results;
                    foreach ((string output, string input) in options.States)
                    {
                        if (call == 0) states[input].Dispose();
                        states[input] = results[Array.IndexOf(wanted, output)];
                    }

                    see([.. results.Take(outputs.Length)]);
                }
                catch (OnnxRuntimeException e)
                {
                    throw new RunFailedException($"The graph does not run on sequence {sequence}, call {call}: {e.Message}", e);
                }
                finally
                {
                    foreach (OrtValue value in own) value.Dispose();
                }
            }
        }
        finally
        {
            last?.Dispose();
            if (last is null) foreach (OrtValue value in states.Values) value.Dispose();
            foreach (OrtValue value in fixedValues.Values) value.Dispose();
        }
    }

    private FeedValue Slice(string name, int sequence, int call)
    {
        int[] shape = extents[name];
        int count = shape.Aggregate(1, (a, b) => a * b);
        return new FeedValue(Types[name], shape, arrays[name].Values, (sequence * Calls + call) * count);
    }

    private static FeedValue Constant(string name, NodeMetadata input, double[] values)
    {
        int[] shape = Array.ConvertAll(input.Dimensions, extent => extent < 0 ? 1 : extent);
        int count = shape.Aggregate(1, (a, b) => a * b);
        if (values.Length == 1) values = [.. Enumerable.Repeat(values[0], count)];
        if (values.Length != count)
            throw new InvalidCallException($"`Fixed` {name}: {values.Length} values do not fill the shape [{string.Join(", ", shape)}].");
        return new FeedValue(input.ElementDataType, shape, values);
    }

    // What one call is given: the array's extents behind the sequence (and the call), with a batch of one in front where that is missing.
    private int[] CallExtents(string name, NodeMetadata input, NamedArray array)
    {
        int[] all = array.Shape.ToArray();
        int outer = options.IsStreaming ? 2 : 1, rank = input.Dimensions.Length;
        string wanted = $"[{string.Join(", ", input.Dimensions.Select(extent => extent < 0 ? "?" : $"{extent}"))}]";
        if (all.Length < outer || (all.Length - outer != rank && all.Length - outer != rank - 1))
            throw new InvalidCallException(
                $"`data` for {name} is {array.Shape}, but the input takes {wanted}; give [N, {(options.IsStreaming ? "calls, " : "")}...], each of the "
                + "input's shape, with or without its first extent.");
        int[] shape = all.Length - outer == rank ? all[outer..] : [1, .. all[outer..]];
        for (int i = 0; i < rank; i++)
        {
            if (input.Dimensions[i] >= 0 && input.Dimensions[i] != shape[i])
                throw new InvalidCallException($"`data` for {name} gives calls of [{string.Join(", ", shape)}], but the input takes {wanted}.");
        }

        return shape;
    }

    private int Same(int axis, string what)
    {
        (string first, int count) = arrays.Select(pair => (pair.Key, pair.Value.Shape[axis])).First();
        foreach ((string name, NamedArray array) in arrays)
            if (array.Shape[axis] != count) throw new InvalidCallException($"`data` has {count} {what} of {first}, but {array.Shape[axis]} of {name}; give as many of each.");
        return count;
    }
}
