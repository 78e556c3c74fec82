using System.Runtime.InteropServices;
using Google.Protobuf;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Makes constants.</summary>
internal static class Tensors
{
    /// <summary>ONNX's numbers of element types.</summary>
    public const int Float = 1, Int32 = 6, Int64 = 7;

    /// <summary>32-bit floats.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<int> extents, ReadOnlySpan<float> values) =>
        Create(name, extents, Float, MemoryMarshal.AsBytes(values));

    /// <summary>64-bit integers.</summary>
    public static TensorProto Create(string name, ReadOnlySpan<int> extents, ReadOnlySpan<long> values) =>
        Create(name, extents, Int64, MemoryMarshal.AsBytes(values));

    private static TensorProto Create(string name, ReadOnlySpan<int> extents, int type, ReadOnlySpan<byte> bytes)
    {
        TensorProto tensor = new() { Name = name, DataType = type, RawData = ByteString.CopyFrom(bytes) };
        foreach (int extent in extents) tensor.Dims.Add(extent);
        return tensor;
    }
}
