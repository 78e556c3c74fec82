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

    private readonly Dictionary<string, FeedValue> constants = [];
    private readonly HashSet<string> states = [];
    private readonly List<Variant> variants = [];
    private readonly CallOptions options;

    /// <summary>Checks that the data and options give every input a value that fits.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="data">One set, or one for each value of an input that chooses a branch.</param>
    /// <param name="options">Options of the calls.</param>
    /// <param name="compared">
    /// Inputs that are compared with these constants alone: where they get no value otherwise, every sequence is called once with each.
    /// </param>
    /// <exception cref="InvalidCallException">An input has no value or one that does not fit; the message names it.</exception>
    public GraphCalls(
        InferenceSession session,
        IReadOnlyList<CalibrationSet> data,
        CallOptions options,
        IReadOnlyDictionary<string, long[]>? compared = null)
    {
        this.options = options;
        compared ??= new Dictionary<string, long[]>();
        IReadOnlyDictionary<string, NodeMetadata> inputs = session.InputMetadata;
        string names = string.Join(", ", inputs.Keys);
        foreach ((string output, string input) in options.States)
        {
            if (!session.OutputMetadata.ContainsKey(output))
                throw new InvalidCallException(
                    $"`States` {output}={input}: there is no output {output}; outputs are {string.Join(", ", session.OutputMetadata.Keys)}.");
            if (!inputs.ContainsKey(input))
                throw new InvalidCallException($"`States` {output}={input}: there is no input {input}; inputs are {names}.");
            states.Add(input);
        }

        List<(string Name, FeedValue[] Values)> choices = [];
        foreach ((string name, double[] values) in options.Fixed)
        {
            if (!inputs.TryGetValue(name, out NodeMetadata? input))
                throw new InvalidCallException($"`Fixed` {name}: there is no input {name}; inputs are {names}.");
            bool isChoice = values.Length > 1 && Array.TrueForAll(input.Dimensions, extent => extent == 1);
            if (isChoice) choices.Add((name, [.. values.Select(value => Constant(name, input, [value]))]));
            else constants[name] = Constant(name, input, values);
        }

        string[] open = [.. inputs.Keys.Except(states).Except(options.Fixed.Keys)];
        string[] choosing = [.. open.Where(name => compared.ContainsKey(name) && inputs[name].ElementDataType == TensorElementType.Int64
            && open.Length > 1 && data.All(set => !set.Arrays.ContainsKey(name)))];
        bool isByValue = data.Any(set => set.Value is not null);
        if (isByValue && choosing.Length != 1)
            throw new InvalidCallException(
                $"`data` VALUE=FILE is for graphs with one input that chooses a branch and has no other value, and "
                + $"{(choosing.Length == 0 ? "this one has none" : $"here are {string.Join(", ", choosing)}")}; set the inputs that choose by `Fixed`.");
        if (!isByValue)
            choices.AddRange(choosing.Select(name => (name, Array.ConvertAll(compared[name], value => Constant(name, inputs[name], [value])))));
        open = [.. open.Except(choices.Select(choice => choice.Name)).Except(choosing)];
        int combinations = choices.Aggregate(1, (count, choice) => count * choice.Values.Length);
        if (combinations > MostCombinations)
            throw new InvalidCallException($"{Text(choices)} can have {combinations} values together; choose by `Fixed`.");
        foreach (CalibrationSet set in data)
        {
            (string, FeedValue[])[] own = set.Value is { } value ? [(choosing[0], [Constant(choosing[0], inputs[choosing[0]], [value])])] : [];
            Add(set, inputs, open, [.. own, .. choices]);
        }

        Chosen = choices.Count == 0 && !isByValue ? null : string.Join(
            "; ", choices.Select(choice => Text([choice])).Concat(isByValue ? [$"{choosing[0]}={string.Join(", ", data.Select(set => set.Value))}"] : []));
        int[] counts = [.. variants.Select(variant => variant.Rows).Distinct()];
        if (counts.Length > 1)
            throw new InvalidCallException($"`data` holds {string.Join(" and ", counts)} sequences for the values of {choosing[0]}; give as many for each.");
        (Types, Rows) = (open.ToDictionary(name => name, name => inputs[name].ElementDataType), counts[0]);
        for (int i = 0; i < variants.Count && Chosen is not null; i++) TryVariant(session, i);
    }

    /// <summary>N, the sequences of the data.</summary>
    public int Rows { get; }

    /// <summary>How often each of the N is called: once for every value of the inputs that choose. Sequence i is row i / Variants.</summary>
    public int Variants => variants.Count;

    /// <summary>N, times the values of the inputs that choose.</summary>
    public int Sequences => Rows * Variants;

    /// <summary>The inputs of which sequences are called with several values, for example <c>sr=8000, 16000</c>; null where there are none.</summary>
    public string? Chosen { get; }

    /// <summary>The values of a sequence's inputs that choose, for example <c>sr=16000</c>; null where no others are called.</summary>
    public string? ChoiceOf(int sequence) => Variants == 1 ? null : variants[sequence % Variants].Text;

    /// <summary>Outputs that are inputs of the next call: output to input.</summary>
    public IReadOnlyDictionary<string, string> States => options.States;

    /// <summary>Calls of a sequence.</summary>
    public int CallsOf(int sequence) => variants[sequence % Variants].Calls;

    /// <summary>Inputs that have the same value in every call, and its numbers.</summary>
    public IReadOnlyDictionary<string, string> Fixed =>
        constants.ToDictionary(pair => pair.Key, pair => string.Join(' ', pair.Value.Values.Cast<object>().Distinct()));

    /// <summary>The shape of every input in the first call of a sequence, in the order of the data, states and fixed values.</summary>
    public IEnumerable<(string Name, int[] Shape)> Shapes(InferenceSession session) =>
        variants[0].Extents.Select(pair => (pair.Key, pair.Value))
            .Concat(states.Select(name => (name, OfOne(session.InputMetadata[name]))))
            .Concat(constants.Select(pair => (pair.Key, pair.Value.Shape)));

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
        Variant variant = variants[sequence % Variants];
        foreach ((string name, FeedValue value) in variant.Chosen) fixedValues[name] = value.ToOrtValue();

        IDisposableReadOnlyCollection<OrtValue>? last = null;
        try
        {
            for (int call = 0; call < variant.Calls; call++)
            {
                Dictionary<string, OrtValue> feed = new(carried);
                foreach ((string name, OrtValue value) in fixedValues) feed[name] = value;
                List<OrtValue> own = [];
                try
                {
                    foreach (string name in variant.Arrays.Keys)
                    {
                        OrtValue value = Slice(variant, name, sequence / Variants, call).ToOrtValue();
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

    private static string Text(IEnumerable<(string Name, FeedValue[] Values)> choices) =>
        string.Join("; ", choices.Select(choice => $"{choice.Name}={string.Join(", ", choice.Values.Select(value => value.Values.GetValue(0)))}"));

    private static OrtValue Zeros(NodeMetadata state)
    {
        int[] shape = OfOne(state);
        return new FeedValue(state.ElementDataType, shape, new double[FeedValue.Count(shape)]).ToOrtValue();
    }

    private static int[] OfOne(NodeMetadata state) => Array.ConvertAll(state.Dimensions, extent => Math.Max(1, extent));

    // One variant for every combination of the values that choose.
    private void Add(
        CalibrationSet set, IReadOnlyDictionary<string, NodeMetadata> inputs, string[] open, (string Name, FeedValue[] Values)[] choices)
    {
        IReadOnlyDictionary<string, INumberArray> arrays = Named(set.Arrays, open);
        Dictionary<string, int[]> extents = [];
        foreach ((string name, INumberArray array) in arrays)
        {
            extents[name] = CallExtents(name, inputs[name], array);
            if (array is NamedArray kept) CheckNumbers(name, kept, kept.Values, 0); // others as they are read
        }

        int rows = Same(arrays, 0, "sequences"), calls = options.IsStreaming ? Same(arrays, 1, "calls") : 1;
        int combinations = choices.Aggregate(1, (count, choice) => count * choice.Values.Length);
        for (int combination = 0; combination < combinations; combination++)
        {
            int rest = combination;
            Dictionary<string, FeedValue> chosen = [];
            foreach ((string name, FeedValue[] values) in choices)
            {
                chosen[name] = values[rest % values.Length];
                rest /= values.Length;
            }

            variants.Add(new Variant(Text(chosen.Select(pair => (pair.Key, (FeedValue[])[pair.Value]))), chosen, arrays, extents, rows, calls));
        }
    }

    private static IReadOnlyDictionary<string, INumberArray> Named(IReadOnlyDictionary<string, INumberArray> data, string[] open)
    {
        if (data.TryGetValue(CalibrationData.Nameless, out INumberArray? nameless))
        {
            if (open.Length != 1)
                throw new InvalidCallException(
                    $"`data` {nameless.Name} is one array, but the inputs " +
                    $"{(open.Length == 0 ? "are all set" : string.Join(", ", open) + " need values")}; "
                    + "save an .npz with the inputs' names, or use `Fixed` and `States`.");
            data = new Dictionary<string, INumberArray> { [open[0]] = nameless };
        }

        if (data.Keys.Except(open).FirstOrDefault() is { } stranger)
            throw new InvalidCallException($"`data` holds {stranger}, which is no input that needs values; those are {string.Join(", ", open)}.");
        if (open.Except(data.Keys).FirstOrDefault() is { } missing)
            throw new InvalidCallException(
                $"The input {missing} gets no values; add it to `data`, or use `Fixed` {missing}=VALUE or `States` OUTPUT={missing}.");
        return data.Count > 0 ? data : throw new InvalidCallException("No input takes values of `data`; leave one without `Fixed` and `States`.");
    }

    // The same data may not fit another value.
    private void TryVariant(InferenceSession session, int variant)
    {
        try
        {
            Run(session, variant, [.. session.OutputNames], _ => { });
        }
        catch (RunFailedException e)
        {
            (string name, FeedValue value) = variants[^1].Chosen.First();
            throw new InvalidCallException(
                $"{Chosen}: `data` does not suit {variants[variant].Text} ({e.Message}); choose one, for example "
                + $"`Fixed` {name}={value.Values.GetValue(0)}, or give each its own `data`, VALUE=FILE.",
                e);
        }
    }

    private FeedValue Slice(Variant variant, string name, int row, int call)
    {
        int[] shape = variant.Extents[name];
        int count = FeedValue.Count(shape);
        Array values = variant.Arrays[name].Read(((long)row * variant.Calls + call) * count, count);
        CheckNumbers(name, variant.Arrays[name], values, row);
        return new FeedValue(Types[name], shape, values);
    }

    // Of numbers that begin with sequence `row`.
    private static void CheckNumbers(string name, INumberArray array, Array values, int row)
    {
        if (values is float[] numbers && Array.FindIndex(numbers, float.IsNaN) is >= 0 and var wrong)
            throw new InvalidCallException(
                $"`data` holds NaN for {name}, in sequence {row + (wrong / (array.Shape.Count / array.Shape[0]))} of {array.Name}; clean the data.");
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
    private int[] CallExtents(string name, NodeMetadata input, INumberArray array)
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

    private static int Same(IReadOnlyDictionary<string, INumberArray> arrays, int axis, string what)
    {
        (string first, int count) = arrays.Select(pair => (pair.Key, pair.Value.Shape[axis])).First();
        foreach ((string name, INumberArray array) in arrays)
            if (array.Shape[axis] != count)
                throw new InvalidCallException($"`data` has {count} {what} of {first}, but {array.Shape[axis]} of {name}; give as many of each.");
        return count;
    }

    /// <summary>The calls with one combination of the values that choose.</summary>
    private sealed record Variant(
        string Text,
        IReadOnlyDictionary<string, FeedValue> Chosen,
        IReadOnlyDictionary<string, INumberArray> Arrays,
        IReadOnlyDictionary<string, int[]> Extents,
        int Rows,
        int Calls);
}
