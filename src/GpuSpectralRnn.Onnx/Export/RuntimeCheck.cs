using System.Globalization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Graphs;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>
/// Compares a graph in ONNX Runtime with the network it was made from: random inputs, batches and lengths of several extents, states carried from
/// call to call.
/// </summary>
internal sealed class RuntimeCheck : IDisposable
{
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
            states = names.ToDictionary(
                name => name, name => Numbers(batch * Architecture.Hidden[int.Parse(name[3..], CultureInfo.InvariantCulture)]));
            network.RestoreState(batch, name => states[name]);
        }

        for (int call = 0; call < calls; call++)
        {
            // tokens as floats hold their numbers exactly
            float[] x = Architecture.HasEmbedding
                ? [.. Enumerable.Range(0, batch * steps).Select(_ => (float)random.Next(Architecture.Vocabulary))]
                : Numbers(batch * steps * Architecture.Inputs);
            int[] lengths = [.. Enumerable.Range(0, batch).Select(row => row == 0 ? steps : random.Next(1, steps + 1))];
            float[] expected = Answers.Predict(network, x, batch, steps, options.TakesLengths ? lengths : null, options.IsStateful);
            Dictionary<string, float[]> found = Run(x, lengths, states, batch, steps);
            worst = Math.Max(worst, Answers.Difference(Valid(expected, lengths, steps), Valid(found["output"], lengths, steps)));
            if (!options.IsStateful) continue;
            foreach ((string name, Tensor values) in network.CarriedState)
                worst = Math.Max(worst, Answers.Difference(values.ToArray(), states[name] = found[$"{name}_next"]));
        }

        return worst;
    }

    private float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];

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

    // What counts: of a read-out of every step [batch, steps, O] the steps within the lengths.
    private float[] Valid(float[] outputs, int[] lengths, int steps)
    {
        if (!options.TakesLengths || Architecture.Readout != Readout.Every) return outputs;
        int width = Architecture.Outputs;
        return [.. lengths.SelectMany((length, row) => outputs.AsSpan(row * steps * width, length * width).ToArray())];
    }
}
