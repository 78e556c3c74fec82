namespace GpuSpectralRnn.Spectral;

/// <summary>The knee of a falling curve, by a stated rule (Satopaa, Albrecht, Irwin, Raghavan, "Finding a kneedle in a haystack", 2011).</summary>
public static class Knee
{
    /// <summary>
    /// The place of the point that lies farthest below the straight line from the first point to the last; with both axes scaled or not it is the same
    /// one. The last where none lies below it: then every step costs alike, and nothing tells where to stop.
    /// </summary>
    /// <param name="points">By ascending x; two or more, all finite.</param>
    public static int Find(IReadOnlyList<(double X, double Y)> points)
    {
        (double x0, double y0) = points[0];
        (double x1, double y1) = points[^1];
        int best = points.Count - 1;
        double farthest = 0;
        for (int i = 1; i < points.Count - 1; i++)
        {
            double below = y0 + ((y1 - y0) * (points[i].X - x0) / (x1 - x0)) - points[i].Y;
            if (below > farthest) (best, farthest) = (i, below);
        }

        return best;
    }
}
