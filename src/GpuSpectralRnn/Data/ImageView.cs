namespace GpuSpectralRnn.Data;

/// <summary>How an image is read as a sequence.</summary>
public enum ImageView
{
    /// <summary>One row per step, from the top: [28, 28] for MNIST, [32, 96] for CIFAR-10 (32 pixels of red, green, blue).</summary>
    Row,

    /// <summary>One pixel per step, row by row: [784, 1] for MNIST, [1024, 3] for CIFAR-10.</summary>
    Pixel,

    /// <summary>One pixel per step in a random order, the same for every image and every set of this size.</summary>
    Permuted,
}
