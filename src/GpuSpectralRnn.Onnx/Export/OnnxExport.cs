using Google.Protobuf;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Export;

/// <summary>Exports networks as ONNX files, which are written only if their outputs in ONNX Runtime equal the network's.</summary>
public static class OnnxExport
{
    /// <summary>Largest number of parameters: protocol buffers end at 2 GB, of which some is left for names.</summary>
    private const long MostParameters = 500_000_000;

    /// <summary>Writes a network; gives the largest difference found in the check: of an output or state, over the largest absolute
    /// value of that output where it is above 1.</summary>
    /// <exception cref="InvalidCallException">The network cannot be represented so; the message says why.</exception>
    /// <exception cref="RunFailedException">ONNX Runtime answers otherwise, or the file cannot be written; then nothing is written.</exception>
    public static double Save(string path, Network network, GraphOptions options)
    {
        options.Check(network.Architecture);
        network.Parameters.RefuseGates();
        if (network.Architecture.ParameterCount > MostParameters)
            throw new InvalidCallException($"{network.Architecture.ParameterCount:N0} parameters are more than one ONNX file of 2 GB holds.");
        byte[] model = StackGraph.Build(network, options).ToByteArray();
        double difference = RuntimeCheck.Measure(model, network, options);
        if (!(difference <= Answers.Tolerance))
            throw new RunFailedException(
                $"{path} is not written: in ONNX Runtime the graph's answers differ by {difference:g3} from the network's, "
                + $"more than {Answers.Tolerance:g3}.");
        AtomicFile.Write(path, stream => stream.Write(model));
        return difference;
    }
}
