using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Images and labels in MNIST's files.</summary>
internal sealed class IdxFormat : DataFormat
{
    public override string Name => "idx";

    public override string About => "MNIST files";

    public override IReadOnlyList<string> Options =>
    [
        nameof(SequenceVerb.Images), nameof(SequenceVerb.Labels), nameof(SequenceVerb.TestImages), nameof(SequenceVerb.TestLabels),
        nameof(SequenceVerb.View),
    ];

    public override string Required => "--data idx needs --images F and --labels F to train on.";

    public override bool TakesTest => true;

    public override DataParts Open(DataCall call)
    {
        (SequenceVerb options, ImageView view) = (call.Options, call.View);
        return new(part => part switch
        {
            DataPart.Train => Load(options.Images, options.Labels, "--", view, call.Classes),
            DataPart.Test => Load(options.TestImages, options.TestLabels, "--test-", view, call.Classes),
            _ => null,
        }) { View = view };
    }

    private static ImageData? Load(string? images, string? labels, string prefix, ImageView view, int? classes)
    {
        if (images is null && labels is null) return null;
        if (images is null || labels is null)
            throw new InvalidCallException(
                $"{prefix}images and {prefix}labels belong together; {prefix}{(images is null ? "images" : "labels")} is missing.");
        return IdxData.Load(images, labels, view, classes);
    }
}
