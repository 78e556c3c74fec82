using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// Random tokens, each labelled by the next one: as a stream, whose last window has one step fewer, or as sequences of 1, 2, ..., T, 1, ... steps.
/// </summary>
internal sealed class TokenData(int count, int steps, int vocabulary, bool isStream) : ISequenceData
{
    private readonly int[] tokens = MakeTokens(count * steps + 1, vocabulary);

    public string Name => "tokens";

    public int Count => count;

    public SequenceLayout Layout { get; } = new(steps, 1, TargetKind.LabelPerStep, vocabulary, vocabulary) { IsStream = isStream };

    /// <summary>Valid steps of a sequence.</summary>
    public int LengthOf(int index) => isStream ? (index == count - 1 ? steps - 1 : steps) : 1 + index % steps;

    /// <summary>The token of a step.</summary>
    public int TokenOf(int index, int step) => tokens[index * steps + step];

    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        batch.Resize(indices.Length);
        for (int b = 0; b < indices.Length; b++)
        {
            int length = indices[b] < 0 ? 0 : LengthOf(indices[b]);
            batch.Lengths[b] = length;
            for (int t = 0; t < steps; t++)
            {
                batch.Tokens[t * indices.Length + b] = t < length ? TokenOf(indices[b], t) : 0;
                batch.Labels[t * indices.Length + b] = t < length ? tokens[indices[b] * steps + t + 1] : -1;
            }
        }
    }

    private static int[] MakeTokens(int count, int vocabulary)
    {
        Random random = new(4);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(vocabulary))];
    }
}
