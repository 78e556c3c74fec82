using GpuSpectralRnn.Data;
using GpuSpectralRnn.Signals.Audio;
using GpuSpectralRnn.Signals.Features;
using GpuSpectralRnn.Signals.Speech;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Signals;

public sealed class SpeechSetTests : IDisposable
{
    private static readonly SpeechSetSettings Short = new() { Features = new FeatureSettings { Bands = 12 } };

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Names_of_FSDD_tell_digit_speaker_and_part()
    {
        SpeechSet set = Open(SoundFiles.Put(folder.Root, SoundFiles.Words()));
        SpeechData train = set.Load(DataPart.Train)!, test = set.Load(DataPart.Test)!;

        Assert.Equal(["0", "1", "2"], set.Classes);
        Assert.Equal((3 * 2 * 3, 3 * 2 * 5), (train.Count, test.Count));
        Assert.Null(set.Load(DataPart.Valid));
        Batch batch = Read(test);
        for (int i = 0; i < test.Count; i++)
        {
            Assert.InRange(test.NameOf(i)![^5], '0', '4');
            Assert.Equal(test.NameOf(i)!.Split('/')[^1][0] - '0', batch.Labels[i]);
        }
    }

    [Fact]
    public void Folders_and_archives_give_the_same()
    {
        (string Name, byte[] Content)[] files = SoundFiles.Words();
        SpeechSet unpacked = Open(SoundFiles.Put(Path.Combine(folder.Root, "a"), files)),
            packed = Open(folder.Put("a.tar.gz", SoundFiles.Tar(files.Reverse())));
        Directory.CreateDirectory(folder.File("b"));
        File.Copy(folder.File("a.tar.gz"), folder.File("b/a.tar.gz"));

        Assert.Equal(Read(unpacked.Load(DataPart.Train)!).Inputs.ToArray(), Read(packed.Load(DataPart.Train)!).Inputs.ToArray());
        Assert.Equal(unpacked.Preparation.ToJson(), packed.Preparation.ToJson());
        Assert.Equal(packed.Preparation.ToJson(), Open(folder.File("b")).Preparation.ToJson());
    }

    [Fact]
    public void The_training_part_is_normalised_band_by_band()
    {
        SpeechSet set = Open(SoundFiles.Put(folder.Root, SoundFiles.Words()));
        SpeechData train = set.Load(DataPart.Train)!;
        Batch batch = Read(train);
        int width = train.Layout.Features, frames = batch.Lengths.ToArray().Sum();

        for (int band = 0; band < width; band++)
        {
            double[] values = [.. Enumerable.Range(0, train.Count)
                .SelectMany(b => Enumerable.Range(0, batch.Lengths[b]).Select(t => (double)batch.Inputs[(((t * train.Count) + b) * width) + band]))];
            Assert.Equal(frames, values.Length);
            Assert.Equal(0, values.Average(), 1e-4);
            Assert.Equal(1, values.Average(x => x * x), 1e-3);
        }

        for (int b = 0; b < train.Count; b++)
        {
            for (int t = batch.Lengths[b]; t < train.Layout.Steps; t++)
                Assert.All(batch.Inputs.Slice(((t * train.Count) + b) * width, width).ToArray(), x => Assert.Equal(0, x)); // padding
        }
    }

    // python3, with the name up to _nohash_; valid below 10, test below 20:
    // int(hashlib.sha1(name.encode()).hexdigest(), 16) % 2**27 * (100 / (2**27 - 1))
    [Theory]
    [InlineData("0a7c2a8d_nohash_0.wav", DataPart.Train)] // 56.8
    [InlineData("bed/0c40e715_nohash_1.wav", DataPart.Test)] // 16.4
    [InlineData("0c40e715_nohash_0.wav", DataPart.Test)]
    [InlineData("e1469561_nohash_0.wav", DataPart.Test)] // 19.2
    [InlineData("one.wav", DataPart.Train)] // 71.7
    [InlineData("v20_nohash_0.wav", DataPart.Valid)] // 4.8
    public void The_hash_rule_is_that_of_Speech_Commands(string name, DataPart part) => Assert.Equal(part, SplitRule.ByHash(name));

    [Fact]
    public void Class_folders_are_split_by_hash_or_by_their_lists()
    {
        (string Name, byte[] Content)[] files = [.. SoundFiles.Folders(), ("_background_noise_/hum.wav", SoundFiles.Wav(SoundFiles.Word(0, 0, 0)))];
        SpeechSet hashed = Open(SoundFiles.Put(folder.File("a"), files));
        string[] test = [files[0].Name, files[31].Name], valid = [files[1].Name];
        (string Name, byte[] Content)[] listed =
        [
            .. files.Select(file => ("speech_commands/" + file.Name, file.Content)),
            ("speech_commands/testing_list.txt", System.Text.Encoding.UTF8.GetBytes(string.Join('\n', test))),
            ("speech_commands/validation_list.txt", System.Text.Encoding.UTF8.GetBytes(string.Join("\r\n", valid))),
        ];
        SpeechSet lists = Open(folder.Put("b.tgz", SoundFiles.Tar(listed)));

        Assert.Equal(["down", "left", "stop"], hashed.Classes);
        SpeechData watched = hashed.Load(DataPart.Valid)!;
        Assert.All(Enumerable.Range(0, watched.Count), i => Assert.Equal(DataPart.Valid, SplitRule.ByHash(watched.NameOf(i)!)));
        Assert.Equal(90, hashed.Load(DataPart.Train)!.Count + watched.Count + hashed.Load(DataPart.Test)!.Count);
        Assert.Equal((2, 1, 87), (lists.Load(DataPart.Test)!.Count, lists.Load(DataPart.Valid)!.Count, lists.Load(DataPart.Train)!.Count));
    }

    [Fact]
    public void Speakers_are_tested_on_whole()
    {
        SpeechCorpus corpus = SpeechCorpus.Open(SoundFiles.Put(folder.Root, SoundFiles.Words(speakers: 3)));
        SpeechSet set = new(corpus, SplitRule.For(corpus, null, ["b"], ["c"]), Short);

        SpeechData test = set.Load(DataPart.Test)!;
        Assert.Equal((24, 24), (test.Count, set.Load(DataPart.Valid)!.Count));
        Assert.All(Enumerable.Range(0, test.Count), i => Assert.Contains("_b_", test.NameOf(i)));
        Assert.Contains("no speaker 'x'", Assert.Throws<InvalidCallException>(() => SplitRule.For(corpus, null, ["x"], [])).Message);
    }

    [Fact]
    public void Other_rates_are_brought_to_the_first()
    {
        (string Name, byte[] Content)[] files = [.. SoundFiles.Words(takes: 8),
            ("recordings/2_a_9.wav", SoundFiles.Wav(SoundFiles.Word(2, 0, 9, 16_000), 16_000))];
        SpeechSet set = Open(SoundFiles.Put(folder.Root, files));
        SpeechData train = set.Load(DataPart.Train)!;

        Assert.Equal(8000, set.Preparation.Features.Rate);
        int at = Enumerable.Range(0, train.Count).Single(i => train.NameOf(i)!.EndsWith("2_a_9.wav", StringComparison.Ordinal));
        float[] direct = new FeatureExtraction(set.Preparation.Features).Compute(SoundFiles.Word(2, 0, 9, 8000));
        Assert.Equal(direct.Length / 12, Read(train).Lengths[at], 1.0);
    }

    [Fact]
    public void Features_are_kept_and_anything_else_is_computed_anew()
    {
        string sounds = SoundFiles.Put(folder.File("s"), SoundFiles.Words()), kept = folder.File("cache");
        float[] first = Inputs(Short), again = Inputs(Short);
        string entry = Assert.Single(Directory.GetFiles(kept));
        DateTime written = File.GetLastWriteTimeUtc(entry);
        Assert.Equal(first, again);
        Assert.Equal(written, File.GetLastWriteTimeUtc(entry));

        // Damaged: in a number, which no format's reader sees, and cut off.
        byte[] bytes = File.ReadAllBytes(entry);
        bytes[^3] ^= 0x40;
        File.WriteAllBytes(entry, bytes);
        Assert.Equal(first, Inputs(Short));
        File.WriteAllBytes(entry, bytes[..(bytes.Length / 2)]);
        Assert.Equal(first, Inputs(Short));

        // Other settings, other content under the same name, length and time.
        Assert.NotEqual(first.Length, Inputs(Short with { Features = Short.Features with { Bands = 10 } }).Length);
        string recording = Directory.GetFiles(sounds, "0_a_6.wav", SearchOption.AllDirectories).Single();
        DateTime time = File.GetLastWriteTimeUtc(recording);
        byte[] other = File.ReadAllBytes(recording);
        other[2000] ^= 0x7F;
        File.WriteAllBytes(recording, other);
        File.SetLastWriteTimeUtc(recording, time);
        Assert.NotEqual(first, Inputs(Short));
        Assert.Equal(3, Directory.GetFiles(kept).Length);

        float[] Inputs(SpeechSetSettings settings) =>
            Read(Open(sounds, settings with { Cache = new FeatureCache(kept) }).Load(DataPart.Train)!).Inputs.ToArray();
    }

    [Fact]
    public void Noise_changes_what_is_judged_and_nothing_else()
    {
        string sounds = SoundFiles.Put(folder.File("s"), SoundFiles.Words());
        SpeechSetSettings noisy = Short with { Noise = new NoiseSettings(5) };

        Assert.Equal(Read(Open(sounds).Load(DataPart.Train)!).Inputs.ToArray(), Read(Open(sounds, noisy).Load(DataPart.Train)!).Inputs.ToArray());
        Assert.NotEqual(Read(Open(sounds).Load(DataPart.Test)!).Inputs.ToArray(), Read(Open(sounds, noisy).Load(DataPart.Test)!).Inputs.ToArray());
        SoundFiles.Put(sounds, [("recordings/1_a_1.wav", SoundFiles.Wav(new float[3000]))]);
        Assert.NotNull(Open(sounds).Load(DataPart.Test));
        Assert.Contains("1_a_1.wav is silent", Assert.Throws<InvalidCallException>(() => Open(sounds, noisy).Load(DataPart.Test)).Message);
    }

    [Fact]
    public void What_nothing_can_be_learnt_from_is_refused()
    {
        byte[] sound = SoundFiles.Wav(SoundFiles.Word(0, 0, 0));
        Refused("one recording", ("yes/a.wav", sound), ("yes/b.wav", sound), ("no/a.wav", sound));
        Refused("one class only", ("0_a_1.wav", sound), ("0_b_7.wav", sound));
        Refused("nothing tells the class of b.wav", ("b.wav", sound), ("c.wav", sound));
        Refused("no WAV files", ("a.txt", sound));
        Refused("no recording of the class 1 is in the training part", ("0_a_1.wav", sound), ("0_a_7.wav", sound), ("1_a_0.wav", sound),
            ("1_a_1.wav", sound));
        Assert.Contains("does not exist", Assert.Throws<InvalidCallException>(() => SpeechCorpus.Open(folder.File("nowhere"))).Message);

        void Refused(string why, params (string Name, byte[] Content)[] files)
        {
            string root = folder.File(Guid.NewGuid().ToString("N"));
            SoundFiles.Put(root, files);
            Assert.Contains(why, Assert.Throws<InvalidCallException>(() => Open(root).Load(DataPart.Train)).Message);
        }
    }

    [Fact]
    public void A_model_s_note_is_read_back_or_refused()
    {
        SpeechPreparation note = Open(SoundFiles.Put(folder.Root, SoundFiles.Words())).Preparation;
        SpeechPreparation read = SpeechPreparation.FromJson(note.ToJson());

        Assert.Equal(note.Features, read.Features);
        Assert.Equal(note.Classes, read.Classes);
        Assert.Equal(note.Scale.Mean, read.Scale.Mean);
        Assert.Equal(note.Scale.Deviation, read.Scale.Deviation);
        Assert.All(
            (string[])["", "null", "{}", note.ToJson().Replace("8000", "0"), note.ToJson().Replace("\"bands\":12", "\"bands\":13"),
                note.ToJson().Replace("bands", "bonds")],
            damaged => Assert.Throws<RunFailedException>(() => SpeechPreparation.FromJson(damaged)));
    }

    private static SpeechSet Open(string path, SpeechSetSettings? settings = null)
    {
        SpeechCorpus corpus = SpeechCorpus.Open(path);
        return new SpeechSet(corpus, SplitRule.For(corpus, null, [], []), settings ?? Short);
    }

    private static Batch Read(SpeechData data)
    {
        Batch batch = new(data.Layout, data.Count);
        data.Read([.. Enumerable.Range(0, data.Count)], batch);
        return batch;
    }
}
