namespace GpuSpectralRnn.Onnx.Compression;

/// <summary>A recurrent node before and after.</summary>
/// <param name="Name">Its name, or its type and number where it has none.</param>
/// <param name="Type">RNN, LSTM or GRU.</param>
/// <param name="Before">Units.</param>
/// <param name="After">Units; as before where the calibration never ran the node.</param>
/// <param name="Inputs">Inputs of a step, I.</param>
/// <param name="Steps">States that the calibration saw in each direction; 0: the node did not run.</param>
/// <param name="MultiplyAddsBefore">Multiply-adds of a step: the numbers of W and R.</param>
/// <param name="MultiplyAddsAfter">Those of the smaller node, whose inputs may be fewer too.</param>
public sealed record CompressedNode(
    string Name, string Type, int Before, int After, int Inputs, long Steps, long MultiplyAddsBefore, long MultiplyAddsAfter);
