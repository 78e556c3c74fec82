using System.Runtime.Intrinsics;

namespace GpuSpectralRnn.Data;

/// <summary>
/// Draws one handwritten-like digit: a glyph with its control points moved at random, under a random affine map, with a pen of random width and ink.
/// Only operations that IEEE 754
/// defines to the last bit are used (no sine, no logarithm), so that every machine draws the same bytes.
/// </summary>
internal sealed class DigitPen
{
    /// <summary>Pixels along each side.</summary>
    public const int Side = 28;

    private const int Stride = Side + 8;
    private const int SegmentsPerSpan = 5;
    private const float PixelsPerUnit = 0.2f; // a digit of 100 units is 20 pixels high, as in MNIST
    private const float Softest = 2f; // pixels from no ink to full ink
    private const float Far = 1e9f;

    // How much a hand varies. Tuned so that a linear classifier fails where a recurrent network succeeds (the tests measure the first).
    private const float Jitter = 5.5f; // of a control point, in units
    private const float Turn = 0.13f; // tangent of half the rotation: 15 degrees
    private const float Slant = 0.3f; // shear
    private const float ShiftAcross = 1.8f; // pixels
    private const float ShiftDown = 3.2f;
    private const float Narrowest = 0.68f;
    private const float Widest = 1.12f;

    // Distance to the nearest ink's edge in pixels, negative inside: [28, 28 + 8], so that a vector may begin at any column.
    private readonly float[] depth = new float[Side * Stride];
    private RandomStream random;

    /// <summary>Draws into <paramref name="image"/> [28, 28] what <paramref name="numbers"/> say and returns which digit it is.</summary>
    public byte Draw(RandomStream numbers, Span<byte> image)
    {
        random = numbers;
        int digit = random.Below(10);
        DigitGlyph[] glyphs = DigitGlyph.OfDigit[digit];
        DigitGlyph glyph = glyphs[random.Below(glyphs.Length)];
        Span<float> x = stackalloc float[glyph.Points.Length];
        Span<float> y = stackalloc float[glyph.Points.Length];
        Place(glyph, x, y);
        float radius = random.Uniform(0.75f, 1.75f);
        depth.AsSpan().Fill(Far);
        foreach (int[] stroke in glyph.Strokes) DrawStroke(stroke, x, y, radius);
        Ink(image);
        return (byte)digit;
    }

    /// <summary>Moves the control points and maps them to pixels.</summary>
    private void Place(DigitGlyph glyph, Span<float> x, Span<float> y)
    {
        // Half-angle form of the rotation: u = tan(angle / 2). The sum of two uniform numbers makes large values rarer.
        float u = Around(Turn);
        float cosine = (1f - (u * u)) / (1f + (u * u));
        float sine = 2f * u / (1f + (u * u));
        float slant = Around(Slant);
        float wide = PixelsPerUnit * random.Uniform(Narrowest, Widest);
        float high = PixelsPerUnit * random.Uniform(Narrowest, Widest);
        float middleX = (Side * 0.5f) + Around(ShiftAcross);
        float middleY = (Side * 0.5f) + Around(ShiftDown);
        for (int i = 0; i < x.Length; i++)
        {
            float py = (glyph.Points[i].Y - 50f + random.Uniform(-Jitter, Jitter)) * high;
            float px = ((glyph.Points[i].X - 50f + random.Uniform(-Jitter, Jitter)) * wide) - (slant * py);
            x[i] = middleX + (cosine * px) - (sine * py);
            y[i] = middleY + (sine * px) + (cosine * py);
        }
    }

    private float Around(float reach) => reach * (random.Uniform() + random.Uniform() - 1f);

    /// <summary>A Catmull-Rom spline through the stroke's points, cut into short straight segments.</summary>
    private void DrawStroke(int[] stroke, ReadOnlySpan<float> x, ReadOnlySpan<float> y, float radius)
    {
        int last = stroke.Length - 1;
        bool closed = stroke[0] == stroke[last];
        float pressure = random.Uniform(0.85f, 1.15f);
        for (int span = 0; span < last; span++)
        {
            int before = stroke[span > 0 ? span - 1 : closed ? last - 1 : 0];
            int from = stroke[span];
            int to = stroke[span + 1];
            int after = stroke[span + 2 <= last ? span + 2 : closed ? 1 : last];
            float nextPressure = random.Uniform(0.85f, 1.15f);
            float x0 = x[from];
            float y0 = y[from];
            for (int k = 1; k <= SegmentsPerSpan; k++)
            {
                float t = k / (float)SegmentsPerSpan;
                float x1 = Spline(x[before], x[from], x[to], x[after], t);
                float y1 = Spline(y[before], y[from], y[to], y[after], t);
                DrawSegment(x0, y0, x1, y1, radius * (pressure + ((nextPressure - pressure) * t)));
                x0 = x1;
                y0 = y1;
            }

            pressure = nextPressure;
        }
    }

    private static float Spline(float a, float b, float c, float d, float t) =>
        b + (0.5f * t * ((c - a) + (t * (((2f * a) - (5f * b) + (4f * c) - d) + (t * ((3f * (b - c)) + d - a))))));

    /// <summary>Brings every pixel near the segment closer to the ink's edge.</summary>
    private void DrawSegment(float x0, float y0, float x1, float y1, float radius)
    {
        float reach = radius + (Softest / 2f);
        int left = Math.Max(0, (int)(Math.Min(x0, x1) - reach));
        int right = Math.Min(Side - 1, (int)(Math.Max(x0, x1) + reach));
        int top = Math.Max(0, (int)(Math.Min(y0, y1) - reach));
        int bottom = Math.Min(Side - 1, (int)(Math.Max(y0, y1) + reach));
        float dx = x1 - x0;
        float dy = y1 - y0;
        float inverse = 1f / Math.Max(1e-6f, (dx * dx) + (dy * dy));
        Vector256<float> lanes = Vector256.Create(0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f) - Vector256.Create(x0);
        for (int row = top; row <= bottom; row++)
        {
            float py = row + 0.5f - y0;
            for (int column = left; column <= right; column += Vector256<float>.Count)
            {
                // The distance from eight pixels to the segment: to the foot of the perpendicular, or to the nearer end.
                Vector256<float> px = lanes + Vector256.Create((float)column);
                Vector256<float> t = ((px * dx) + Vector256.Create(py * dy)) * inverse;
                t = Vector256.Min(Vector256.Max(t, Vector256<float>.Zero), Vector256<float>.One);
                Vector256<float> ex = px - (t * dx);
                Vector256<float> ey = Vector256.Create(py) - (t * dy);
                Vector256<float> distance = Vector256.Sqrt((ex * ex) + (ey * ey)) - Vector256.Create(radius);
                Span<float> nearest = depth.AsSpan((row * Stride) + column, Vector256<float>.Count);
                Vector256.Min(Vector256.Create<float>(nearest), distance).CopyTo(nearest);
            }
        }
    }

    /// <summary>Turns distances to grey values: a soft edge, one ink per image and some grain.</summary>
    private void Ink(Span<byte> image)
    {
        float softness = random.Uniform(0.8f, Softest);
        float ink = random.Uniform(0.75f, 1f);
        for (int i = 0; i < image.Length; i++)
        {
            float cover = 0.5f - (depth[(i / Side * Stride) + (i % Side)] / softness);
            image[i] = cover <= 0f ? (byte)0 : (byte)(255f * ink * Math.Min(cover, 1f) * random.Uniform(0.85f, 1f));
        }
    }
}
