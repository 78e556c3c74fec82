using System.Text;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Data;

/// <summary>
/// CIFAR-10 as its publisher ships it: the binary batches in a folder, each plain or gzip-compressed, or the .tar.gz that holds them.
/// </summary>
public static class CifarData
{
    private const string TrainStem = "data_batch_", TestStem = "test_batch", NamesFile = "batches.meta.txt";

    /// <summary>The classes in their publisher's order, where the folder has no <c>batches.meta.txt</c>.</summary>
    private static readonly string[] UsualNames = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>Loads a part.</summary>
    /// <param name="path">The folder of the batches, one above it, or the archive.</param>
    /// <param name="part">Train: all of <c>data_batch_1.bin</c> to <c>5</c> that are there, in their order. Test: <c>test_batch.bin</c>.</param>
    /// <param name="view">How an image becomes a sequence: rows of 96 values (32 pixels of red, green, blue), or pixels of 3.</param>
    /// <returns>The images; null where there is no such batch.</returns>
    /// <exception cref="InvalidCallException">The path does not exist.</exception>
    /// <exception cref="BrokenFileException">A batch is damaged.</exception>
    public static ImageData? Load(string path, DataPart part, ImageView view)
    {
        if (part == DataPart.Valid) return null; // no archive is unpacked to find none
        List<(byte[] Labels, byte[] Pixels)> batches = [];
        ReadFiles(path, name => IsBatch(name, part), (name, content) => batches.Add(CifarFile.Parse(content, name)));
        if (batches.Count == 0) return null;
        byte[] labels = [.. batches.SelectMany(batch => batch.Labels)];
        byte[] pixels = new byte[batches.Sum(batch => batch.Pixels.LongLength)];
        long at = 0;
        foreach ((_, byte[] more) in batches)
        {
            more.CopyTo(pixels, at);
            at += more.LongLength;
        }

        return new ImageData(
            $"CIFAR-10 ({part.ToString().ToLowerInvariant()})", pixels, labels, CifarFile.Side, CifarFile.Side, CifarFile.Classes, view,
            CifarFile.Colours);
    }

    /// <summary>The names of the classes: those of <c>batches.meta.txt</c>, else the usual ones.</summary>
    /// <exception cref="BrokenFileException">The file has not ten names.</exception>
    public static IReadOnlyList<string> ReadNames(string path)
    {
        IReadOnlyList<string> names = UsualNames;
        ReadFiles(path, name => Path.GetFileName(name) == NamesFile, (name, content) =>
        {
            string[] lines = Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            names = lines.Length == CifarFile.Classes
                ? lines
                : throw new BrokenFileException(name, $"{lines.Length} names of classes where there are {CifarFile.Classes}.");
        });
        return names;
    }

    private static bool IsBatch(string path, DataPart part)
    {
        string name = Path.GetFileName(path);
        if (name.EndsWith(".gz", StringComparison.Ordinal)) name = name[..^3];
        return name.EndsWith(".bin", StringComparison.Ordinal) && part switch
        {
            DataPart.Train => name.StartsWith(TrainStem, StringComparison.Ordinal),
            DataPart.Test => name.StartsWith(TestStem, StringComparison.Ordinal),
            _ => false,
        };
    }

    // The folder itself or the one that the archive makes in it, in the order of the names.
    private static void ReadFiles(string path, Func<string, bool> wants, Action<string, byte[]> take)
    {
        if (!Directory.Exists(path))
        {
            SortedDictionary<string, byte[]> members = new(StringComparer.Ordinal);
            TarMembers.Read(path, wants, members.Add);
            foreach ((string name, byte[] content) in members) take($"{path}: {ForeignText.Show(name)}", content);
            return;
        }

        string inside = Path.Combine(path, "cifar-10-batches-bin");
        IEnumerable<string> files = Directory.EnumerateFiles(Directory.Exists(inside) ? inside : path);
        foreach (string file in files.Where(wants).Order(StringComparer.Ordinal)) take(file, InputFile.ReadUnpacked(file, "batch of images"));
    }
}
