using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Formats;

public class WavFileTests
{
    private static readonly float[] Samples = [0, 0.5f, -0.5f, 0.25f, -1, 0.125f];

    [Theory]
    [InlineData(8, false)]
    [InlineData(16, false)]
    [InlineData(24, false)]
    [InlineData(32, false)]
    [InlineData(32, true)]
    [InlineData(64, true)]
    public void Every_coding_gives_the_samples_back(int bits, bool isFloat)
    {
        foreach (bool isExtensible in (bool[])[false, true])
        {
            Sound sound = WavFile.Parse(SoundFiles.Wav(Samples, 11_025, bits, isFloat, isExtensible: isExtensible), "a.wav");

            Assert.Equal(11_025, sound.Rate);
            Assert.Equal(Samples, sound.Samples); // dyadic fractions: exact in all codings
        }
    }

    [Fact]
    public void Channels_are_averaged()
    {
        Assert.Equal([0.25f, -0.125f, -0.4375f], WavFile.Parse(SoundFiles.Wav(Samples, channels: 2), "a.wav").Samples);
        Assert.Equal(Samples.Average(), Assert.Single(WavFile.Parse(SoundFiles.Wav(Samples, channels: 6), "a.wav").Samples), 1e-6);
    }

    [Fact]
    public void A_length_that_a_pipe_could_not_know_means_all_that_is_there()
    {
        byte[] file = SoundFiles.Wav(Samples);
        int at = file.AsSpan().IndexOf("data"u8) + 4;
        file.AsSpan(at, 4).Fill(0xFF);

        Assert.Equal(Samples, WavFile.Parse(file, "a.wav").Samples);
    }

    [Fact]
    public void What_is_no_sound_is_refused()
    {
        byte[] file = SoundFiles.Wav(Samples);
        Refused([], "empty");
        Refused("RIFF"u8.ToArray(), "truncated");
        Refused([.. "OggS"u8, .. new byte[100]], "not a WAV file");
        Refused(file[..^1], "truncated");
        Refused(file[..30], "truncated");
        Refused(SoundFiles.Wav([]), "no samples");
        Refused(SoundFiles.Wav([0, float.NaN], bits: 32, isFloat: true), "sample 1");
        Refused(SoundFiles.Riff(SoundFiles.Format(1, 8000, 12, 1), new byte[4]), "12 bits");
        Refused(SoundFiles.Riff(SoundFiles.Format(1, 0, 16, 1), new byte[4]), "rate");
        Refused(SoundFiles.Riff(SoundFiles.Format(1, 2_000_000, 16, 1), new byte[4]), "rate");
        Refused(SoundFiles.Riff(SoundFiles.Format(1, 8000, 16, 0), new byte[4]), "channels");
        Refused(SoundFiles.Riff(SoundFiles.Format(1, 8000, 16, 2), new byte[6]), "truncated");
    }

    [Theory]
    [InlineData(2, "ADPCM")]
    [InlineData(6, "A-law")]
    [InlineData(7, "mu-law")]
    [InlineData(0x11, "IMA ADPCM")]
    [InlineData(0x55, "MPEG")]
    [InlineData(0x1234, "0x1234")]
    public void Compressed_files_are_refused_by_name(int format, string name)
    {
        Refused(SoundFiles.Riff(SoundFiles.Format(format, 8000, 8, 1), new byte[4]), "compressed", name);
        Refused(SoundFiles.Riff(SoundFiles.Format(format, 8000, 8, 1, isExtensible: true), new byte[4]), "compressed", name);
    }

    private static void Refused(byte[] file, params string[] words)
    {
        BrokenFileException fault = Assert.Throws<BrokenFileException>(() => WavFile.Parse(file, "a.wav"));
        Assert.StartsWith("a.wav: ", fault.Message);
        Assert.All(words, word => Assert.Contains(word, fault.Message));
    }
}
