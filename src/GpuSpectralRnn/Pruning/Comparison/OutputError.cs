using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>Output error of a compressed network f# against the original f, and the empirical risks of both; measured with labels.</summary>
/// <param name="AllSteps">||f - f#||_{n,T}: read-out applied to every step's states, root mean square over the steps of all sequences.</param>
/// <param name="AsRead">
/// Root mean square over sequences of the distance of the networks' own outputs; for a network with an output at every step a sequence has the mean
/// square over its labelled steps.
/// </param>
/// <param name="Risk">Mean over sequences of the loss of f, clipped to [0, M]; a sequence with several outputs has their mean loss.</param>
/// <param name="CompressedRisk">The same of f#.</param>
/// <param name="InputRadius">The largest ||x_t||.</param>
public sealed record OutputError(double AllSteps, double AsRead, double Risk, double CompressedRisk, double InputRadius)
{
    /// <summary>Measures both networks on the data.</summary>
    /// <param name="network">f.</param>
    /// <param name="compressed">f#, on the same backend.</param>
    /// <param name="data">With labels or values.</param>
    /// <param name="ceiling">M.</param>
    /// <param name="batchSize">Sequences per batch.</param>
    /// <param name="cancellation">Stops with an <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="RunFailedException">An output is NaN or infinite.</exception>
    public static OutputError Measure(
        Network network, Network compressed, ISequenceData data, double ceiling, int batchSize, CancellationToken cancellation = default)
    {
        using DeviceBatches feed = new(data, network.Backend, batchSize);
        double allSteps = 0, steps = 0, asRead = 0, risk = 0, compressedRisk = 0, radius = 0;
        int width = network.Architecture.Outputs;
        while (feed.Next())
        {
            cancellation.ThrowIfCancellationRequested();
            float[] f = network.Forward(feed.Current).ToArray(), g = compressed.Forward(feed.Current).ToArray();
            allSteps += SquaredDistance(EveryStep(network), EveryStep(compressed), width, feed);
            steps += feed.ValidSteps();
            int[] labels = network.Architecture.Task == TaskKind.Classification ? feed.Targets[0].ToArray<int>() : [];
            Func<float[], int, double> loss = Loss(network.Architecture, feed, labels);
            for (int i = 0; i < feed.Size; i++)
            {
                int[] rows = Answers(network.Architecture, labels, feed.Size, i);
                if (rows.Length == 0) continue;
                asRead += rows.Average(row => SquaredDistance(f.AsSpan(row * width, width), g.AsSpan(row * width, width)));
                risk += rows.Average(row => Math.Clamp(loss(f, row), 0, ceiling));
                compressedRisk += rows.Average(row => Math.Clamp(loss(g, row), 0, ceiling));
            }

            foreach (float[] x in network.Values("inputs").ToArray().Chunk(network.Architecture.Inputs))
                radius = Math.Max(radius, x.Sum(value => (double)value * value));
        }

        if (!double.IsFinite(allSteps + asRead))
            throw new RunFailedException("The outputs of the network or of the compressed one hold NaN or infinity; keep more units or train again.");
        double n = data.Count;
        return new OutputError(Math.Sqrt(allSteps / steps), Math.Sqrt(asRead / n), risk / n, compressedRisk / n, Math.Sqrt(radius));
    }

    // The output rows of sequence i of the batch: row i, or its labelled steps.
    private static int[] Answers(Architecture architecture, int[] labels, int size, int i) => architecture.Readout == Readout.Every
        ? [.. Enumerable.Range(0, labels.Length / size).Select(t => t * size + i).Where(row => labels[row] >= 0)]
        : [i];

    // W^o h_t + b^o [T, B, O]
    private static float[] EveryStep(Network network)
    {
        Tensor states = network.Values("l0");
        using Tensor outputs = network.Backend.Allocate(new Shape(states.Shape[0], states.Shape[1], network.Architecture.Outputs));
        network.Backend.Matrix.Linear(new(states, network.Parameters["readout.weight"], network.Parameters["readout.bias"], outputs));
        return outputs.ToArray();
    }

    // Of one row of the outputs: softmax cross-entropy, or the mean squared error.
    private static Func<float[], int, double> Loss(Architecture architecture, DeviceBatches feed, int[] labels)
    {
        int width = architecture.Outputs;
        if (architecture.Task == TaskKind.Classification)
        {
            return (outputs, row) =>
            {
                Span<float> logits = outputs.AsSpan(row * width, width);
                double largest = logits[0], sum = 0;
                foreach (float logit in logits) largest = Math.Max(largest, logit);
                foreach (float logit in logits) sum += Math.Exp(logit - largest);
                return largest + Math.Log(sum) - logits[labels[row]];
            };
        }

        float[] values = feed.Targets[0].ToArray();
        return (outputs, row) => SquaredDistance(outputs.AsSpan(row * width, width), values.AsSpan(row * width, width)) / width;
    }

    // Of outputs [T, B, width] over the valid steps.
    private static double SquaredDistance(float[] a, float[] b, int width, DeviceBatches feed)
    {
        double sum = 0;
        for (int i = 0; i < feed.Size; i++)
        {
            for (int t = 0; t < feed.Lengths()[i]; t++)
            {
                int at = (t * feed.Size + i) * width;
                sum += SquaredDistance(a.AsSpan(at, width), b.AsSpan(at, width));
            }
        }

        return sum;
    }

    private static double SquaredDistance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        return sum;
    }
}
