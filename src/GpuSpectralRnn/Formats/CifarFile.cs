namespace GpuSpectralRnn.Formats;

/// <summary>
/// A batch of CIFAR-10 in its publisher's binary version: records of 3073 bytes, a label and the red, the green and the blue plane of an image of 32
/// x 32 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009).
/// </summary>
public static class CifarFile
{
    /// <summary>Rows and columns of an image.</summary>
    public const int Side = 32;

    /// <summary>Red, green and blue.</summary>
    public const int Colours = 3;

    /// <summary>Number of classes.</summary>
    public const int Classes = 10;

    private const int Plane = Side * Side, Record = 1 + (Colours * Plane);

    /// <summary>Takes a batch apart.</summary>
    /// <param name="file">Its content, unpacked.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <returns>Labels [N] and pixels [N, 32, 32, 3].</returns>
    /// <exception cref="BrokenFileException">It is no whole number of records, or a label is not below 10.</exception>
    public static (byte[] Labels, byte[] Pixels) Parse(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length == 0) throw new BrokenFileException(name, "the file is empty.");
        if (file.Length % Record != 0)
            throw new BrokenFileException(
                name,
                $"{file.Length:N0} bytes are no whole number of records of {Record:N0} bytes: truncated, or not the binary version of CIFAR-10.");
        int count = file.Length / Record;
        byte[] labels = new byte[count], pixels = new byte[(long)count * Colours * Plane];
        for (int n = 0; n < count; n++)
        {
            ReadOnlySpan<byte> record = file.Slice(n * Record, Record);
            labels[n] = record[0];
            if (labels[n] >= Classes)
                throw new BrokenFileException(name, $"the label of image {n} is {labels[n]}; the classes are 0 to {Classes - 1}.");
            Span<byte> image = pixels.AsSpan(n * Colours * Plane, Colours * Plane);
            for (int colour = 0; colour < Colours; colour++)
            {
                ReadOnlySpan<byte> plane = record.Slice(1 + (colour * Plane), Plane);
                for (int i = 0; i < Plane; i++) image[(i * Colours) + colour] = plane[i];
            }
        }

        return (labels, pixels);
    }
}
