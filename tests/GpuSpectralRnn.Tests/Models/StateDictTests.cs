using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Models;

public sealed class StateDictTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly HostBackend backend = new();

    [Theory]
    [InlineData("rnn.", "readout.")]
    [InlineData("", "fc.")]
    [InlineData("model.lstm.", "model.head.")]
    [InlineData("encoder.", "")]
    public void Modules_may_have_any_name(string recurrent, string linear)
    {
        using Network imported = StateDict.Import(Write(recurrent, linear), backend, Cell.RnnTanh, Readout.Mean);

        Assert.Equal(new Architecture { Cell = Cell.RnnTanh, Inputs = 2, Hidden = [3, 5], Outputs = 4, Readout = Readout.Mean }, imported.Architecture);
        Assert.Equal(Numbers("rnn.weight_ih_l1", 15), imported.Parameters.Read("rnn.weight_ih_l1"));
        Assert.Equal(Numbers("readout.bias", 4), imported.Parameters.Read("readout.bias"));
    }

    [Fact]
    public void Absent_biases_are_zero()
    {
        using Network imported = StateDict.Import(Write("rnn.", "fc.", skip: "bias"), backend, Cell.RnnRelu);

        Assert.Equal(new float[5], imported.Parameters.Read("rnn.bias_hh_l1"));
        Assert.Equal(new float[4], imported.Parameters.Read("readout.bias"));
    }

    [Fact]
    public void A_reverse_direction_makes_the_network_bidirectional()
    {
        Architecture architecture =
            NetworkTests.Make(Cell.Gru, "3,5", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4) with { IsBidirectional = true };
        NamedArray[] arrays =
        [
            .. ParameterSlot.Of(architecture)
                .Where(slot => !slot.Name.Contains("bias"))
                .Select(slot => NamedArray.Of(slot.Name.Replace("rnn.", "gru."), slot.Shape, Numbers(slot.Name, (int)slot.Shape.Count))),
        ];
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Gru);

        Assert.Equal(architecture, imported.Architecture);
        Assert.Equal(Numbers("rnn.weight_ih_l1_reverse", 90), imported.Parameters.Read("rnn.weight_ih_l1_reverse"));
        Assert.Equal(new float[15], imported.Parameters.Read("rnn.bias_hh_l1_reverse"));
        Assert.Equal(3 * (3 * (2 + 3) + 3 * (2 + 3) + 5 * (6 + 5) + 5 * (6 + 5)), imported.Architecture.MultiplyAddsPerStep);
        Assert.Equal(imported.Architecture, Architecture.FromJson(architecture.ToJson()));
    }

    [Theory]
    [InlineData("embedding.", "readout.", false)]
    [InlineData("encoder.", "decoder.", false)]
    [InlineData("model.emb.", "model.", true)]
    [InlineData("", "fc.", true)] // by the bias
    public void An_embedding_is_found_by_its_width_or_name(string embedding, string linear, bool isWider)
    {
        Architecture architecture = Language(embedding: isWider ? 6 : 5);
        SafetensorsFile.Write(folder.File("dict"), Tensors(architecture, embedding, linear, skip: embedding == "" ? "none" : "readout.bias"));
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm);

        Assert.Equal(architecture, imported.Architecture);
        Assert.Equal(Numbers("embedding.weight", (int)(7 * architecture.Inputs)), imported.Parameters.Read("embedding.weight"));
        Assert.Equal(Numbers("readout.weight", 7 * 5), imported.Parameters.Read("readout.weight"));
        using Network classifier = StateDict.Import(folder.File("dict"), backend, Cell.Lstm, Readout.Mean);
        Assert.Equal(Readout.Mean, classifier.Architecture.Readout);
    }

    // As torch gives it for decoder.weight = encoder.weight: both names, or one of them where the file must not hold memory twice.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Equal_weights_of_embedding_and_linear_layer_are_tied(bool isThereTwice)
    {
        Architecture architecture = Language(embedding: 5) with { TiesWeights = true };
        List<NamedArray> arrays = Tensors(architecture, "encoder.", "decoder.");
        if (isThereTwice) arrays.Add(NamedArray.Of("decoder.weight", new Shape(7, 5), Numbers("embedding.weight", 35)));
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm);
        ModelFile.Save(folder.File("model"), imported);
        using Network loaded = ModelFile.Load(folder.File("model"), backend);

        Assert.Equal(architecture, imported.Architecture);
        Assert.Equal(imported.Architecture, loaded.Architecture);
        Assert.Equal(imported.Parameters.Values.ToArray(), loaded.Parameters.Values.ToArray());
        Assert.Equal(Numbers("embedding.weight", 35), loaded.Parameters.Read("readout.weight"));
        Assert.DoesNotContain(SafetensorsFile.Read(folder.File("model")).Arrays, array => array.Name == "readout.weight");
    }

    [Fact]
    public void Which_of_two_modules_is_the_embedding_must_show()
    {
        SafetensorsFile.Write(folder.File("dict"), Tensors(Language(embedding: 5), "a.", "b.", skip: "readout.bias"));

        Assert.Contains("'a.', 'b.'", Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.Lstm)).Message);
    }

    [Fact]
    public void One_absent_bias_of_two_is_damage() =>
        Assert.Contains("rnn.bias_hh_l1", Assert.Throws<BrokenFileException>(() => StateDict.Import(Write("", "fc.", skip: "bias_hh_l1"), backend, Cell.RnnRelu)).Message);

    [Theory]
    [InlineData("weight_hh_l0", "no complete")]
    [InlineData("fc.weight", "no complete")]
    [InlineData("weight_ih_l0", "no complete")]
    public void What_is_incomplete_is_refused_with_the_names_found(string skip, string problem)
    {
        InvalidCallException e = Assert.Throws<InvalidCallException>(() => StateDict.Import(Write("", "fc.", skip: skip), backend, Cell.RnnRelu));

        Assert.Contains(problem, e.Message);
        Assert.Contains("weight_ih_l1", e.Message);
    }

    [Theory]
    [InlineData("embedding.weight", "one nn.Embedding of width 2")]
    [InlineData("conv.kernel", "'conv.kernel' belongs to none")]
    [InlineData("other.weight_ih_l0", "two recurrent modules")]
    public void Other_tensors_are_refused(string name, string problem)
    {
        string path = Write("rnn.", "fc.", extra: NamedArray.Of(name, new Shape(1, 1), [1f]));

        Assert.Contains(problem, Assert.Throws<InvalidCallException>(() => StateDict.Import(path, backend, Cell.RnnRelu)).Message);
    }

    [Fact]
    public void The_weights_of_an_LSTM_are_recognised_and_refused()
    {
        string path = folder.File("lstm");
        SafetensorsFile.Write(
            path,
            [
                NamedArray.Of("weight_ih_l0", new Shape(12, 2), new float[24]),
                NamedArray.Of("weight_hh_l0", new Shape(12, 3), new float[36]),
                NamedArray.Of("fc.weight", new Shape(1, 3), new float[3]),
            ]);

        Assert.Contains("LSTM", Assert.Throws<InvalidCallException>(() => StateDict.Import(path, backend, Cell.RnnTanh)).Message);
    }

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    private static Architecture Language(int embedding) =>
        NetworkTests.Make(Cell.Lstm, "5", Readout.Every, TaskKind.Classification, inputs: embedding, outputs: 7) with { Vocabulary = 7 };

    private static List<NamedArray> Tensors(Architecture architecture, string embedding, string linear, string skip = "none") =>
    [
        .. ParameterSlot.Of(architecture)
            .Where(slot => slot.Name != skip)
            .Select(slot => NamedArray.Of(
                slot.Name.Replace("embedding.", embedding).Replace("readout.", linear), slot.Shape, Numbers(slot.Name, (int)slot.Shape.Count))),
    ];

    private static float[] Numbers(string name, int count) => NetworkTests.Random(count, name.Length);

    private string Write(string recurrent, string linear, string? skip = null, NamedArray? extra = null)
    {
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, "3,5", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4);
        List<NamedArray> arrays = [];
        foreach (ParameterSlot slot in ParameterSlot.Of(architecture))
        {
            string name = slot.Name.Replace("rnn.", recurrent).Replace("readout.", linear);
            if (skip is null || !name.Contains(skip)) arrays.Add(NamedArray.Of(name, slot.Shape, Numbers(slot.Name, (int)slot.Shape.Count)));
        }

        if (extra is not null) arrays.Add(extra);
        string path = folder.File("dict");
        SafetensorsFile.Write(path, arrays);
        return path;
    }
}
