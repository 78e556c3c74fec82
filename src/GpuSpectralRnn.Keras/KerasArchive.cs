using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Keras;

/// <summary>A .keras file: a zip of config.json and model.weights.h5.</summary>
internal static class KerasArchive
{
    /// <summary>The configuration and the weights.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="stream">Its content, seekable.</param>
    /// <exception cref="InvalidCallException">It is an HDF5 file.</exception>
    /// <exception cref="BrokenFileException">It is no zip, lacks one of them, or unpacks to an implausible size.</exception>
    public static (byte[] Config, Stream Weights) Unpack(string path, Stream stream)
    {
        bool isHdf5 = stream.ReadByte() == 0x89 && stream.ReadByte() == 'H' && stream.ReadByte() == 'D' && stream.ReadByte() == 'F';
        if (isHdf5) throw WeightGroups.RefuseWholeModel(path);
        stream.Position = 0;
        using ZipMembers members = new(path, stream);
        return (members.Read("config.json"), new MemoryStream(members.Read("model.weights.h5"), writable: false));
    }
}
