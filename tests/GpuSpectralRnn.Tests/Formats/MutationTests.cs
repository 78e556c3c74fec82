using System.Diagnostics;
using System.Formats.Tar;
using GpuSpectralRnn.Interchange;
using System.IO.Compression;
using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Signals.Features;
using GpuSpectralRnn.Signals.Series;
using GpuSpectralRnn.Signals.Speech;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Formats;

/// <summary>Damaged files of every format of the library (<see cref="Mutants"/>).</summary>
public sealed class MutationTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly HostBackend backend = new(1);

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Safetensors()
    {
        Check(1, path => _ = SafetensorsFile.Read(path).Arrays.Count, Model(Language), StateDictOf("lstm.", "decoder."));
    }

    [Fact]
    public void Models()
    {
        Check(2, path => ModelFile.Load(path, backend).Dispose(), Model(Language), Model(Masked));
        Check(3, path => ModelFile.LoadArchitecture(path).ToString(), Model(Language));
    }

    // By a field's members, of a reader of two texts.
    [Fact]
    public void Graphs()
    {
        byte[] recipe = Encoding.UTF8.GetBytes(ReaderGraphTests.Recipe.ToJson());
        using Network network = Network.Create(ReaderGraphTests.Recipe, backend, seed: 1);
        ModelFile.Save(folder.File("sound"), network);
        Check(12, path => _ = Recipe.FromJson(File.ReadAllText(path)).Build(), recipe, Encoding.UTF8.GetBytes(Language.ToJson()));
        Check(13, path => ModelFile.Load(path, backend).Dispose(), File.ReadAllBytes(folder.File("sound")));
    }

    // Of readers: the recipe, questions, word vectors.
    [Fact]
    public void Readers()
    {
        ReadingVocabulary vocabulary = new(["<unk>", "lamp", "the"], ["\uFFFD", "a", "b"]);
        BidafRecipe recipe = BidafRecipe.Create(vocabulary, hidden: 2, word: 2, spelling: 2, letter: 2);
        using Network network = Network.Create(recipe, backend, seed: 1);
        Check(16, path => _ = Recipe.FromJson(File.ReadAllText(path)).Build(), Encoding.UTF8.GetBytes(recipe.ToJson()));
        const string questions =
            """
            {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "The \u00e9t\u00e9 \ud83c\udf32 lamp.", "qas": [
            {"id": "1", "question": "What?", "answers": [{"text": "lamp", "answer_start": 10}]}, {"id": "2", "question": "", "answers": []}]}]}]}
            """;
        Check(17, path => _ = new ReadingData("set", SquadFile.Read(path).Questions, vocabulary, 400).Count, Encoding.UTF8.GetBytes(questions));
        Check(18, path => WordVectors.Load(path, network), Encoding.UTF8.GetBytes("2 2\nthe 1 -0.25\nLamp 3e-2 4\n\u00e9t\u00e9 1 1\n"));
    }

    [Theory]
    [InlineData(Cell.RnnTanh)]
    [InlineData(Cell.Gru)]
    public void State_dicts(Cell cell)
    {
        byte[][] sound =
        [
            StateDictOf("lstm.", "decoder."), StateDictOf("rnn1.", "fc."), StateDictOf("parametrizations.", "weight_g."),
            Renamed("weight_hh_l0", "parametrizations.weight_hh_l0.original1"), Renamed("weight_hh_l0", "weight_hh_l0_v"), Renamed("_l1", "_l0_reverse"),
        ];
        Check(4, path => StateDict.Import(path, backend, cell).Dispose(), sound);
    }

    [Fact]
    public void Checkpoints()
    {
        string path = folder.File("sound");
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, "3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 3);
        int extent = (int)architecture.Build().Extent;
        new Checkpoint
        {
            Recipe = architecture,
            Settings = new TrainingSettings(),
            State = new TrainingState { Data = "toy" },
            Parameters = new float[extent],
            Optimizer = new Dictionary<string, float[]> { ["m"] = new float[extent] },
        }.Save(path);
        Check(5, file => _ = Checkpoint.Load(file).State, File.ReadAllBytes(path));
    }

    [Fact]
    public void Npy()
    {
        byte[][] sound =
        [
            NpyBytes(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 2), }", 96),
            NpyBytes(2, "{'descr': '<i8', 'fortran_order': False, 'shape': (5L,), }", 40),
            NpyBytes(3, "{'descr': '|u1', 'fortran_order': True, 'shape': (), }" + new string(' ', 500), 1),
            NpyBytes(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4),
        ];
        Check(6, path => _ = NpyFile.Read(path).Shape, sound);
        Check(7, path => _ = NpyData.Load(path, path, lengthsPath: path).Count, sound);
    }

    [Fact]
    public void Npz()
    {
        byte[] floats = NpyBytes(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 2), }", 96);
        byte[] halves = NpyBytes(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (5, 2), }", 20);
        byte[][] sound = [Zipped(CompressionLevel.NoCompression, floats, halves), Zipped(CompressionLevel.Optimal, floats, halves)];
        Check(14, path => _ = NpzFile.Read(path).Count, sound);

        // Behind sound checksums.
        string packed = folder.File("packed");
        Check(15, path =>
        {
            File.WriteAllBytes(packed, Zipped(CompressionLevel.Optimal, File.ReadAllBytes(path)));
            _ = NpzFile.Read(packed).Count;
        }, floats, halves);
    }

    [Fact]
    public void Idx()
    {
        byte[] images = [0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 5, .. Enumerable.Range(0, 60).Select(i => (byte)i)];
        byte[] labels = [0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 26];
        string labelsPath = folder.Put("labels", labels);
        Check(8, path => _ = IdxFile.Read(path).Shape, images, labels, Packed(images), Packed(labels));
        Check(9, path => _ = IdxData.Load(path, labelsPath, ImageView.Row).Count, images, Packed(images));
    }

    [Theory]
    [InlineData(TextUnit.Word)]
    [InlineData(TextUnit.Char)]
    public void Vocabularies_and_texts(TextUnit unit)
    {
        byte[] words = Encoding.UTF8.GetBytes("\uFEFFthe\r\n<unk>\ncat\nna\u00EFve\n\u20AC\n\U0001F600\n<eos>\nof\nand\n");
        byte[] text = Encoding.UTF8.GetBytes("the cat of\n\n  \u20AC and\n");
        Check(10, path => _ = Vocabulary.Load(path, unit).Count, words, text);
        Check(11, path => _ = Vocabulary.OfText(path, unit, 5).EncodeFile(path).Length, words, text);
        Check(16, path =>
        {
            using Utf8Reader reader = Utf8Reader.Open(path);
            while (reader.Next(out _)) continue;
        }, words, text);
    }

    [Fact]
    public void Sound()
    {
        float[] samples = SoundFiles.Word(0, 0, 0)[..400];
        byte[][] sound = [SoundFiles.Wav(samples), SoundFiles.Wav(samples, bits: 24, channels: 2, isExtensible: true),
            SoundFiles.Wav(samples, bits: 32, isFloat: true)];
        Check(17, path => _ = WavFile.Read(path).Samples.Length, sound);
    }

    [Fact]
    public void Archives()
    {
        (string Name, byte[] Content)[] files = [("a/0_b_1.wav", SoundFiles.Wav(new float[300])),
            (new string('n', 150) + ".wav", SoundFiles.Wav(new float[3]))];
        byte[][] sound = [SoundFiles.Tar(files), SoundFiles.Tar(files, isPacked: false), SoundFiles.Tar(files, isPacked: false, TarEntryFormat.Gnu)];
        Check(18, path => TarMembers.Read(path, _ => true, (_, _) => { }), sound);

        // Behind sound checksums.
        string packed = folder.File("packed");
        Check(19, path =>
        {
            File.WriteAllBytes(packed, Packed(File.ReadAllBytes(path)));
            TarMembers.Read(packed, _ => true, (_, _) => { });
        }, sound[1..]);
    }

    [Fact]
    public void Batches_of_images()
    {
        byte[] image = [3, .. Enumerable.Range(0, 3072).Select(i => (byte)i)];
        string root = folder.File("cifar");
        Directory.CreateDirectory(root);
        foreach (string name in (string[])["data_batch_1.bin", "data_batch_1.bin.gz"])
        {
            string batch = Path.Combine(root, name);
            Check(20, path =>
            {
                File.Copy(path, batch, overwrite: true);
                _ = CifarData.Load(root, DataPart.Train, ImageView.Row)?.Count;
            }, [.. image, .. image], Packed(image));
            File.Delete(batch);
        }
    }

    [Fact]
    public void Separated_values()
    {
        byte[] commas = Encoding.UTF8.GetBytes("\uFEFFdate,\"a, \"\"b\"\"\",c\r\n2020-01-01,1.5,2\r\n2020-01-02,NA,3\r\n2020-01-03,4,5e0\r\n");
        byte[] tabs = Encoding.UTF8.GetBytes("1\t2\n3\t4\n5\t6\n");
        Check(21, path => _ = SeriesTable.Read(path, new SeriesFormat()).Rows, commas, tabs, Packed(tabs));
        Check(22, path =>
        {
            SeriesSet set = new(path, new SeriesSetSettings { Window = 1, Target = ["1"], Missing = MissingValues.Linear });
            _ = set.LoadAll().Count + set.Load(DataPart.Test)?.Count;
        }, tabs, commas);
    }

    [Fact]
    public void Notes_of_models()
    {
        SpeechPreparation speech = new(new FeatureSettings { Bands = 2 }.Resolve(8000), ["a", "b"], BandScale.None(2));
        SeriesPreparation series = new(3, 1, [new TargetScale("x", 1, 2)], [new TargetScale("x", 1, 2)], MissingValues.Mean);
        Check(23, path => _ = SpeechPreparation.FromJson(File.ReadAllText(path)).ToJson(), Encoding.UTF8.GetBytes(speech.ToJson()));
        Check(24, path => _ = SeriesPreparation.FromJson(File.ReadAllText(path)).ToJson(), Encoding.UTF8.GetBytes(series.ToJson()));
    }

    // White space that may be shared out in many ways: what backtracks takes minutes for it.
    [Fact]
    public void An_npy_header_of_white_space_is_refused_at_once()
    {
        string blank = new(' ', 60_000);
        string path = folder.Put("blank", NpyBytes(2, $"{{{blank}'descr': '<f4',{blank}'fortran_order': False,{blank}'shape': (1,){blank},{blank}x", 4));
        Stopwatch clock = Stopwatch.StartNew();

        Assert.Throws<BrokenFileException>(() => NpyFile.Read(path));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
    }

    // Recurrent modules that could follow upon each other in 20! orders.
    [Fact]
    public void Many_modules_are_refused_at_once()
    {
        List<NamedArray> arrays = [NamedArray.Create("fc.weight", new Shape(2, 3), new float[6])];
        for (int i = 0; i < 21; i++)
        {
            arrays.Add(NamedArray.Create($"rnn{i}.weight_ih_l0", new Shape(3, i == 20 ? 4 : 3), new float[i == 20 ? 12 : 9]));
            arrays.Add(NamedArray.Create($"rnn{i}.weight_hh_l0", new Shape(3, 3), new float[9]));
        }

        arrays.Add(NamedArray.Create("z.weight_ih_l0", new Shape(3, 5), new float[15]));
        arrays.Add(NamedArray.Create("z.weight_hh_l0", new Shape(3, 3), new float[9]));
        SafetensorsFile.Write(folder.File("many"), arrays);
        Stopwatch clock = Stopwatch.StartNew();

        Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("many"), backend, Cell.RnnTanh));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
    }

    private static Architecture Language => NetworkTests.Make(Cell.Lstm, "3,4", Readout.Every, TaskKind.Classification, inputs: 4, outputs: 5) with
    {
        Vocabulary = 5, TiesWeights = true, Unit = TextUnit.Word, Tokens = ["<unk>", "<eos>", "a", "\u20AC", "c"],
    };

    private static Architecture Masked => NetworkTests.Make(Cell.RnnTanh, "3", Readout.Last, TaskKind.Regression, inputs: 2, outputs: 3);

    private static byte[] NpyBytes(byte version, string header, int data)
    {
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. Encoding.ASCII.GetBytes(header), .. new byte[data]];
    }

    private static byte[] Zipped(CompressionLevel level, params byte[][] arrays)
    {
        using MemoryStream packed = new();
        using (ZipArchive archive = new(packed, ZipArchiveMode.Create))
        {
            for (int i = 0; i < arrays.Length; i++)
            {
                using Stream stream = archive.CreateEntry($"x{i}.npy", level).Open();
                stream.Write(arrays[i]);
            }
        }

        return packed.ToArray();
    }

    private static byte[] Packed(byte[] bytes)
    {
        using MemoryStream packed = new();
        using (GZipStream stream = new(packed, CompressionLevel.Optimal)) stream.Write(bytes);
        return packed.ToArray();
    }

    private void Check(int seed, Action<string> read, params byte[][] sound) => Mutants.Check(seed, folder.File("mutant"), read, sound);

    private byte[] Model(Architecture architecture)
    {
        using Network network = Network.Create(architecture, backend, seed: 1);
        if (architecture == Masked) network.Parameters.SetMask("rnn.weight_hh_l0", [1, 0, 1, 1, 1, 0, 0, 1, 1]);
        ModelFile.Save(folder.File("sound"), network);
        return File.ReadAllBytes(folder.File("sound"));
    }

    private byte[] StateDictOf(string recurrent, string linear) => Written(name => name.Replace("rnn.", recurrent).Replace("readout.", linear));

    private byte[] Renamed(string from, string to) => Written(name => name.Replace(from, to));

    private byte[] Written(Func<string, string> rename)
    {
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, "2,2", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 3);
        SafetensorsFile.Write(
            folder.File("sound"),
            [.. architecture.Build().Parameters.Select(slot => NamedArray.Create(rename(slot.Name), slot.Shape, new float[slot.Shape.Count]))],
            new Dictionary<string, string> { ["format"] = "pt", ["embedding.weight"] = rename("readout.weight") });
        return File.ReadAllBytes(folder.File("sound"));
    }
}
