using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>A row-major array of numbers that is read in parts, in memory or not.</summary>
public interface INumberArray
{
    /// <summary>The name, or the file, for messages.</summary>
    string Name { get; }

    /// <summary>Extents, outermost first; their product may exceed what one array holds.</summary>
    Shape Shape { get; }

    /// <summary>So many elements from index <paramref name="first"/> on: a float[], double[], long[], int[] or byte[].</summary>
    Array Read(long first, int count);
}
