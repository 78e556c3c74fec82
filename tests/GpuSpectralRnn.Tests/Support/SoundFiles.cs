using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Compression;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>Writes recordings and archives of them, for readers to read.</summary>
internal static class SoundFiles
{
    private static readonly string[] Spoken = ["down", "left", "stop", "yes"];

    /// <summary>A WAV file of samples, the channels of each in turn.</summary>
    public static byte[] Wav(
        ReadOnlySpan<float> samples, int rate = 8000, int bits = 16, bool isFloat = false, int channels = 1, bool isExtensible = false)
    {
        using MemoryStream data = new();
        using BinaryWriter writer = new(data);
        foreach (float sample in samples)
        {
            switch (isFloat, bits)
            {
                case (true, 32): writer.Write(sample); break;
                case (true, _): writer.Write((double)sample); break;
                case (_, 8): writer.Write((byte)Math.Clamp(Math.Round(sample * 128) + 128, 0, 255)); break;
                case (_, 16): writer.Write((short)Math.Clamp(Math.Round(sample * 32768.0), -32768, 32767)); break;
                case (_, 24):
                    int value = (int)Math.Clamp(Math.Round(sample * 8388608.0), -8388608, 8388607);
                    writer.Write([(byte)value, (byte)(value >> 8), (byte)(value >> 16)]);
                    break;
                default: writer.Write((int)Math.Clamp(Math.Round(sample * 2147483648.0), int.MinValue, int.MaxValue)); break;
            }
        }

        return Riff(Format(isFloat ? 3 : 1, rate, bits, channels, isExtensible), data.ToArray());
    }

    /// <summary>A RIFF WAVE file of its two chunks, with one between them that readers pass over.</summary>
    public static byte[] Riff(byte[] format, byte[] data)
    {
        byte[] body =
        [
            .. "WAVE"u8, .. "fmt "u8, .. Little(format.Length), .. format, .. "LIST"u8, .. Little(3), 1, 2, 3, 0, .. "data"u8,
                .. Little(data.Length), .. data,
        ];
        return [.. "RIFF"u8, .. Little(body.Length), .. body];
    }

    /// <summary>The chunk 'fmt '.</summary>
    public static byte[] Format(int format, int rate, int bits, int channels, bool isExtensible = false)
    {
        byte[] plain =
        [
            .. Short(isExtensible ? 0xFFFE : format), .. Short(channels), .. Little(rate), .. Little(rate * channels * bits / 8),
                .. Short(channels * bits / 8),
            .. Short(bits),
        ];
        byte[] family = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
        return isExtensible ? [.. plain, .. Short(22), .. Short(bits), .. Little(0), .. Short(format), .. family] : plain;
    }

    /// <summary>
    /// A word of a speaker: the harmonics of a voice under two formants that glide from the word's first vowel to its second, and some breath.
    /// Deterministic.
    /// </summary>
    public static float[] Word(int word, int speaker, int take, int rate = 8000)
    {
        Random random = new((((word * 31) + speaker) * 1009) + take);
        double pitch = (110 + (35 * speaker)) * (0.95 + (0.1 * random.NextDouble())), seconds = 0.16 + (0.06 * random.NextDouble());
        (double First, double Second)[] vowels = [(300, 2300), (700, 1200), (450, 800), (600, 1900)];
        (double First, double Second) from = vowels[word % 4], to = vowels[(word + 1 + (word / 4)) % 4];
        float[] samples = new float[(int)(seconds * rate)];
        for (int i = 0; i < samples.Length; i++)
        {
            double share = (double)i / samples.Length, time = (double)i / rate, sum = 0;
            double first = from.First + ((to.First - from.First) * share), second = from.Second + ((to.Second - from.Second) * share);
            for (int k = 1; k * pitch < rate / 2.0; k++)
                sum += (Bell((k * pitch) - first) + (0.6 * Bell((k * pitch) - second)) + 0.01) * Math.Sin(2 * Math.PI * k * pitch * time);
            samples[i] = (float)((0.2 * sum * Math.Sin(Math.PI * share)) + (0.002 * (random.NextDouble() - 0.5)));
        }

        return samples;

        static double Bell(double away) => Math.Exp(-away * away / (2 * 150 * 150));
    }

    /// <summary>Words of some speakers with some takes each, as FSDD names them.</summary>
    public static (string Name, byte[] Content)[] Words(int words = 3, int speakers = 2, int takes = 8, int rate = 8000) =>
    [
        .. from word in Enumerable.Range(0, words)
           from speaker in Enumerable.Range(0, speakers)
           from take in Enumerable.Range(0, takes)
           select ($"recordings/{word}_{(char)('a' + speaker)}_{take}.wav", Wav(Word(word, speaker, take, rate), rate)),
    ];

    /// <summary>The same in folders by class, with names as Speech Commands has them.</summary>
    public static (string Name, byte[] Content)[] Folders(int words = 3, int speakers = 30, int takes = 1) =>
    [
        .. from word in Enumerable.Range(0, words)
           from speaker in Enumerable.Range(0, speakers)
           from take in Enumerable.Range(0, takes)
           select ($"{Spoken[word]}/{speaker:x8}_nohash_{take}.wav", Wav(Word(word, speaker % 3, speaker + take))),
    ];

    /// <summary>Puts files in a folder.</summary>
    public static string Put(string folder, IEnumerable<(string Name, byte[] Content)> files)
    {
        foreach ((string name, byte[] content) in files)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }

        return folder;
    }

    /// <summary>A tar archive of files, gzip-compressed or not.</summary>
    public static byte[] Tar(IEnumerable<(string Name, byte[] Content)> files, bool isPacked = true, TarEntryFormat format = TarEntryFormat.Pax) =>
        Tar(isPacked, format, writer =>
        {
            foreach ((string name, byte[] content) in files)
            {
                TarEntry entry = Entry(format, TarEntryType.RegularFile, name);
                entry.DataStream = new MemoryStream(content);
                writer.WriteEntry(entry);
            }
        });

    /// <summary>An archive of what is written.</summary>
    public static byte[] Tar(bool isPacked, TarEntryFormat format, Action<TarWriter> write)
    {
        using MemoryStream archive = new();
        using (Stream packed = isPacked ? new GZipStream(archive, CompressionLevel.Fastest, leaveOpen: true) : new BufferedStream(archive))
        using (TarWriter writer = new(packed, format, leaveOpen: true)) write(writer);
        return archive.ToArray();
    }

    /// <summary>An entry of a kind.</summary>
    public static TarEntry Entry(TarEntryFormat format, TarEntryType type, string name) => format switch
    {
        TarEntryFormat.Gnu => new GnuTarEntry(type, name),
        TarEntryFormat.Ustar => new UstarTarEntry(type, name),
        _ => new PaxTarEntry(type, name),
    };

    private static byte[] Little(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Short(int value) => [(byte)value, (byte)(value >> 8)];
}
