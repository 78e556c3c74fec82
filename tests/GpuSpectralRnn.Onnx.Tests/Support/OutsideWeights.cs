using System.Globalization;
using Google.Protobuf;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Tests.Support;

/// <summary>Graphs whose constants lie in a file beside them.</summary>
internal static class OutsideWeights
{
    /// <summary>Moves every constant into a file, one after the other; gives the graph that is left.</summary>
    /// <param name="graph">With raw constants.</param>
    /// <param name="file">Where the constants go.</param>
    /// <param name="edit">Changes what is said of each: location, offset, length.</param>
    public static byte[] Move(byte[] graph, string file, Action<Dictionary<string, string>>? edit = null)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(graph);
        using FileStream stream = File.Create(file);
        foreach (TensorProto tensor in GraphWalk.Tensors(model.Graph))
        {
            Dictionary<string, string> told = new()
            {
                ["location"] = Path.GetFileName(file),
                ["offset"] = stream.Position.ToString(CultureInfo.InvariantCulture),
                ["length"] = tensor.RawData.Length.ToString(CultureInfo.InvariantCulture),
            };
            edit?.Invoke(told);
            stream.Write(tensor.RawData.Span);
            tensor.ClearRawData();
            tensor.DataLocation = 1;
            foreach ((string key, string value) in told) tensor.ExternalData.Add(new PropertyProto { Key = key, Value = value });
        }

        return model.ToByteArray();
    }
}
