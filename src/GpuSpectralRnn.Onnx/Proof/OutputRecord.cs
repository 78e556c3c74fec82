using System.Numerics.Tensors;
using GpuSpectralRnn.Onnx.Calibration;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace GpuSpectralRnn.Onnx.Proof;

/// <summary>The outputs of a graph for some sequences, to compare another graph's with.</summary>
internal sealed class OutputRecord
{
    /// <summary>[batch, time, classes] is the most that a classifier gives; arrays of more axes are images, spectra and the like.</summary>
    private const int MostClassAxes = 3;

    private readonly IReadOnlyList<GraphOutput> outputs;
    private readonly List<double[]>[] answers; // call by call, for each output
    private readonly List<long[]>[] shapes;
    private readonly List<string?> choices = []; // of every call

    private OutputRecord(IReadOnlyList<GraphOutput> outputs)
    {
        this.outputs = outputs;
        answers = [.. outputs.Select(_ => new List<double[]>())];
        shapes = [.. outputs.Select(_ => new List<long[]>())];
    }

    /// <summary>Whether outputs of that type are compared.</summary>
    public static bool CanRead(TensorElementType type) =>
        type is TensorElementType.Float or TensorElementType.Double or TensorElementType.Int64 or TensorElementType.Int32 or TensorElementType.Bool;

    /// <summary>Runs sequences <paramref name="first"/> to before <paramref name="end"/>.</summary>
    public static OutputRecord Record(InferenceSession session, GraphCalls calls, IReadOnlyList<GraphOutput> outputs, int first, int end)
    {
        OutputRecord record = new(outputs);
        string[] names = [.. outputs.Select(output => output.Name)];
        for (int sequence = first; sequence < end; sequence++)
        {
            calls.Run(session, sequence, names, results =>
            {
                record.choices.Add(calls.ChoiceOf(sequence));
                for (int i = 0; i < names.Length; i++)
                {
                    record.answers[i].Add(Read(results[i]));
                    record.shapes[i].Add(results[i].GetTensorTypeAndShape().Shape);
                }
            });
        }

        return record;
    }

    /// <summary>Compares another graph on the same sequences, choice by choice. States of another size are left out.</summary>
    /// <exception cref="RunFailedException">Its outputs have other shapes.</exception>
    public OutputDifference[] Compare(InferenceSession session, GraphCalls calls, int first, int end)
    {
        OutputRecord other = Record(session, calls, outputs, first, end);
        bool IsSmaller(int i) => outputs[i].IsState && !shapes[i].Zip(other.shapes[i]).All(pair => pair.First.SequenceEqual(pair.Second));
        return
        [
            .. from choice in choices.Distinct()
               let made = Enumerable.Range(0, choices.Count).Where(call => choices[call] == choice).ToArray()
               from i in Enumerable.Range(0, outputs.Count)
               where !IsSmaller(i)
               select Compare(outputs[i], i, other, made) with { Choice = choice },
        ];
    }

    private OutputDifference Compare(GraphOutput output, int i, OutputRecord other, int[] made)
    {
        bool isShare = made.All(call => answers[i][call].All(value => value is >= 0 and <= 1));
        bool isRow = made.All(call => shapes[i][call] is { Length: <= MostClassAxes } and [.., > 1]);
        bool isBinary = isShare && !(isRow && made.All(call => AreDistributions(answers[i][call], (int)shapes[i][call][^1])));
        double largest = 0, sum = 0;
        long count = 0, same = 0, decisions = 0;
        foreach (int call in made)
        {
            double[] a = answers[i][call], b = other.answers[i][call];
            if (!shapes[i][call].SequenceEqual(other.shapes[i][call]))
                throw new RunFailedException(
                    $"The output {output.Name} has the shape [{string.Join(", ", other.shapes[i][call])}] " +
                    $"instead of [{string.Join(", ", shapes[i][call])}].");
            for (int j = 0; j < a.Length; j++)
            {
                double difference = Math.Abs(a[j] - b[j]);
                largest = Math.Max(largest, difference); // NaN stays
                sum += difference;
            }

            count += a.Length;
            int width = isBinary ? 1 : isRow ? (int)shapes[i][call][^1] : 0;
            for (int row = 0; width > 0 && row < a.Length; row += width)
            {
                decisions++;
                if (Decide(a.AsSpan(row, width)) == Decide(b.AsSpan(row, width))) same++;
            }
        }

        double? agreement = output.IsState || decisions == 0 ? null : (double)same / decisions;
        return new OutputDifference(output.Name, output.IsState, largest, count == 0 ? 0 : sum / count, agreement);
    }

    private static bool AreDistributions(double[] values, int width)
    {
        const double rounding = 1e-3; // of a softmax in 16-bit floats
        for (int row = 0; row < values.Length; row += width)
            if (Math.Abs(TensorPrimitives.Sum(values.AsSpan(row, width)) - 1) > rounding) return false;
        return true;
    }

    private static int Decide(ReadOnlySpan<double> row)
    {
        if (row.Length == 1) return row[0] > 0.5 ? 1 : 0;
        int best = 0;
        for (int j = 1; j < row.Length; j++)
            if (row[j] > row[best]) best = j;
        return best;
    }

    private static double[] Read(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => Widen(value.GetTensorDataAsSpan<float>(), x => x),
        TensorElementType.Double => value.GetTensorDataAsSpan<double>().ToArray(),
        TensorElementType.Int64 => Widen(value.GetTensorDataAsSpan<long>(), x => x),
        TensorElementType.Int32 => Widen(value.GetTensorDataAsSpan<int>(), x => x),
        _ => Widen(value.GetTensorDataAsSpan<bool>(), x => x ? 1 : 0),
    };

    private static double[] Widen<T>(ReadOnlySpan<T> values, Func<T, double> widen)
    {
        double[] result = new double[values.Length];
        for (int i = 0; i < result.Length; i++) result[i] = widen(values[i]);
        return result;
    }
}
