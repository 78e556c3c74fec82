using Google.Protobuf;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>
/// Reads and writes ONNX files. What is read is one graph that ONNX Runtime runs and in which every node can be seen: calls of the file's own functions
/// are replaced by their nodes (<see cref="LocalFunctions"/>), nodes with <c>layout=1</c> by such with the time axis in front (<see cref="TimeAxis"/>).
/// All else stays, fields that the schema here does not have too.
/// </summary>
internal static class OnnxFile
{
    /// <summary>Reads a graph, with the weights that it keeps in files beside it.</summary>
    /// <exception cref="InvalidCallException">The file does not exist, or a file that it keeps weights in, or a function of it cannot be taken in.</exception>
    /// <exception cref="BrokenFileException">It is no ONNX file, names weights that are not there, or its functions do not end.</exception>
    public static ModelProto Load(string path)
    {
        using FileStream stream = InputFile.Open(path, "ONNX file");
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(stream);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new BrokenFileException(path, $"not an ONNX file: {e.Message}", e);
        }

        if (model.Graph is null || model.OpsetImport.Count == 0)
            throw new BrokenFileException(path, "not an ONNX file: it holds no graph or no operator set.");
        LocalFunctions.Inline(model, path);
        ExternalData.Include(model.Graph, path);
        TimeAxis.MoveToFront(model);
        return model;
    }

    /// <summary>Writes a graph atomically; returns the number of bytes.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Save(string path, ModelProto model) => AtomicFile.Write(path, model.WriteTo);
}
