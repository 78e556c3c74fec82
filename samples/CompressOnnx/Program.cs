// Cuts the RNN, LSTM and GRU nodes of an ONNX graph to three quarters of their units and says how far its outputs moved on inputs held out.
using GpuSpectralRnn;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Proof;

if (args is not [var graph, var inputs, var smaller])
{
    Console.Error.WriteLine("Call: CompressOnnx GRAPH.onnx INPUTS.npy SMALLER.onnx");
    return 2;
}

try
{
    using GraphCompression compression = new(graph, CalibrationData.Read(inputs), CallOptions.None);
    SmallGraph small = compression.Compress(compression.OfShare(0.75));
    GraphProof proof = compression.Prove(small);
    GraphCompression.Save(smaller, small);
    foreach (CompressedNode node in proof.Nodes) Console.WriteLine($"{node.Type} {node.Name}: {node.Before} units, now {node.After}");
    foreach (OutputDifference output in proof.Outputs) Console.WriteLine($"{output.Name} differs by {output.MeanDifference:g2} in the mean");
    return 0;
}
catch (Exception e) when (e is InvalidCallException or RunFailedException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
