using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace GpuSpectralRnn.Data;

/// <summary>Identifies a data set by its content, regardless of its name.</summary>
public static class ContentHash
{
    private const int BatchSize = 256;

    /// <summary>SHA-256 of all inputs, lengths and targets in order, as 64 hexadecimal digits; equal for equal sets on every machine.</summary>
    public static string Compute(ISequenceData data)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Batch batch = new(data.Layout, Math.Min(BatchSize, Math.Max(1, data.Count)));
        for (int first = 0; first < data.Count; first += batch.Capacity)
        {
            data.Read([.. Enumerable.Range(first, Math.Min(batch.Capacity, data.Count - first))], batch);
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

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
