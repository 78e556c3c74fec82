using GpuSpectralRnn.Formats;
using PureHDF;
using PureHDF.VOL.Native;

namespace GpuSpectralRnn.Keras;

/// <summary>The variables of a Keras weights file (HDF5), read with their sizes checked against the file's before anything is allocated.</summary>
internal sealed class WeightsFile : IDisposable
{
    private const int MostGroups = 1000;

    private readonly string path;
    private readonly long bytes;
    private readonly NativeFile file;

    /// <summary>Opens the file; <paramref name="stream"/> is closed with it.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="stream">Its content, seekable.</param>
    /// <exception cref="BrokenFileException">It is no HDF5.</exception>
    public WeightsFile(string path, Stream stream)
    {
        (this.path, bytes) = (path, stream.Length);
        if (!GroupWalk.IsSound(stream)) throw new BrokenFileException(path, "it is no HDF5 file, or a damaged one: its groups do not lie within it.");
        file = Guard(() => H5File.Open(stream));
    }

    /// <summary>Whether there is a group or variable at this path, <c>layers/lstm/cell/vars/0</c>.</summary>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public bool Has(string place) => Guard(() =>
    {
        string[] parts = place.Split('/');
        return Enumerable.Range(1, parts.Length).All(count => file.LinkExists(string.Join('/', parts[..count])));
    });

    /// <summary>The names in a group.</summary>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public string[] Names(string group)
    {
        string[] names = Guard(() => file.Group(group).Children().Take(MostGroups + 1).Select(child => child.Name).ToArray());
        return names.Length <= MostGroups ? names : throw new BrokenFileException(path, $"{group} holds more than {MostGroups} groups.");
    }

    /// <summary>Number of dimensions of a variable.</summary>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public int Rank(string place) => Guard(() => file.Dataset(place).Space.Dimensions.Length);

    /// <summary>The extents of a variable.</summary>
    /// <exception cref="BrokenFileException">It is absent, holds more numbers than the file has room for, or has not <paramref name="rank"/>
    /// dimensions.</exception>
    public int[] Extents(string place, int rank)
    {
        if (!Has(place)) throw new BrokenFileException(path, $"{ForeignText.Show(place)} is missing.");
        ulong[] extents = Guard(() => file.Dataset(place).Space.Dimensions);
        ulong room = (ulong)bytes / sizeof(float), count = 1;
        foreach (ulong extent in extents)
        {
            if (extent == 0 || extent > room / count)
                throw new BrokenFileException(path, $"{ForeignText.Show(place)} is [{string.Join(", ", extents)}], more than {bytes:N0} bytes hold.");
            count *= extent;
        }

        return extents.Length == rank && extents.All(extent => extent <= int.MaxValue)
            ? [.. extents.Select(extent => (int)extent)]
            : throw new BrokenFileException(path, $"{ForeignText.Show(place)} has {extents.Length} dimensions; {rank} are needed.");
    }

    /// <summary>The numbers of a variable, row-major.</summary>
    /// <param name="place">Its place.</param>
    /// <param name="expected">Its extents.</param>
    /// <exception cref="BrokenFileException">It is absent, of other extents, or no 32-bit or 64-bit floating-point numbers.</exception>
    public float[] Read(string place, params int[] expected)
    {
        int[] extents = Extents(place, expected.Length);
        if (!extents.SequenceEqual(expected))
            throw new BrokenFileException(
                path, $"{ForeignText.Show(place)} is [{string.Join(", ", extents)}]; [{string.Join(", ", expected)}] is needed.");
        (H5DataTypeClass kind, int size) = Guard(() => (file.Dataset(place).Type.Class, file.Dataset(place).Type.Size));
        if (kind != H5DataTypeClass.FloatingPoint || size is not (sizeof(float) or sizeof(double)))
            throw new BrokenFileException(path, $"{ForeignText.Show(place)} holds no 32-bit or 64-bit floating-point numbers; save the model so.");
        float[] values = Guard(() => size == sizeof(float)
            ? file.Dataset(place).Read<float[]>()
            : Array.ConvertAll(file.Dataset(place).Read<double[]>(), value => (float)value));
        return values.Length == expected.Aggregate(1, (product, extent) => product * extent)
            ? values
            : throw new BrokenFileException(path, $"{ForeignText.Show(place)} holds {values.Length} numbers only.");
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    // On a damaged file the HDF5 reader may fail at any place and with any exception.
    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e)
        {
            throw new BrokenFileException(path, $"it is no HDF5 file, or a damaged one ({ForeignText.Show(e.Message)}).", e);
        }
    }
}
