namespace GpuSpectralRnn.Data;

/// <summary>How an image is read as a sequence.</summary>
public enum ImageView
{
    /// <summary>One row per step, from the top: [28, 28] for MNIST.</summary>
    Row,

    /// <summary>One pixel per step, row by row: [784, 1].</summary>
    Pixel,

    /// <summary>One pixel per step in a random order, the same for every image and every set of this size: [784, 1].</summary>
    Permuted,
}
