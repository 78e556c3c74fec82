using System.Numerics;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Cli.Tests.Extending;

/// <summary>Whether the ones among random bits are an odd number.</summary>
internal sealed class ParityFormat : DataFormat
{
    public override string Name => "parity";

    public override string About => "32 random bits, and whether the ones among them are an odd number (10,000 to train, 1000 to test)";

    public override IReadOnlyList<string> Options => [nameof(SequenceVerb.DataSeed)];

    public override DataParts Open(DataCall call) =>
        DataParts.Drawn(10_000, 1000, (count, part) => new ParityTask(count, call.Seed, part));
}

/// <summary>The set itself: [32, 1] bits, one label of two.</summary>
public sealed class ParityTask(int count, ulong seed, DataPart part) : ISequenceData
{
    public string Name => $"parity ({part.ToString().ToLowerInvariant()})";

    public int Count => count;

    public SequenceLayout Layout { get; } = new(Steps: 32, Features: 1, TargetKind.Label, Outputs: 2);

    public void Read(ReadOnlySpan<int> indices, Batch batch)
    {
        batch.Resize(indices.Length);
        for (int b = 0; b < indices.Length; b++)
        {
            uint bits = Philox.Generate(seed, ((ulong)part << 32) | (uint)indices[b], 0).X;
            for (int t = 0; t < Layout.Steps; t++) batch.Inputs[(t * indices.Length) + b] = (bits >> t) & 1; // [T, B, 1]
            batch.Labels[b] = BitOperations.PopCount(bits) & 1;
        }
    }
}

public class ParityFormatTests
{
    [Fact]
    public void It_opens_a_set_to_train_on_and_one_to_test_on()
    {
        DataParts parts = new ParityFormat().Open(new DataCall(new TrainVerb { DataSeed = 5 }, null, null));
        ISequenceData train = parts.Load(DataPart.Train)!, test = parts.Load(DataPart.Test)!;
        Batch batch = new(train.Layout, 3);

        test.Read([0, 7, 999], batch);

        Assert.Null(parts.Load(DataPart.Valid));
        Assert.Equal((10_000, 1000), (train.Count, test.Count));
        for (int b = 0; b < 3; b++)
        {
            float ones = 0;
            for (int t = 0; t < 32; t++) ones += batch.Inputs[(t * 3) + b];
            Assert.Equal(ones % 2, batch.Labels[b]);
        }
    }
}
