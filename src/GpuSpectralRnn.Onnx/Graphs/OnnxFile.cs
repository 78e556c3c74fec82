using Google.Protobuf;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Reads and writes ONNX files. Fields that compression does not know are preserved.</summary>
internal static class OnnxFile
{
    /// <summary>Reads a graph, with the weights that it keeps in files beside it.</summary>
    /// <exception cref="InvalidCallException">The file does not exist, or a file that it keeps weights in.</exception>
    /// <exception cref="BrokenFileException">It is no ONNX file, or names weights that are not there.</exception>
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
        ExternalData.Include(model.Graph, path);
        return model;
    }

    /// <summary>Writes a graph atomically; returns the number of bytes.</summary>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static void Save(string path, ModelProto model) => AtomicFile.Write(path, model.WriteTo);
}
