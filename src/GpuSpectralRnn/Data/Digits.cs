using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Data;

/// <summary>
/// The built-in data set: handwritten-like digits 0 to 9 of 28 x 28 grey pixels, drawn by a program. Image i depends on the seed, the part and i
/// alone, and is the same on every machine.
/// Labels are uniform.
/// </summary>
public static class Digits
{
    private const int Pixels = DigitPen.Side * DigitPen.Side;

    /// <summary>Elementary operations of one image, roughly: how many are worth a thread.</summary>
    private const int WorkPerImage = 1 << 14;

    /// <summary>Draws <paramref name="count"/> images, on the threads that all devices share.</summary>
    /// <exception cref="InvalidCallException">The count is below 1 or more than fits in memory.</exception>
    public static ImageData Create(int count, ulong seed, ImageView view, DataPart part = DataPart.Train)
    {
        SequenceIndices.CheckCount(count);
        if (count > Array.MaxLength / Pixels) throw new InvalidCallException($"{count} images do not fit; name {Array.MaxLength / Pixels} or fewer.");
        byte[] pixels = new byte[count * Pixels]; // [N, 28, 28]
        byte[] labels = new byte[count];
        HostParallel.Shared.Split(count, 1, (long)count * WorkPerImage, (_, first, end) =>
        {
            DigitPen pen = new();
            for (int n = (int)first; n < end; n++)
                labels[n] = pen.Draw(new RandomStream(seed, RandomPurpose.Digits, n, part), pixels.AsSpan(n * Pixels, Pixels));
        });
        return new ImageData($"digits ({part.ToString().ToLowerInvariant()})", pixels, labels, DigitPen.Side, DigitPen.Side, 10, view);
    }
}
