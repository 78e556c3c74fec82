using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Arrays of NumPy.</summary>
internal sealed class NpyFormat : DataFormat
{
    public override string Name => "npy";

    public override string About => "arrays";

    public override IReadOnlyList<string> Options => [nameof(SequenceVerb.Inputs), nameof(SequenceVerb.Targets), nameof(SequenceVerb.Lengths)];

    public override string Required => "--data npy needs --x X.npy.";

    public override DataParts Open(DataCall call) => new(part => part == DataPart.Train && call.Options.Inputs is { } inputs ? Load(call, inputs) : null);

    private static NpyData Load(DataCall call, string inputs)
    {
        NpyData data = NpyData.Load(inputs, call.Options.Targets, call.Classes, call.Options.Lengths);
        call.Options.Opened.Add(data);
        if (!data.IsKept) call.Note?.Invoke($"{data.Name}: {data.Count:N0} sequences, {data.Bytes / 1e9:N1} GB, stay in their files; batches are read as they come");
        return data;
    }
}
