using System.Numerics;
using System.Runtime.InteropServices;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data;

/// <summary>A linear classifier of whole images, trained by Adam: what a data set must resist to be worth a recurrent network.</summary>
internal sealed class SoftmaxRegression
{
    private readonly int classes;
    private readonly int inputs;
    private readonly float[] weights; // [C, I + 1], the bias last
    private readonly float[] gradient;
    private readonly float[] mean;
    private readonly float[] square;
    private int step;

    public SoftmaxRegression(SequenceLayout layout)
    {
        classes = layout.Outputs;
        inputs = layout.Steps * layout.Features;
        int padded = (inputs + 1 + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
        Stride = padded;
        weights = new float[classes * padded];
        gradient = new float[classes * padded];
        mean = new float[classes * padded];
        square = new float[classes * padded];
    }

    private int Stride { get; }

    public void Train(ISequenceData data, int epochs)
    {
        BatchReader reader = new(data, 64);
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            reader.RestartShuffled(1, epoch);
            while (reader.Next()) Step(reader.Batch);
        }
    }

    public double Accuracy(ISequenceData data)
    {
        BatchReader reader = new(data, 64);
        float[] image = new float[Stride];
        float[] scores = new float[classes];
        int right = 0;
        while (reader.Next())
        {
            for (int b = 0; b < reader.Batch.Size; b++)
            {
                Score(reader.Batch, b, image, scores);
                if (scores.AsSpan().IndexOf(scores.Max()) == reader.Batch.Labels[b]) right++;
            }
        }

        return right / (double)data.Count;
    }

    private void Step(Batch batch)
    {
        float[] image = new float[Stride];
        float[] scores = new float[classes];
        Array.Clear(gradient);
        for (int b = 0; b < batch.Size; b++)
        {
            Score(batch, b, image, scores);
            float largest = scores.Max();
            float sum = scores.Sum(s => MathF.Exp(s - largest));
            for (int c = 0; c < classes; c++)
            {
                float delta = ((MathF.Exp(scores[c] - largest) / sum) - (batch.Labels[b] == c ? 1f : 0f)) / batch.Size;
                Span<Vector<float>> row = Vectors(gradient, c);
                Span<Vector<float>> x = MemoryMarshal.Cast<float, Vector<float>>(image.AsSpan());
                for (int i = 0; i < row.Length; i++) row[i] += x[i] * delta;
            }
        }

        step++;
        float rate = 1e-3f * MathF.Sqrt(1f - MathF.Pow(0.999f, step)) / (1f - MathF.Pow(0.9f, step));
        for (int i = 0; i < weights.Length; i++)
        {
            mean[i] += 0.1f * (gradient[i] - mean[i]);
            square[i] += 0.001f * ((gradient[i] * gradient[i]) - square[i]);
            weights[i] -= rate * mean[i] / (MathF.Sqrt(square[i]) + 1e-8f);
        }
    }

    private void Score(Batch batch, int b, float[] image, float[] scores)
    {
        int features = batch.Layout.Features;
        for (int t = 0; t < batch.Layout.Steps; t++) batch.Inputs.Slice(((t * batch.Size) + b) * features, features).CopyTo(image.AsSpan(t * features));
        image[inputs] = 1f;
        Span<Vector<float>> x = MemoryMarshal.Cast<float, Vector<float>>(image.AsSpan());
        for (int c = 0; c < classes; c++)
        {
            Vector<float> sum = Vector<float>.Zero;
            Span<Vector<float>> row = Vectors(weights, c);
            for (int i = 0; i < row.Length; i++) sum += row[i] * x[i];
            scores[c] = Vector.Sum(sum);
        }
    }

    private Span<Vector<float>> Vectors(float[] matrix, int row) => MemoryMarshal.Cast<float, Vector<float>>(matrix.AsSpan(row * Stride, Stride));
}
