// Gives a stateful graph (gsrnn export --stateful) one step at a time: a line of numbers from standard input each, a line of answers to each.
using System.Globalization;
using Microsoft.ML.OnnxRuntime;

if (args is not [var graph])
{
    Console.Error.WriteLine("Call: StreamOnnx STATEFUL.onnx < LINES, the numbers of one step in each");
    return 2;
}

try
{
    using InferenceSession session = new(graph);
    using RunOptions options = new();
    string[] states = [.. session.InputNames.Where(name => name != "input")]; // h_l0 [1, batch, H] comes back as h_l0_next
    if (states.Length == 0) throw new FormatException($"{graph} has no states; export it with --stateful.");
    string[] outputs = ["output", .. states.Select(name => name + "_next")];
    Dictionary<string, float[]> values = session.InputNames.ToDictionary(name => name, name => new float[session.InputMetadata[name].Dimensions[^1]]);

    while (Console.ReadLine() is { } line)
    {
        float[] step = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => float.Parse(word, CultureInfo.InvariantCulture))];
        if (step.Length != values["input"].Length) throw new FormatException($"A step has {values["input"].Length} numbers, not {step.Length}.");
        values["input"] = step;
        Dictionary<string, OrtValue> feed = values.ToDictionary(
            value => value.Key, value => OrtValue.CreateTensorValueFromMemory(value.Value, [1, 1, value.Value.Length]));
        using IDisposableReadOnlyCollection<OrtValue> answers = session.Run(options, feed, outputs);
        float[] answer = answers[0].GetTensorDataAsSpan<float>().ToArray();
        Console.WriteLine(string.Join(' ', answer.Select(x => x.ToString("g6", CultureInfo.InvariantCulture))));
        for (int i = 0; i < states.Length; i++) values[states[i]] = answers[i + 1].GetTensorDataAsSpan<float>().ToArray();
        foreach (OrtValue value in feed.Values) value.Dispose();
    }

    return 0;
}
catch (Exception e) when (e is OnnxRuntimeException or FormatException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
