using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Graphs;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Tests.Support;

/// <summary>Runs graphs, and makes data for them.</summary>
internal static class Runs
{
    /// <summary>Writes a graph to a temporary file, calls <paramref name="use"/>, deletes it.</summary>
    public static void WithFile(byte[] graph, Action<string> use)
    {
        string path = Path.Combine(Path.GetTempPath(), $"gsrnn-{Guid.NewGuid():N}.onnx");
        File.WriteAllBytes(path, graph);
        try
        {
            use(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Smooth random sequences [N, ...].</summary>
    public static Dictionary<string, NamedArray> Data(string name, params int[] extents)
    {
        Random random = new(11);
        float[] values = new float[extents.Aggregate(1, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++) values[i] = (float)(random.NextDouble() * 2 - 1);
        return new Dictionary<string, NamedArray> { [name] = NamedArray.Create(name, new Shape(extents), values) };
    }

    /// <summary>The outputs of one call, by name.</summary>
    public static Dictionary<string, (long[] Shape, float[] Values)> Once(byte[] graph, params (string Name, long[] Shape, float[] Values)[] inputs) =>
        Once(graph, Array.ConvertAll(inputs, input => (input.Name, input.Shape, (Array)input.Values)));

    /// <summary>The outputs of one call, by name; inputs are floats, or 32-bit integers.</summary>
    public static Dictionary<string, (long[] Shape, float[] Values)> Once(byte[] graph, (string Name, long[] Shape, Array Values)[] inputs)
    {
        using InferenceSession session = RuntimeSession.Open(graph, "a graph of the tests");
        using RunOptions run = new();
        Dictionary<string, OrtValue> feed = inputs.ToDictionary(
            input => input.Name,
            input => input.Values is int[] integers
                ? OrtValue.CreateTensorValueFromMemory(integers, input.Shape)
                : OrtValue.CreateTensorValueFromMemory((float[])input.Values, input.Shape));
        using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, feed, session.OutputNames);
        foreach (OrtValue value in feed.Values) value.Dispose();
        return session.OutputNames.Select((name, i) => (name, results[i].GetTensorTypeAndShape().Shape, results[i].GetTensorDataAsSpan<float>().ToArray()))
            .ToDictionary(result => result.name, result => (result.Shape, result.Item3));
    }

    /// <summary>Values as they should be, to so much.</summary>
    public static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"{what} [{i}]: {expected[i]} expected, {actual[i]} found");
    }
}
