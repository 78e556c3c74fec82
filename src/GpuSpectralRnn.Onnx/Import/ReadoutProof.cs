using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Export;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace GpuSpectralRnn.Onnx.Import;

/// <summary>
/// Runs a graph on random sequences from zero states and compares the outputs of networks with it. The effect of the nodes between the parts is thus
/// not guessed: they equal one of the read-outs of this library, or the graph is refused.
/// </summary>
internal sealed class ReadoutProof
{
    // Extents where the graph leaves them open: they differ, so that batch and steps cannot be taken for each other.
    private static readonly (int Batch, int Steps)[] Sizes = [(2, 5), (3, 4)];

    /// <summary>Largest count of numbers in one call; more indicate a broken file.</summary>
    private const long MostNumbers = 1 << 26;

    private readonly Random random = new(2);
    private readonly List<Call> calls = [];
    private string? problem;

    /// <summary>Calls the graph.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="parts">Its parts.</param>
    /// <exception cref="InvalidCallException">The input is not [batch, time, I], or tokens [batch, time].</exception>
    public ReadoutProof(InferenceSession session, StackParts parts)
    {
        int[] extents = session.InputMetadata[parts.Input].Dimensions;
        (int rank, int width, string needed) = parts.Embedding is null
            ? (3, parts.Layers[0].Weights.Inputs, "sequences [batch, time, inputs]")
            : (2, 1, "tokens [batch, time]");
        if (extents.Length != rank)
            throw new InvalidCallException($"The input {parts.Input} has {extents.Length} axes; {needed} are needed.");
        if (session.OutputMetadata[parts.Output] is not { IsTensor: true, ElementDataType: TensorElementType.Float })
            throw new InvalidCallException($"The output {parts.Output} holds no 32-bit floats.");
        KeepsSteps = session.OutputMetadata[parts.Output].Dimensions.Length == 3;
        foreach (bool isBatchFirst in (bool[])[true, false])
        {
            foreach ((int batch, int steps) in Sizes)
            {
                (int first, int second) = isBatchFirst ? (batch, steps) : (steps, batch);
                (first, second) = (extents[0] > 0 ? extents[0] : first, extents[1] > 0 ? extents[1] : second);
                Run(session, parts, isBatchFirst, isBatchFirst ? first : second, isBatchFirst ? second : first, width);
            }
        }
    }

    /// <summary>Whether every call had a single step, for which all read-outs are equal.</summary>
    public bool HasOneStep => calls.All(call => call.Steps == 1);

    /// <summary>Whether the answers have an axis of steps, were it of one step only.</summary>
    public bool KeepsSteps { get; }

    /// <summary>The message of ONNX Runtime where no call succeeded.</summary>
    public string? Problem => calls.Count == 0 ? problem : null;

    /// <summary>The largest difference between the network's answers and the graph's, whichever way round the graph's axes are.</summary>
    public double Difference(Network network)
    {
        double best = double.PositiveInfinity;
        foreach (IGrouping<bool, Call> way in calls.GroupBy(call => call.IsBatchFirst))
            best = Math.Min(best, way.Max(call => Difference(network, call)));
        return best;
    }

    private static double Difference(Network network, Call call)
    {
        float[] expected = Answers.Predict(network, call.X, call.Batch, call.Steps);
        double difference = Answers.Difference(expected, call.Y);
        if (network.Architecture.Readout != Readout.Every) return difference;
        float[] turned = Answers.Turned(expected, call.Batch, call.Steps, network.Architecture.Outputs);
        return Math.Min(difference, Answers.Difference(turned, call.Y));
    }

    private void Run(InferenceSession session, StackParts parts, bool isBatchFirst, int batch, int steps, int width)
    {
        if ((long)batch * steps > MostNumbers / width)
            throw new InvalidCallException($"The input {parts.Input} is fixed at {batch} by {steps}, too large to try; export it with open axes.");
        float[] x = [.. Enumerable.Range(0, batch * steps * width).Select(_ =>
            parts.Embedding is { } table ? random.Next(table.Extents[0]) : (random.NextSingle() * 2) - 1)];
        float[] given = isBatchFirst ? x : Answers.Turned(x, batch, steps, width);
        (long first, long second) = isBatchFirst ? (batch, steps) : (steps, batch);
        Dictionary<string, OrtValue> feed = [];
        try
        {
            long[] shape = parts.Embedding is null ? [first, second, width] : [first, second];
            feed.Add(parts.Input, Value(session.InputMetadata[parts.Input], given, shape));
            foreach (string state in parts.States)
            {
                long[] extents = [.. session.InputMetadata[state].Dimensions.Select(extent => extent > 0 ? (long)extent : batch)];
                if (extents.Aggregate(1.0, (a, b) => a * b) > MostNumbers) throw new InvalidCallException($"The state {state} is too large to try.");
                feed.Add(state, Value(session.InputMetadata[state], new float[extents.Aggregate(1L, (a, b) => a * b)], extents));
            }

            if (parts.Lengths is { } lengths)
                feed.Add(lengths, Value(session.InputMetadata[lengths], [.. Enumerable.Repeat((float)steps, batch)], [batch]));
            using RunOptions run = new();
            using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, feed, [parts.Output]);
            calls.Add(new Call(isBatchFirst, batch, steps, x, results[0].GetTensorDataAsSpan<float>().ToArray()));
        }
        catch (OnnxRuntimeException e)
        {
            problem = e.Message;
        }
        finally
        {
            foreach (OrtValue value in feed.Values) value.Dispose();
        }
    }

    private static OrtValue Value(NodeMetadata type, float[] values, long[] extents) => type.ElementDataType switch
    {
        TensorElementType.Int64 =>
            OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (long)value), extents),
        TensorElementType.Int32 =>
            OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, value => (int)value), extents),
        TensorElementType.Float => OrtValue.CreateTensorValueFromMemory(values, extents),
        var other => throw new InvalidCallException($"An input holds values of type {other}; only 32-bit floats and integers can be used."),
    };

    private sealed record Call(bool IsBatchFirst, int Batch, int Steps, float[] X, float[] Y);
}
