using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace GpuSpectralRnn.Data;

/// <summary>Identifies a data set by its content, regardless of its name.</summary>
public static class ContentHash
{
    private const int BatchSize = 256;
    private const string Sampled = "sampled-";

    /// <summary>Most inputs that are all hashed, 1 GB of them; a larger set would keep a run waiting for minutes.</summary>
    private const long MostInputs = 1L << 28;

    /// <summary>
    /// SHA-256 of all inputs, lengths and targets in order, as 64 hexadecimal digits; of a set of more than 1 GB, marked so, of a sample: stretches of
    /// equal distance, the beginning and the end. Equal for equal sets on every machine.
    /// </summary>
    public static string Compute(ISequenceData data) => Compute(data, MostInputs);

    /// <summary>Whether a hash that <see cref="Compute(ISequenceData)"/> gave, of this version or one that hashed all sets whole, is of this content.</summary>
    public static bool Matches(ISequenceData data, string hash) =>
        hash == (hash.StartsWith(Sampled, StringComparison.Ordinal) ? Compute(data) : Compute(data, long.MaxValue));

    /// <summary>The same with another limit on the inputs that are all hashed.</summary>
    internal static string Compute(ISequenceData data, long mostInputs)
    {
        long extent = Math.Max(1, data.Layout.Fields.Sum(field => field.Extent));
        bool isWhole = extent * data.Count <= mostInputs;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int size = isWhole ? BatchSize : (int)Math.Clamp(mostInputs / 64 / extent, 1, BatchSize);
        Batch batch = new(data.Layout, Math.Min(size, Math.Max(1, data.Count)));
        long stretches = isWhole ? long.MaxValue : Math.Max(2, mostInputs / 16 / (extent * batch.Capacity));
        long step = Math.Max(batch.Capacity, data.Count / stretches);
        if (!isWhole) hash.AppendData(BitConverter.GetBytes(data.Count));
        for (long first = 0; first < data.Count; first += step) Append(hash, data, (int)first, batch);
        if (!isWhole) Append(hash, data, data.Count - batch.Capacity, batch);
        return (isWhole ? "" : Sampled) + Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, ISequenceData data, int first, Batch batch)
    {
        int[] stretch = [.. Enumerable.Range(first, Math.Min(batch.Capacity, data.Count - first))];
        data.Expect(stretch);
        data.Read(stretch, batch);
        foreach (BatchField field in batch.Fields)
        {
            hash.AppendData(MemoryMarshal.AsBytes(field.Inputs));
            hash.AppendData(MemoryMarshal.AsBytes(field.Tokens));
            hash.AppendData(MemoryMarshal.AsBytes(field.Lengths));
        }

        foreach (BatchTarget target in batch.Targets)
        {
            hash.AppendData(MemoryMarshal.AsBytes(target.Labels));
            hash.AppendData(MemoryMarshal.AsBytes(target.Values));
        }
    }
}
