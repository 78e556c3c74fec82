using System.Globalization;
using Google.Protobuf;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>
/// Constants that a graph keeps in files of their own: read from the folder of the graph, never from outside, links followed, and only as many bytes as
/// their extents say and the file has.
/// </summary>
internal sealed class ExternalData : IDisposable
{
    private const int External = 1; // data_location

    /// <summary>How often all bytes of a file may be read: tied constants may share them.</summary>
    private const int MostUses = 4;

    private readonly string path;
    private readonly string folder;
    private readonly Dictionary<string, FileStream> files = [];
    private readonly Dictionary<string, long> used = []; // bytes read of each file
    private long total;

    private ExternalData(string path)
    {
        this.path = path;
        folder = Path.GetDirectoryName(FilePath.Resolve(path)) ?? "";
    }

    /// <summary>Makes every constant of a graph and its bodies one that holds its own values.</summary>
    /// <param name="graph">Changed.</param>
    /// <param name="path">Where the graph was read.</param>
    /// <exception cref="InvalidCallException">A file does not exist or may not be read.</exception>
    /// <exception cref="BrokenFileException">A file lies outside the folder, or has not the bytes that a constant takes.</exception>
    public static void Include(GraphProto graph, string path)
    {
        using ExternalData data = new(path);
        foreach (TensorProto tensor in GraphWalk.Tensors(graph).Where(tensor => tensor.DataLocation == External)) data.Include(tensor);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FileStream file in files.Values) file.Dispose();
    }

    // Bytes of an element by ONNX's numbers of types; 0: none of a fixed size.
    private static int ElementSize(int type) => type switch
    {
        1 or 6 or 12 => 4,
        2 or 3 or 9 => 1,
        4 or 5 or 10 or 16 => 2,
        7 or 11 or 13 or 14 => 8,
        _ => 0,
    };

    private void Include(TensorProto tensor)
    {
        Dictionary<string, string> told = [];
        foreach (PropertyProto property in tensor.ExternalData) told[property.Key] = property.Value;
        string location = told.GetValueOrDefault("location", "");
        long size = Size(tensor), offset = Number(tensor, told, "offset", 0), length = Number(tensor, told, "length", size);
        FileStream file = Open(tensor, location);
        if (length != size || offset > file.Length - size)
        {
            throw Refuse(
                tensor, $"takes {size:N0} bytes, which {ForeignText.Show(location)} ({file.Length:N0} bytes) has not from {offset:N0} on, or not {length:N0} for it");
        }

        total += size;
        used[file.Name] = used.GetValueOrDefault(file.Name) + size;
        if (total > Array.MaxLength) throw Refuse(tensor, $"brings the constants to more than {Array.MaxLength:N0} bytes, which no single graph holds");
        if (used[file.Name] > MostUses * file.Length) throw Refuse(tensor, $"shares bytes of {ForeignText.Show(location)} with too many others");
        file.Position = offset;
        tensor.RawData = UnsafeByteOperations.UnsafeWrap(InputFile.ReadValues<byte>(file, size, file.Name, "a constant"));
        tensor.ExternalData.Clear();
        tensor.ClearDataLocation();
    }

    private FileStream Open(TensorProto tensor, string location)
    {
        string file = location.Length == 0 || Path.IsPathRooted(location) ? "" : FilePath.Resolve(Path.Combine(folder, location));
        if (!file.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) || FilePath.IsSpecial(file))
            throw Refuse(tensor, $"lies in '{ForeignText.Show(location)}', which is no file of the graph's own folder");
        if (files.TryGetValue(file, out FileStream? open)) return open;
        return files[file] = InputFile.Open(file, $"weights of {path}, file");
    }

    private long Size(TensorProto tensor)
    {
        long size = ElementSize(tensor.DataType);
        if (size == 0) throw Refuse(tensor, $"has elements of type {tensor.DataType}, which are not read from other files");
        foreach (long extent in tensor.Dims)
        {
            if (extent < 0 || (extent > 0 && size > Array.MaxLength / extent)) throw Refuse(tensor, $"has an extent {extent}");
            size *= extent;
        }

        return size;
    }

    private long Number(TensorProto tensor, Dictionary<string, string> told, string key, long otherwise)
    {
        if (!told.TryGetValue(key, out string? text)) return otherwise;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw Refuse(tensor, $"has the {key} '{ForeignText.Show(text)}'");
    }

    private BrokenFileException Refuse(TensorProto tensor, string problem) => new(path, $"the constant {ForeignText.Show(tensor.Name)} {problem}.");
}
