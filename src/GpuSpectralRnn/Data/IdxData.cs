using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>Images and labels in IDX files, the format of MNIST and similar sets.</summary>
public static class IdxData
{
    private const int UsualClasses = 10;

    /// <summary>Loads both files, plain or gzip-compressed.</summary>
    /// <param name="imagesPath">Unsigned bytes [N, rows, columns].</param>
    /// <param name="labelsPath">Unsigned bytes [N].</param>
    /// <param name="view">How an image becomes a sequence.</param>
    /// <param name="classes">Number of classes, if a model fixes it; else the larger of 10 and the largest label + 1.</param>
    /// <exception cref="InvalidCallException">A file is missing, the shapes do not fit each other, the set is empty, or a label is not below
    /// <paramref name="classes"/>.</exception>
    /// <exception cref="BrokenFileException">A file is truncated or corrupt.</exception>
    public static ImageData Load(string imagesPath, string labelsPath, ImageView view, int? classes = null)
    {
        NamedArray images = IdxFile.Read(imagesPath);
        NamedArray labels = IdxFile.Read(labelsPath);
        if (images.Shape.Rank != 3)
            throw new InvalidCallException($"{imagesPath} holds an array {images.Shape}; images are [N, rows, columns]. Is it the file of labels?");
        if (labels.Shape.Rank != 1)
            throw new InvalidCallException($"{labelsPath} holds an array {labels.Shape}; labels are [N]. Is it the file of images?");
        if (images.Shape[0] != labels.Shape[0])
            throw new InvalidCallException(
                $"{imagesPath} holds {images.Shape[0]} images but {labelsPath} {labels.Shape[0]} labels; name files that belong together.");
        if (images.Shape.Count == 0) throw new InvalidCallException($"{imagesPath} holds no images: {images.Shape}.");
        byte[] numbers = labels.As<byte>();
        int wrong = classes is { } known ? Array.FindIndex(numbers, n => n >= known) : -1;
        if (wrong >= 0)
            throw new InvalidCallException(
                $"{labelsPath}: label {numbers[wrong]} of image {wrong} is not below {classes}, the model's number of classes; " +
                "use the labels it was trained with.");
        int number = classes ?? Math.Max(UsualClasses, numbers.Max() + 1);
        return new ImageData(Path.GetFileName(imagesPath), images.As<byte>(), numbers, images.Shape[1], images.Shape[2], number, view);
    }
}
