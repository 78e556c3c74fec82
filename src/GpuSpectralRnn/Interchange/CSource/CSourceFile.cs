using System.Text;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// Networks of one direction as one C99 file for microcontrollers: weights as constants, <c>NAME_reset</c> and <c>NAME_step</c> over a state that the
/// caller owns, <c>expf</c> and <c>tanhf</c> as the only dependencies, no allocation. NAME is the file's stem as a C identifier.
/// </summary>
public static class CSourceFile
{
    /// <summary>Writes the file.</summary>
    /// <param name="path">A file name; its stem is the prefix of the functions' names.</param>
    /// <param name="network">A network of one direction.</param>
    /// <param name="call">The command that writes it, for the comment at the head.</param>
    /// <exception cref="InvalidCallException">The network is bidirectional.</exception>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite, or the file cannot be written.</exception>
    public static CSizes Save(string path, Network network, string call)
    {
        CheckFits(network.Architecture);
        _ = network.Parameters.ReadFinite();
        network.Parameters.RefuseGates();
        StepSource source = new(network, CText.Identifier(Path.GetFileNameWithoutExtension(path)));
        AtomicFile.Write(path, stream =>
        {
            using StreamWriter writer = new(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
            source.Write(writer, call);
        });
        return source.Sizes;
    }

    /// <summary>Checks that a network can run step by step.</summary>
    /// <exception cref="InvalidCallException">It is bidirectional.</exception>
    public static void CheckFits(Architecture architecture)
    {
        if (architecture.IsBidirectional)
            throw new InvalidCallException(
                "A bidirectional network cannot become C source that goes step by step: its reverse direction begins at the end of the sequence.");
    }
}
