using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>CIFAR-10 in its publisher's binary version.</summary>
internal sealed class CifarFormat : DataFormat
{
    public override string Name => "cifar10";

    public override string About => "CIFAR-10's binary batches, as rows of 96 values or pixels of 3";

    public override IReadOnlyList<string> Options => [nameof(SequenceVerb.DataFolder), nameof(SequenceVerb.View)];

    public override string Required => "--data cifar10 needs --data-dir DIR with data_batch_1.bin (or .bin.gz) to train on, or the .tar.gz of them.";

    public override DataParts Open(DataCall call)
    {
        ImageView view = call.View;
        string? folder = call.Options.DataFolder;
        if (folder is not null && !Directory.Exists(folder) && !File.Exists(folder))
            throw new InvalidCallException($"--data-dir {folder} does not exist; name the folder of the batches, or the archive.");
        return new(part => folder is null ? null : CifarData.Load(folder, part, view))
        {
            View = view,
            Classes = () => folder is null ? null : CifarData.ReadNames(folder),
        };
    }
}
