using System.Formats.Tar;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Signals.Speech;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Recordings from the command line: a model that learns made-up words, knows its features, and is asked about files.</summary>
public sealed class SpeechTests : IDisposable
{
    private readonly Folder folder = new();
    private readonly string sounds;
    private readonly string[] data;

    public SpeechTests()
    {
        sounds = SoundFiles.Put(folder["sounds"], SoundFiles.Words());
        data = ["--data", "speech", "--data-dir", sounds, "--device", "host", "--cache", folder["cache"]];
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_model_learns_words_and_is_asked_about_files()
    {
        Train();
        JsonElement clean = Gsrnn.Run(["eval", folder["m"], .. data, "--json"]).Succeeds().Json;
        Assert.Equal("accuracy", clean.GetProperty("metric").GetString());
        Assert.InRange(clean.GetProperty("value").GetDouble(), 0.8, 1); // three words; chance is 0.33
        Assert.Equal(30, clean.GetProperty("sequences").GetInt32());

        // A file, a folder, an archive; with the label that its name tells.
        string one = Path.Combine(sounds, "recordings", "1_b_2.wav");
        JsonElement answer = Gsrnn.Run("predict", folder["m"], "--input", one, "--device", "host", "--json").Succeeds().Json
            .GetProperty("answers")[0];
        Assert.Equal("1_b_2.wav", answer.GetProperty("name").GetString());
        Assert.Equal("1", answer.GetProperty("class").GetString());
        Assert.InRange(answer.GetProperty("probability").GetDouble(), 0.34, 1);
        Assert.Matches(@"^1_b_2\.wav: 1 \([0-9.]+ %\)\n$", Gsrnn.Run("predict", folder["m"], "--input", one, "--device", "host").Succeeds().Out);
        Assert.Equal(48, Gsrnn.Run("eval", folder["m"], "--input", sounds, "--device", "host", "--json").Succeeds().Json.GetProperty("sequences")
            .GetInt32());
        File.WriteAllBytes(folder["a.tar.gz"], SoundFiles.Tar(SoundFiles.Words(takes: 1)));
        Gsrnn.Run("predict", folder["m"], "--input", folder["a.tar.gz"], "--device", "host", "--out", folder["y.npy"]).Succeeds();

        // Pruned, it knows its features still.
        Gsrnn.Run(["prune", folder["m"], .. data, "--keep", "8", "--refine", "off", "--out", folder["s"]]).Succeeds();
        Gsrnn.Run("predict", folder["s"], "--input", one, "--device", "host").Succeeds();
    }

    [Fact]
    public void Noise_is_on_what_is_judged()
    {
        Train("--epochs", "1");
        double Loss(params string[] more) =>
            Gsrnn.Run(["eval", folder["m"], .. data, "--json", .. more]).Succeeds().Json.GetProperty("loss").GetDouble();

        Assert.NotEqual(Loss(), Loss("--noise-snr", "0"));
        Assert.Equal(Loss("--noise-snr", "0"), Loss("--noise-snr", "0"));
        Assert.NotEqual(Loss("--noise-snr", "0"), Loss("--noise-snr", "0", "--data-seed", "9"));
        Gsrnn.Run(["eval", folder["m"], .. data, "--noise-snr", "0", "--split", "train"]).FailsWith(2, "--noise-snr", "clean");
        Gsrnn.Run(["eval", folder["m"], .. data, "--noise", "white"]).FailsWith(2, "--noise-snr");
        Gsrnn.Run(["eval", folder["m"], .. data, "--noise-snr", "0", "--noise", "background"]).FailsWith(2, "_background_noise_");
        File.WriteAllBytes(folder["silent.wav"], SoundFiles.Wav(new float[4000]));
        Gsrnn.Run("predict", folder["m"], "--input", folder["silent.wav"], "--device", "host").Succeeds();
        Gsrnn.Run("predict", folder["m"], "--input", folder["silent.wav"], "--noise-snr", "10", "--device", "host")
            .FailsWith(2, "silent.wav is silent", "--noise-snr");
    }

    [Fact]
    public void A_model_refuses_other_features()
    {
        Train("--epochs", "1");

        Gsrnn.Run(["eval", folder["m"], .. data, "--bands", "16", "--hop", "20"]).Succeeds();
        Gsrnn.Run(["eval", folder["m"], .. data, "--bands", "20"]).FailsWith(2, "log-mel 16", "leave the options of features out");
        Gsrnn.Run(["eval", folder["m"], .. data, "--features", "mfcc"]).FailsWith(2, "log-mel 16");
        Gsrnn.Run(["eval", folder["m"], .. data, "--normalize", "none"]).FailsWith(2, "normalised");
        Gsrnn.Run(["train", .. data, "--init", folder["m"], "--frame", "30", "--epochs", "1", "--out", folder["n"]]).FailsWith(2, "frames of 25 ms");
        SoundFiles.Put(sounds, SoundFiles.Words(words: 4));
        Gsrnn.Run(["eval", folder["m"], .. data]).FailsWith(2, "the class 3", "--classes");
        Gsrnn.Run(["eval", folder["m"], .. data, "--classes", "0,2"]).Succeeds();
        Gsrnn.Run("eval", folder["m"], "--input", sounds, "--device", "host").FailsWith(2, "no targets");
        string[] digits = ["--data", "digits", "--device", "host"];
        Gsrnn.Run(["train", .. digits, "--hidden", "4", "--epochs", "1", "--limit", "64", "--out", folder["d"]]).Succeeds();
        Gsrnn.Run("predict", folder["d"], "--input", sounds, "--device", "host").FailsWith(2, "--input", "--data speech");
    }

    [Fact]
    public void Wrong_calls_are_refused()
    {
        string[] train = ["train", "--epochs", "1", "--hidden", "4", "--out", folder["n"]];
        Gsrnn.Run([.. train, "--data", "speech"]).FailsWith(2, "--data-dir");
        Gsrnn.Run([.. train, .. data, "--data-dir", folder["nowhere"]]).FailsWith(2, "more than once");
        Gsrnn.Run([.. train, "--data", "speech", "--data-dir", folder["nowhere"]]).FailsWith(2, "does not exist");
        Gsrnn.Run([.. train, "--data", "speech", "--data-dir", sounds, "--fft", "100", "--cache", "off"]).FailsWith(2, "--fft");
        Gsrnn.Run([.. train, "--data", "speech", "--data-dir", sounds, "--bands", "99", "--cache", "off"]).FailsWith(2, "--bands", "--fft");
        Gsrnn.Run([.. train, .. data, "--coefficients", "5"]).FailsWith(2, "--features mfcc");
        Gsrnn.Run([.. train, .. data, "--split-by", "list"]).FailsWith(2, "--split-by", "validation_list.txt");
        Gsrnn.Run([.. train, .. data, "--test-speakers", "zoe"]).FailsWith(2, "no speaker 'zoe'");
        Gsrnn.Run([.. train, .. data, "--classes", "0,7"]).FailsWith(2, "no class '7'");
        Gsrnn.Run([.. train, "--data", "digits", "--bands", "3"]).FailsWith(2, "--bands", "--data speech");
        Gsrnn.Run("eval", folder["n"], "--input", sounds).FailsWith(2, "does not exist");
    }

    [Fact]
    public void Bad_recordings_and_archives_are_refused_with_one_line()
    {
        Train("--epochs", "1");
        byte[] sound = SoundFiles.Wav(SoundFiles.Word(0, 0, 0));
        Asked([], 1, "empty");
        Asked(sound[..(sound.Length / 2)], 1, "truncated");
        Asked(sound[..20], 1, "truncated");
        Asked(SoundFiles.Wav([]), 1, "no samples");
        Asked(SoundFiles.Riff(SoundFiles.Format(0x11, 8000, 4, 1), new byte[64]), 1, "compressed", "ADPCM");
        Asked(SoundFiles.Riff(SoundFiles.Format(1, 0, 16, 1), new byte[64]), 1, "rate");
        foreach (string name in (string[])["../0_a_1.wav", "/0_a_1.wav"]) Packed(SoundFiles.Tar([(name, sound)]), name);
        Packed(SoundFiles.Tar(true, TarEntryFormat.Pax, writer =>
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "0_a_1.wav") { LinkName = "x" })), "a link");
        Packed(SoundFiles.Tar(SoundFiles.Words())[..2000], "truncated");
        SoundFiles.Put(folder["single"], [("yes/a.wav", sound), ("yes/b.wav", sound), ("no/a.wav", sound)]);
        Gsrnn.Run("train", "--data", "speech", "--data-dir", folder["single"], "--out", folder["n"]).FailsWith(2, "the class no has one recording");

        void Asked(byte[] content, int code, params string[] words)
        {
            File.WriteAllBytes(folder["bad.wav"], content);
            Gsrnn.Run("predict", folder["m"], "--input", folder["bad.wav"], "--device", "host").FailsWith(code, ["bad.wav", .. words]);
        }

        void Packed(byte[] archive, params string[] words)
        {
            File.WriteAllBytes(folder["bad.tar.gz"], archive);
            Gsrnn.Run("train", "--data", "speech", "--data-dir", folder["bad.tar.gz"], "--out", folder["n"]).FailsWith(1, ["bad.tar.gz", .. words]);
        }
    }

    [Fact]
    public void A_cache_that_cannot_be_written_stops_nothing()
    {
        File.WriteAllText(folder["file"], "");
        Outcome outcome = Gsrnn.Run(
            "train", "--data", "speech", "--data-dir", sounds, "--cache", folder["file"], "--device", "host", "--hidden", "4", "--epochs", "1",
                "--out", folder["n"]).Succeeds();
        Assert.Contains("not kept", outcome.Error);
    }

    private void Train(params string[] more)
    {
        string[] epochs = more.Contains("--epochs") ? [] : ["--epochs", "30"];
        Outcome trained = Gsrnn.Run(
            ["train", .. data, "--bands", "16", "--hop", "20", "--hidden", "16", "--batch", "8", "--lr", "0.01", "--out", folder["m"], .. epochs,
                .. more]).Succeeds();
        Assert.Contains("lstm", trained.Error); // the default cell of speech
        Assert.Contains(SpeechPreparation.Key, File.ReadAllText(folder["m"]));
    }
}
