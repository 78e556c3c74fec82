using System.Buffers.Binary;

namespace GpuSpectralRnn.Formats;

/// <summary>One channel of sound.</summary>
/// <param name="Rate">Samples per second.</param>
/// <param name="Samples">The samples, full scale at -1 and 1; of several channels their mean.</param>
public sealed record Sound(int Rate, float[] Samples)
{
    /// <summary>Length in seconds.</summary>
    public double Seconds => (double)Samples.Length / Rate;
}

/// <summary>
/// WAV files (RIFF WAVE): PCM of 8 (unsigned), 16, 24 and 32 bits, floating point of 32 and 64 bits, plain and WAVE_FORMAT_EXTENSIBLE, of any number
/// of channels. (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", 1991; "Multiple Channel Audio Data and WAVE Files",
/// 2001.)
/// </summary>
public static class WavFile
{
    private const int Pcm = 1, FloatingPoint = 3, Extensible = 0xFFFE;

    /// <summary>Studio converters end at 768 kHz; what claims more is damaged.</summary>
    private const int HighestRate = 768_000;

    /// <summary>What a writer puts for a length that it did not know, writing into a pipe.</summary>
    private const uint UnknownLength = uint.MaxValue;

    /// <summary>The parts of a format's GUID that follow its number: KSDATAFORMAT_SUBTYPE_PCM and its kin.</summary>
    private static ReadOnlySpan<byte> FormatFamily => [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidCallException">It does not exist or may not be read.</exception>
    /// <exception cref="BrokenFileException">It is truncated, empty, compressed, or no WAV file.</exception>
    public static Sound Read(string path)
    {
        using FileStream stream = InputFile.Open(path, "WAV file");
        return Parse(InputFile.ReadClaimed(stream, stream.Length, path, "the file"), path);
    }

    /// <summary>Reads a file that is in memory.</summary>
    /// <param name="file">Its content.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <exception cref="BrokenFileException">As <see cref="Read"/>.</exception>
    public static Sound Parse(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length == 0) throw new BrokenFileException(name, "the file is empty.");
        if (file.Length < 12) throw new BrokenFileException(name, $"the file is truncated: {file.Length} bytes are no WAV file.");
        if (file.StartsWith("RIFX"u8) || file.StartsWith("RF64"u8))
            throw new BrokenFileException(name, "it is a RIFX or RF64 file; RIFF WAVE files are read, convert it.");
        if (!file.StartsWith("RIFF"u8) || !file[8..].StartsWith("WAVE"u8))
            throw new BrokenFileException(name, "it does not begin with RIFF and WAVE; not a WAV file.");
        Encoding? encoding = null;
        for (int at = 12; at + 8 <= file.Length;)
        {
            ReadOnlySpan<byte> id = file.Slice(at, 4);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
            int start = at + 8, left = file.Length - start;
            if (id.SequenceEqual("data"u8))
            {
                if (encoding is null) throw new BrokenFileException(name, "the samples come before the chunk 'fmt ' that says how they are coded.");
                if (length == UnknownLength) length = (uint)(left - (left % encoding.Value.Block));
                if (length > left)
                    throw new BrokenFileException(name, $"the file is truncated: {length:N0} bytes of samples are promised, {left:N0} are there.");
                return encoding.Value.Decode(file.Slice(start, (int)length), name);
            }

            if (length > left)
                throw new BrokenFileException(name, $"the file is truncated: a chunk of {length:N0} bytes begins where {left:N0} are left.");
            if (id.SequenceEqual("fmt "u8)) encoding = Encoding.Parse(file.Slice(start, (int)length), name);
            at = start + (int)length + (int)(length & 1); // chunks begin at even places
            if (at < 0) break;
        }

        throw new BrokenFileException(name, "the file is truncated: there is no chunk 'data' with samples in it.");
    }

    /// <summary>How the samples are coded.</summary>
    private readonly record struct Encoding(bool IsFloat, int Channels, int Rate, int Bytes)
    {
        /// <summary>Bytes of one sample of all channels.</summary>
        public int Block => Channels * Bytes;

        public static Encoding Parse(ReadOnlySpan<byte> chunk, string name)
        {
            if (chunk.Length < 16) throw new BrokenFileException(name, $"the chunk 'fmt ' has {chunk.Length} bytes instead of 16 or more.");
            int format = BinaryPrimitives.ReadUInt16LittleEndian(chunk), channels = BinaryPrimitives.ReadUInt16LittleEndian(chunk[2..]);
            uint rate = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            int block = BinaryPrimitives.ReadUInt16LittleEndian(chunk[12..]), bits = BinaryPrimitives.ReadUInt16LittleEndian(chunk[14..]);
            if (format == Extensible)
            {
                if (chunk.Length < 40 || !chunk.Slice(26, 14).SequenceEqual(FormatFamily))
                    throw new BrokenFileException(name, "its extensible format is not one of PCM or floating point; convert it to PCM.");
                format = BinaryPrimitives.ReadUInt16LittleEndian(chunk[24..]);
            }

            if (format is not (Pcm or FloatingPoint))
                throw new BrokenFileException(
                    name, $"it is compressed ({FormatName(format)}); PCM and floating point are read, convert it to 16-bit PCM.");
            if (!(format == Pcm ? bits is 8 or 16 or 24 or 32 : bits is 32 or 64))
                throw new BrokenFileException(name, $"{bits} bits a sample; 8, 16, 24 and 32 of PCM and 32 and 64 of floating point are read.");
            if (channels == 0) throw new BrokenFileException(name, "it has no channels.");
            if (rate is 0 or > HighestRate)
                throw new BrokenFileException(name, $"its rate is {rate:N0} samples a second; 1 to {HighestRate:N0} are read.");
            if (block != channels * (bits / 8))
                throw new BrokenFileException(name, $"{channels} channels of {bits} bits take {channels * (bits / 8)} bytes, but it says {block}.");
            return new Encoding(format == FloatingPoint, channels, (int)rate, bits / 8);
        }

        public Sound Decode(ReadOnlySpan<byte> data, string name)
        {
            int count = data.Length / Block;
            if (count == 0) throw new BrokenFileException(name, "it holds no samples.");
            if (data.Length % Block != 0)
                throw new BrokenFileException(
                    name, $"the file is truncated: {data.Length:N0} bytes are no whole number of samples of {Block} bytes.");
            float[] samples = new float[count];
            for (int i = 0, at = 0; i < count; i++)
            {
                double sum = 0;
                for (int channel = 0; channel < Channels; channel++, at += Bytes) sum += Sample(data.Slice(at, Bytes));
                samples[i] = (float)(sum / Channels);
                if (!float.IsFinite(samples[i])) throw new BrokenFileException(name, $"sample {i} is {samples[i]}, no finite number.");
            }

            return new Sound(Rate, samples);
        }

        private double Sample(ReadOnlySpan<byte> bytes) => (IsFloat, Bytes) switch
        {
            (true, 4) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            (true, _) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            (_, 1) => (bytes[0] - 128) / 128.0,
            (_, 2) => BinaryPrimitives.ReadInt16LittleEndian(bytes) / 32_768.0,
            (_, 3) => (bytes[0] | (bytes[1] << 8) | ((sbyte)bytes[2] << 16)) / 8_388_608.0,
            _ => BinaryPrimitives.ReadInt32LittleEndian(bytes) / 2_147_483_648.0,
        };

        private static string FormatName(int format) => format switch
        {
            2 => "Microsoft ADPCM",
            6 => "A-law",
            7 => "mu-law",
            0x11 => "IMA ADPCM",
            0x31 => "GSM 6.10",
            0x50 or 0x55 => "MPEG",
            _ => $"format 0x{format:X4}",
        };
    }
}
