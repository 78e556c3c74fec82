namespace GpuSpectralRnn.Data;

/// <summary>Finds valid but suspicious targets: constant, or probably of another kind than intended.</summary>
public static class TargetCheck
{
    private const int MostClasses = 1000;

    /// <summary>A warning about the targets of a training set, or null. Reads until the suspicion is refuted, usually one batch.</summary>
    public static string? Describe(ISequenceData data) => data.Layout.Target switch
    {
        TargetKind.Label or TargetKind.LabelPerStep when OnlyLabel(data) is { } label =>
            $"every label of {data.Name} is {label}: with one class there is nothing to tell apart, and any network is right",
        TargetKind.Value when data.Layout.Outputs == 1 && AreClasses(data) =>
            $"the targets of {data.Name} are whole numbers stored as real ones, so this is a regression; for classes save them as a.astype('int32')",
        _ => null,
    };

    private static int? OnlyLabel(ISequenceData data)
    {
        int? only = null;
        foreach (Batch batch in Batches(data))
        {
            foreach (int label in batch.Labels)
            {
                if (label < 0) continue;
                if (only is not null && only != label) return null;
                only = label;
            }
        }

        return only;
    }

    private static bool AreClasses(ISequenceData data)
    {
        foreach (Batch batch in Batches(data))
        {
            foreach (float value in batch.Values)
            {
                if (value is < 0 or > MostClasses || value != MathF.Floor(value)) return false;
            }
        }

        return true;
    }

    private static IEnumerable<Batch> Batches(ISequenceData data)
    {
        BatchReader reader = BatchReader.OfLittleMemory(data);
        while (reader.Next()) yield return reader.Batch;
    }
}
