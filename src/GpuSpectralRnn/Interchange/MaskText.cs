using System.Text.Json;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// The mask of a network's parameters as text for a file's metadata, so that the tensors keep PyTorch's names: a JSON object with a member for every
/// masked parameter, one bit per weight in its order, lowest bit first, in base 64; 1 for a weight that is kept.
/// </summary>
internal static class MaskText
{
    /// <summary>The metadata key.</summary>
    public const string Key = "gsrnn.mask";

    /// <summary>The text; null where nothing is masked.</summary>
    /// <param name="parameters">With their masks.</param>
    /// <param name="others">Names of parameters whose masks are kept elsewhere.</param>
    public static string? Write(Parameters parameters, IEnumerable<string> others)
    {
        SortedDictionary<string, string> masks = new(StringComparer.Ordinal);
        foreach (ParameterSpec slot in parameters.Slots.ExceptBy(others, slot => slot.Name))
        {
            if (parameters.MaskOf(slot.Name) is not { } ones) continue;
            masks.Add(slot.Name, Convert.ToBase64String(Bits(ones)));
        }

        return masks.Count == 0 ? null : JsonSerializer.Serialize(masks);
    }

    /// <summary>Masks the parameters as the text says.</summary>
    /// <param name="text">What <see cref="Write"/> wrote.</param>
    /// <param name="parameters">Of the same network.</param>
    /// <param name="path">The file it was read from, for messages.</param>
    /// <exception cref="BrokenFileException">The text is damaged or belongs to another network.</exception>
    public static void Apply(string text, Parameters parameters, string path)
    {
        Dictionary<string, byte[]>? masks;
        try
        {
            masks = JsonSerializer.Deserialize<Dictionary<string, byte[]>>(text);
        }
        catch (JsonException e)
        {
            throw new BrokenFileException(path, $"its mask (metadata '{Key}') cannot be read: {JsonFault.Describe(e)}.", e);
        }

        foreach ((string name, byte[] bits) in masks ?? [])
        {
            ParameterSpec slot = parameters.Slots.SingleOrDefault(slot => slot.Name == name)
                ?? throw new BrokenFileException(path, $"its mask names {name}, which the architecture has no place for.");
            if (bits is null || bits.Length != (slot.Shape.Count + 7) / 8)
                throw new BrokenFileException(
                    path, $"its mask of {name} has {bits?.Length ?? 0} bytes; {slot.Shape} needs {(slot.Shape.Count + 7) / 8}.");
            parameters.SetMask(name, Ones(bits, (int)slot.Shape.Count));
        }
    }

    /// <summary>One bit for each number, 1 where it is not zero, lowest bit first.</summary>
    internal static byte[] Bits(ReadOnlySpan<float> ones)
    {
        byte[] bits = new byte[(ones.Length + 7) / 8];
        for (int i = 0; i < ones.Length; i++) bits[i / 8] |= (byte)(ones[i] == 0 ? 0 : 1 << (i % 8));
        return bits;
    }

    /// <summary>Ones and zeros from bits, of which there are enough.</summary>
    internal static float[] Ones(byte[] bits, int count)
    {
        float[] ones = new float[count];
        for (int i = 0; i < count; i++) ones[i] = (bits[i / 8] >> (i % 8)) & 1;
        return ones;
    }
}
