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
    /// <summary>Largest number of combinations of values; more indicate a mistake.</summary>
    private const int MostCombinations = 16;

    private readonly IReadOnlyDictionary<string, NamedArray> arrays;
    private readonly Dictionary<string, FeedValue> constants = [];
    private readonly HashSet<string> states = [];
    private readonly List<(string Name, FeedValue[] Values)> choices = [];
    private readonly Dictionary<string, int[]> extents = [];
    private readonly CallOptions options;

    /// <summary>Checks that the data and options give every input a value that fits.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="data">By the names of the inputs (<see cref="CalibrationData"/>).</param>
    /// <param name="options">Options of the calls.</param>
    /// <param name="compared">
    /// Inputs that are compared with these constants alone: where they get no value otherwise, every sequence is called once with each.
    /// </param>
    /// <exception cref="InvalidCallException">An input has no value or one that does not fit; the message names it.</exception>
    public GraphCalls(
        InferenceSession session,
        IReadOnlyDictionary<string, NamedArray> data,
        CallOptions options,
        IReadOnlyDictionary<string, long[]>? compared = null)
    {
        this.options = options;
        IReadOnlyDictionary<string, NodeMetadata> inputs = session.InputMetadata;
        string names = string.Join(", ", inputs.Keys);
        foreach ((string output, string input) in options.States)
        {
            if (!session.OutputMetadata.ContainsKey(output))
                throw new InvalidCallException(
                    $"`States` {output}={input}: there is no output {output}; outputs are {string.Join(", ", session.OutputMetadata.Keys)}.");
            if (!inputs.TryGetValue(input, out NodeMetadata? state))
                throw new InvalidCallException($"`States` {output}={input}: there is no input {input}; inputs are {names}.");
            states.Add(input);
        }

        foreach ((string name, double[] values) in options.Fixed)
        {
            if (!inputs.TryGetValue(name, out NodeMetadata? input))
                throw new InvalidCallException($"`Fixed` {name}: there is no input {name}; inputs are {names}.");
            bool isChoice = values.Length > 1 && Array.TrueForAll(input.Dimensions, extent => extent == 1);
            if (isChoice) choices.Add((name, [.. values.Select(value => Constant(name, input, [value]))]));
            else constants[name] = Constant(name, input, values);
        }

        string[] open = [.. inputs.Keys.Except(states).Except(options.Fixed.Keys)];
        foreach (string name in open)
        {
            if (open.Length == 1 || data.ContainsKey(name) || inputs[name].ElementDataType != TensorElementType.Int64) continue;
            if (compared?.ContainsKey(name) == true) choices.Add((name, [.. compared[name].Select(value => Constant(name, inputs[name], [value]))]));
        }

        open = [.. open.Except(choices.Select(choice => choice.Name))];
        if (data.TryGetValue(CalibrationData.Nameless, out NamedArray? nameless))
        {
            if (open.Length != 1)
                throw new InvalidCallException(
                    $"`data` {nameless.Name} is one array, but the inputs " +
                    $"{(open.Length == 0 ? "are all set" : string.Join(", ", open) + " need values")}; "
                    + "save an .npz with the inputs' names, or use `Fixed` and `States`.");
            data = new Dictionary<string, NamedArray> { [open[0]] = nameless };
        }

        if (data.Keys.Except(open).FirstOrDefault() is { } stranger)
            throw new InvalidCallException($"`data` holds {stranger}, which is no input that needs values; those are {string.Join(", ", open)}.");
        if (open.Except(data.Keys).FirstOrDefault() is { } missing)
            throw new InvalidCallException(
                $"The input {missing} gets no values; add it to `data`, or use `Fixed` {missing}=VALUE or `States` OUTPUT={missing}.");
        if (data.Count == 0) throw new InvalidCallException("No input takes values of `data`; leave one without `Fixed` and `States`.");
        arrays = data;
        foreach ((string name, NamedArray array) in data)
        {
            extents[name] = CallExtents(name, inputs[name], array);
            if (array.Values is float[] numbers && Array.FindIndex(numbers, float.IsNaN) is >= 0 and var wrong)
                throw new InvalidCallException(
                    $"`data` holds NaN for {name}, in sequence {wrong / (numbers.Length / array.Shape[0])}; clean the data.");
        }

        Combinations = choices.Aggregate(1, (count, choice) => count * choice.Values.Length);
        if (Combinations > MostCombinations)
            throw new InvalidCallException($"{Text(choices)} can have {Combinations} values together; choose by `Fixed`.");
        Sequences = Same(0, "sequences") * Combinations;
        Calls = options.IsStreaming ? Same(1, "calls") : 1;
        Types = data.Keys.ToDictionary(name => name, name => inputs[name].ElementDataType);
        for (int combination = 0; combination < Combinations && choices.Count > 0; combination++) TryChoice(session, combination);
    }

    /// <summary>N, times the values of the inputs that choose.</summary>
    public int Sequences { get; }

    /// <summary>Inputs of which every sequence is called with several values, for example <c>sr=8000, 16000</c>; null where there are none.</summary>
    public string? Chosen => choices.Count == 0 ? null : Text(choices);

    /// <summary>Outputs that are inputs of the next call: output to input.</summary>
    public IReadOnlyDictionary<string, string> States => options.States;

    /// <summary>Calls of a sequence.</summary>
    public int Calls { get; }

    private Dictionary<string, TensorElementType> Types { get; }

    /// <summary>
    /// Makes the calls of one sequence in order. The results of a call, in the order of <paramref name="outputs"/>, are valid until
    /// <paramref name="see"/> returns.
    /// </summary>
    /// <exception cref="RunFailedException">ONNX Runtime fails; the message is its own.</exception>
    public void Run(InferenceSession session, int sequence, string[] outputs, Action<IReadOnlyList<OrtValue>> see)
    {
        string[] wanted = [.. outputs, .. options.States.Keys.Except(outputs)];
        using RunOptions run = new();
        Dictionary<string, OrtValue> carried = states.ToDictionary(name => name, name => Zeros(session.InputMetadata[name]));
        Dictionary<string, OrtValue> fixedValues = constants.ToDictionary(pair => pair.Key, pair => pair.Value.ToOrtValue());
        int combination = sequence % Combinations;
        foreach ((string name, FeedValue[] values) in choices)
        {
            fixedValues[name] = values[combination % values.Length].ToOrtValue();
            combination /= values.Length;
        }

        IDisposableReadOnlyCollection<OrtValue>? last = null;
        try
        {
            for (int call = 0; call < Calls; call++)
            {
                Dictionary<string, OrtValue> feed = new(carried);
                foreach ((string name, OrtValue value) in fixedValues) feed[name] = value;
                List<OrtValue> own = [];
                try
                {
                    foreach (string name in arrays.Keys)
                    {
                        OrtValue value = Slice(name, sequence / Combinations, call).ToOrtValue();
                        own.Add(value);
                        feed[name] = value;
                    }

                    IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, feed, wanted);
                    last?.Dispose();
                    last = results;
                    foreach ((string output, string input) in options.States)
                    {
                        if (call == 0) carried[input].Dispose();
                        carried[input] = results[Array.IndexOf(wanted, output)];
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
            if (last is null) foreach (OrtValue value in carried.Values) value.Dispose();
            foreach (OrtValue value in fixedValues.Values) value.Dispose();
        }
    }

    private int Combinations { get; }

    private static string Text(IEnumerable<(string Name, FeedValue[] Values)> choices) =>
        string.Join("; ", choices.Select(choice => $"{choice.Name}={string.Join(", ", choice.Values.Select(value => value.Values.GetValue(0)))}"));

    private static OrtValue Zeros(NodeMetadata state)
    {
        int[] shape = Array.ConvertAll(state.Dimensions, extent => Math.Max(1, extent));
        return new FeedValue(state.ElementDataType, shape, new double[FeedValue.Count(shape)]).ToOrtValue();
    }

    // The same data may not fit another value.
    private void TryChoice(InferenceSession session, int combination)
    {
        try
        {
            Run(session, combination, [.. session.OutputNames], _ => { });
        }
        catch (RunFailedException e)
        {
            (string name, FeedValue[] values) = choices[0];
            throw new InvalidCallException(
                $"{Text(choices)}: `data` does not suit all of these values ({e.Message}); choose one, for example "
                + $"`Fixed` {name}={values[^1].Values.GetValue(0)}.",
                e);
        }
    }

    private FeedValue Slice(string name, int sequence, int call)
    {
        int[] shape = extents[name];
        int count = FeedValue.Count(shape);
        return new FeedValue(Types[name], shape, arrays[name].Values, (sequence * Calls + call) * count);
    }

    private static FeedValue Constant(string name, NodeMetadata input, double[] values)
    {
        int[] shape = Array.ConvertAll(input.Dimensions, extent => extent < 0 ? 1 : extent);
        int count = FeedValue.Count(shape);
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
                $"`data` for {name} is {array.Shape}, but the input takes {wanted}; " +
                $"give [N, {(options.IsStreaming ? "calls, " : "")}...], each of the "
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
            if (array.Shape[axis] != count)
                throw new InvalidCallException($"`data` has {count} {what} of {first}, but {array.Shape[axis]} of {name}; give as many of each.");
        return count;
    }
}
