namespace GpuSpectralRnn.Kernels;

/// <summary>
/// A sum in two singles, about 48 bits: the rounding error of each addition is kept (Knuth's two-sum, TAOCP 2, 4.2.2). The same on devices with and
/// without double precision.
/// </summary>
internal struct CompensatedSum
{
    public float High;
    public float Low;

    /// <summary>The sum rounded to a single.</summary>
    public readonly float Rounded => High + Low;

    /// <summary>Adds x.</summary>
    public void Add(float x)
    {
        float sum = High + x;
        float taken = sum - High;
        float rest = (High - (sum - taken)) + (x - taken);
        High = sum;
        Low += rest;
    }

    /// <summary>Adds another sum.</summary>
    public void Add(CompensatedSum other)
    {
        Add(other.High);
        Low += other.Low;
    }
}
