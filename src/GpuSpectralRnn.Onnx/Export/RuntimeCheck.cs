using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Onnx.Graphs;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>
/// Answers of a graph in ONNX Runtime beside those of the network it was made from: random inputs, batches and lengths of several extents, states
/// that go on from call to call.
/// </summary>
internal sealed class RuntimeCheck : IDisposable
{
    /// <summary>
    /// Single precision keeps 24 bits (6e-8); sums of some thousand products in another order, and through the steps of a recurrence, lose two digits
    /// of it.
    /// </summary>
    public const double Tolerance = 1e-5;

    /// <summary>Batch, steps of a call, and calls that go on from each other (without state: that are the same kind).</summary>
    private static readonly (int Batch, int Steps, int Calls)[] Sizes = [(1, 1, 3), (3, 7, 2), (2, 16, 1)];

    private readonly Random random = new(1);
    private readonly Network network;
    private readonly GraphOptions options;
    private readonly InferenceSession session;

    private RuntimeCheck(byte[] model, Network network, GraphOptions options)
    {
        (this.network, this.options) = (network, options);
        session = RuntimeSession.Open(model, "the exported graph");
    }

    private Architecture Architecture => network.Architecture;

    /// <summary>The largest difference of an output or state, over the largest absolute value of that output where it is above 1.</summary>
    /// <exception cref="RunFailedException">ONNX Runtime does not run the graph, or the network's answers are not finite.</exception>
    public static double Measure(byte[] model, Network network, GraphOptions options)
    {
        using RuntimeCheck check = new(model, network, options);
        return Sizes.Max(size => check.Measure(size.Batch, size.Steps, size.Calls));
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    private double Measure(int batch, int steps, int calls)
    {
        Dictionary<string, float[]> states = [];
        double worst = 0;
        if (options.IsStateful)
        {
            string[] names = [.. session.InputNames.Where(name => name is not ("input" or "lengths"))];
            states = names.ToDictionary(name => name, name => Numbers(batch * Architecture.Hidden[int.Parse(name[3..])]));
            network.RestoreState(batch, name => states[name]);
        }

        for (int call = 0; call < calls; call++)
        {
            // tokens as floats hold their numbers exactly
            float[] x = Architecture.HasEmbedding
                ? [.. Enumerable.Range(0, batch * steps).Select(_ => (float)random.Next(Architecture.Vocabulary))]
                : Numbers(batch * steps * Architecture.Inputs);
            int[] lengths = [.. Enumerable.Range(0, batch).Select(row => row == 0 ? steps : random.Next(1, steps + 1))];
            float[] expected = Predict(x, lengths, batch, steps, out Dictionary<string, float[]> expectedStates);
            Dictionary<string, float[]> found = Run(x, lengths, states, batch, steps);
            worst = Math.Max(worst, Difference(expected, Valid(found["output"], lengths, steps)));
            if (!options.IsStateful) continue;
            foreach (string name in states.Keys) worst = Math.Max(worst, Difference(expectedStates[name], states[name] = found[$"{name}_next"]));
        }

        return worst;
    }

    private float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

    // x [batch, steps, I] as the graph takes it
    private float[] Predict(float[] x, int[] lengths, int batch, int steps, out Dictionary<string, float[]> states)
    {
        IBackend backend = network.Backend;
        int width = x.Length / (batch * steps);
        using Tensor input = Architecture.HasEmbedding
            ? backend.Allocate(new Shape(steps, batch), ElementType.Int32)
            : backend.Allocate(new Shape(steps, batch, width));
        float[] turned = Turned(x, batch, steps, width);
        if (Architecture.HasEmbedding) input.CopyFrom<int>(Array.ConvertAll(turned, number => (int)number));
        else input.CopyFrom<float>(turned);
        using Tensor? valid = options.TakesLengths ? backend.Allocate(new Shape(batch), ElementType.Int32) : null;
        valid?.CopyFrom<int>(lengths);
        float[] outputs = network.Forward(new SequenceBatch(input, valid, options.IsStateful)).ToArray();
        states = options.IsStateful ? network.CarriedState.ToDictionary(state => state.Name, state => state.Values.ToArray()) : [];
        return Architecture.Readout == Readout.Every ? Valid(Turned(outputs, steps, batch, Architecture.Outputs), lengths, steps) : outputs;
    }

    private Dictionary<string, float[]> Run(float[] x, int[] lengths, Dictionary<string, float[]> states, int batch, int steps)
    {
        Dictionary<string, OrtValue> feed = [];
        try
        {
            feed.Add("input", Architecture.HasEmbedding
                ? OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(x, number => (long)number), [batch, steps])
                : OrtValue.CreateTensorValueFromMemory(x, [batch, steps, Architecture.Inputs]));
            if (options.TakesLengths) feed.Add("lengths", OrtValue.CreateTensorValueFromMemory(lengths, [batch]));
            foreach ((string name, float[] values) in states)
                feed.Add(name, OrtValue.CreateTensorValueFromMemory(values, [1, batch, values.Length / batch]));
            using RunOptions run = new();
            using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, feed, session.OutputNames);
            return session.OutputNames
                .Select((name, i) => KeyValuePair.Create(name, results[i].GetTensorDataAsSpan<float>().ToArray())).ToDictionary();
        }
        catch (OnnxRuntimeException e)
        {
            throw new RunFailedException($"ONNX Runtime cannot run the exported graph: {e.Message}", e);
        }
        finally
        {
            foreach (OrtValue value in feed.Values) value.Dispose();
        }
    }

    // [a, b, width] -> [b, a, width]
    private static float[] Turned(float[] x, int a, int b, int width)
    {
        float[] turned = new float[x.Length];
        for (int i = 0; i < a * b; i++) x.AsSpan(i * width, width).CopyTo(turned.AsSpan(((i % b * a) + (i / b)) * width));
        return turned;
    }

    // What counts: of a read-out of every step [batch, steps, O] the steps within the lengths.
    private float[] Valid(float[] outputs, int[] lengths, int steps)
    {
        if (!options.TakesLengths || Architecture.Readout != Readout.Every) return outputs;
        int width = Architecture.Outputs;
        return [.. lengths.SelectMany((length, row) => outputs.AsSpan(row * steps * width, length * width).ToArray())];
    }

    private static double Difference(float[] expected, float[] found)
    {
        if (expected.Length != found.Length)
            throw new RunFailedException($"The exported graph gives {found.Length} numbers where the network gives {expected.Length}.");
        double largest = 1, worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            if (!float.IsFinite(expected[i]))
                throw new RunFailedException("The network's answers to random numbers of -1 to 1 are not finite; it cannot be checked.");
            if (!float.IsFinite(found[i])) return double.PositiveInfinity;
            largest = Math.Max(largest, Math.Abs(expected[i]));
            worst = Math.Max(worst, Math.Abs((double)expected[i] - found[i]));
        }

        return worst / largest;
    }
}
