using System.Globalization;

namespace GpuSpectralRnn.Data;

/// <summary>
/// One way to write a digit: pen strokes as smooth curves through control points, in a box of 100 x 100 units, x to the right and y down. Equal
/// points are one point, so that strokes
/// which meet still meet after every point has been moved a little.
/// </summary>
internal sealed class DigitGlyph
{
    /// <summary>The ways to write each digit.</summary>
    public static readonly DigitGlyph[][] OfDigit =
    [
        Glyphs(
            "50,5 26,20 20,50 28,82 50,95 73,80 80,50 72,18 50,5",
            "60,9 35,8 21,40 26,80 50,95 75,76 78,40 64,13 46,12",
            "56,5 38,25 33,60 42,92 57,92 68,62 69,25 56,5"),
        Glyphs(
            "52,5 51,50 49,95",
            "34,26 44,18 53,5 | 53,5 53,50 51,95",
            "36,24 46,17 53,6 | 53,6 52,50 51,94 | 32,95 51,94 70,93",
            "62,5 52,50 42,95"),
        Glyphs(
            "24,28 32,9 54,4 74,18 70,44 46,70 22,93 | 22,93 48,91 80,92",
            "25,25 40,6 65,8 74,28 60,56 36,80 20,90 22,78 38,79 58,91 80,86",
            "26,16 46,6 70,14 72,38 52,66 24,92 | 24,92 52,93 78,88"),
        Glyphs(
            "25,15 48,4 70,16 66,36 43,46 | 43,46 70,54 76,76 55,95 24,86",
            "25,8 48,8 72,7 | 72,7 58,26 44,42 | 44,42 70,50 76,76 52,95 25,86",
            "26,18 45,5 68,13 67,34 47,45 43,49 52,48 72,58 74,80 52,95 26,88"),
        Glyphs(
            "30,8 26,30 22,54 | 22,54 46,58 78,53 | 66,10 64,50 62,95",
            "61,5 40,34 20,63 | 20,63 50,63 80,62 | 61,5 60,50 60,95",
            "52,6 38,30 22,58 | 22,58 50,60 79,56 | 64,32 62,60 58,95"),
        Glyphs(
            "73,8 54,8 35,9 | 35,9 32,26 30,44 | 30,44 54,38 76,56 72,82 48,95 24,84",
            "74,10 52,8 35,12 31,42 52,40 74,58 68,85 45,95 24,86",
            "34,10 32,28 30,45 | 30,45 53,40 74,55 74,78 54,94 26,88 | 34,10 55,9 77,5"),
        Glyphs(
            "66,5 40,28 24,62 34,90 56,95 74,80 68,58 48,52 28,68",
            "54,4 34,38 26,74 44,95 69,87 71,64 52,54 29,72",
            "70,8 46,16 28,44 26,76 48,95 72,82 66,58 44,54 27,70"),
        Glyphs(
            "22,10 48,10 76,9 | 76,9 56,46 43,95",
            "22,10 48,10 76,9 | 76,9 58,46 46,95 | 36,52 52,51 70,48",
            "22,25 22,17 23,9 | 23,9 50,11 77,10 | 77,10 62,36 50,60 44,95"),
        Glyphs(
            "66,18 48,5 30,18 36,38 62,56 73,78 50,95 28,78 37,56 62,36 66,18",
            "50,5 31,16 34,40 50,47 67,40 69,16 50,5 | 50,47 27,60 28,86 50,95 73,86 74,60 50,47",
            "71,13 50,5 32,20 42,42 64,60 69,82 48,95 28,82 41,58 64,36 74,8"),
        Glyphs(
            "70,20 50,6 29,22 32,46 52,50 70,20 | 70,20 70,58 66,95",
            "71,11 45,7 27,30 42,52 66,36 71,11 | 71,11 66,54 50,95",
            "70,20 50,5 29,20 32,44 54,48 69,26 | 70,20 73,58 62,88 36,94"),
    ];

    private DigitGlyph((float X, float Y)[] points, int[][] strokes)
    {
        Points = points;
        Strokes = strokes;
    }

    /// <summary>The control points.</summary>
    public (float X, float Y)[] Points { get; }

    /// <summary>The points each stroke runs through; a stroke whose first point is also its last is a closed curve.</summary>
    public int[][] Strokes { get; }

    private static DigitGlyph[] Glyphs(params string[] drawings) => [.. drawings.Select(Parse)];

    private static DigitGlyph Parse(string drawing)
    {
        List<string> points = [];
        int[][] strokes =
        [
            .. drawing.Split('|', StringSplitOptions.TrimEntries).Select(stroke => stroke.Split(' ').Select(point =>
            {
                if (!points.Contains(point)) points.Add(point);
                return points.IndexOf(point);
            }).ToArray()),
        ];
        return new DigitGlyph([.. points.Select(ParsePoint)], strokes);
    }

    private static (float X, float Y) ParsePoint(string point)
    {
        string[] parts = point.Split(',');
        return (float.Parse(parts[0], CultureInfo.InvariantCulture), float.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
