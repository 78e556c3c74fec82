using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Interchange;

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

        Assert.Equal(
            new Architecture { Cell = Cell.RnnTanh, Inputs = 2, Hidden = [3, 5], Outputs = 4, Readout = Readout.Mean },
            imported.Architecture);
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
            .. architecture.Build().Parameters
                .Where(slot => !slot.Name.Contains("bias"))
                .Select(slot => NamedArray.Create(slot.Name.Replace("rnn.", "gru."), slot.Shape, Numbers(slot.Name, (int)slot.Shape.Count))),
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
        if (isThereTwice) arrays.Add(NamedArray.Create("decoder.weight", new Shape(7, 5), Numbers("embedding.weight", 35)));
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm);
        ModelFile.Save(folder.File("model"), imported);
        using Network loaded = ModelFile.Load(folder.File("model"), backend);

        Assert.Equal(architecture, imported.Architecture);
        Assert.Equal(imported.Architecture, loaded.Architecture);
        Assert.Equal(imported.Parameters.Values.ToArray(), loaded.Parameters.Values.ToArray());
        Assert.Equal(Numbers("embedding.weight", 35), loaded.Parameters.Read(imported.Architecture.ReadoutWeight));
        Assert.DoesNotContain(SafetensorsFile.Read(folder.File("model")).Arrays, array => array.Name == "readout.weight");
    }

    [Fact]
    public void Which_of_two_modules_is_the_embedding_must_show()
    {
        SafetensorsFile.Write(folder.File("dict"), Tensors(Language(embedding: 5), "a.", "b.", skip: "readout.bias"));

        Assert.Contains("'a.', 'b.'", Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.Lstm)).Message);
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b.weight", "a.")]
    public void The_caller_says_which_of_two_modules_is_the_embedding(string embedding, string linear)
    {
        SafetensorsFile.Write(folder.File("dict"), Tensors(Language(embedding: 5), "a.", "b.", skip: "readout.bias"));
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm, embedding: embedding);
        using Network same = StateDict.Import(folder.File("dict"), backend, Cell.Lstm, embedding: embedding, linear: linear);

        Assert.Equal(Numbers(embedding[0] == 'a' ? "embedding.weight" : "readout.weight", 35), imported.Parameters.Read("embedding.weight"));
        Assert.Equal(imported.Parameters.Values.ToArray(), same.Parameters.Values.ToArray());
    }

    [Fact]
    public void The_caller_says_which_of_several_linear_layers_is_the_readout()
    {
        Architecture network = NetworkTests.Make(Cell.RnnTanh, "3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4);
        List<NamedArray> arrays = Tensors(network, "", "head.fc.");
        arrays.Add(NamedArray.Create("aux.weight", new Shape(7, 3), new float[21]));
        arrays.Add(NamedArray.Create("aux.bias", new Shape(7), new float[7]));
        SafetensorsFile.Write(folder.File("dict"), arrays);
        List<string> notes = [];
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh, note: notes.Add, linear: "head.fc");

        Assert.Equal(Numbers("readout.weight", 12), imported.Parameters.Read("readout.weight"));
        Assert.Contains(notes, note => note.Contains("left out: aux"));
        Assert.Contains("`linear`", Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh)).Message);
        Assert.Contains(
            "`linear` fc is none of 'head.fc', 'aux'",
            Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh, linear: "fc")).Message);
    }

    // With an embedding beside the linear layers, which is still told by its name and shape.
    [Fact]
    public void An_embedding_stays_where_the_readout_is_named()
    {
        List<NamedArray> arrays = Tensors(Language(embedding: 5), "tok.", "fc.");
        arrays.Add(NamedArray.Create("aux.weight", new Shape(2, 5), new float[10]));
        arrays.Add(NamedArray.Create("aux.bias", new Shape(2), new float[2]));
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm, linear: "fc");

        Assert.Equal(7, imported.Architecture.Vocabulary);
        Assert.Contains("`linear`", Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.Lstm, embedding: "tok")).Message);
    }

    [Theory]
    [InlineData("module.")]
    [InlineData("_orig_mod.")]
    [InlineData("module._orig_mod.model.")]
    public void Wrappers_leave_prefixes(string prefix)
    {
        using Network imported = StateDict.Import(Write($"{prefix}rnn.", $"{prefix}fc."), backend, Cell.RnnTanh);

        Assert.Equal([3, 5], imported.Architecture.Hidden);
        Assert.Equal(Numbers("rnn.weight_ih_l1", 15), imported.Parameters.Read("rnn.weight_ih_l1"));
    }

    // An nn.LSTMCell has no number of a layer.
    [Fact]
    public void A_cell_of_its_own_is_a_layer()
    {
        Architecture network = NetworkTests.Make(Cell.Lstm, "3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4);
        NamedArray[] arrays =
        [
            .. Tensors(network, "", "fc.").Select(array =>
                NamedArray.Create(array.Name.Replace("rnn.", "lstm_cell.").Replace("_l0", ""), array.Shape, array.As<float>())),
        ];
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm);

        Assert.Contains(arrays, array => array.Name == "lstm_cell.weight_ih");
        Assert.Equal(Numbers("rnn.weight_ih_l0", 24), imported.Parameters.Read("rnn.weight_ih_l0"));
    }

    // Converters that know one bias for each gate write the sum of both; an RNN or LSTM adds them in any case.
    [Fact]
    public void One_bias_of_two_stands_for_their_sum()
    {
        List<string> notes = [];
        using Network imported = StateDict.Import(Write("", "fc.", skip: "bias_hh_l1"), backend, Cell.RnnRelu, note: notes.Add);

        Assert.Equal(Numbers("rnn.bias_ih_l1", 5), imported.Parameters.Read("rnn.bias_ih_l1"));
        Assert.Equal(new float[5], imported.Parameters.Read("rnn.bias_hh_l1"));
        Assert.Contains(notes, note => note.Contains("bias_hh_l1"));
    }

    [Fact]
    public void A_GRU_with_one_bias_is_refused()
    {
        Architecture gru = NetworkTests.Make(Cell.Gru, "3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4);
        SafetensorsFile.Write(folder.File("dict"), Tensors(gru, "embedding.", "fc.", skip: "rnn.bias_hh_l0"));

        Assert.Contains("zeros", Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.Gru)).Message);
    }

    // In the order in which they feed each other; the names decide where the widths do not.
    [Theory]
    [InlineData("lstm1.", "lstm2.", "3,5")]
    [InlineData("b.", "a.", "3,5")]
    [InlineData("layers.9.", "layers.10.", "2,2")]
    public void Modules_in_a_row_are_layers(string first, string second, string hidden)
    {
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, hidden, Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4);
        NamedArray[] arrays =
        [
            .. architecture.Build().Parameters.Select(slot => NamedArray.Create(
                slot.Name.Replace("rnn.", slot.Name.Contains("_l1") ? second : first).Replace("_l1", "_l0").Replace("readout.", "fc."),
                slot.Shape,
                Numbers(slot.Name, (int)slot.Shape.Count))),
        ];
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh);

        Assert.Equal(architecture, imported.Architecture);
        foreach (ParameterSpec slot in architecture.Build().Parameters)
            Assert.Equal(Numbers(slot.Name, (int)slot.Shape.Count), imported.Parameters.Read(slot.Name));
    }

    [Theory]
    [InlineData("weight_hh_l0_g", "weight_hh_l0_v", 3, 1)]
    [InlineData("parametrizations.weight_hh_l0.original0", "parametrizations.weight_hh_l0.original1", 3, 1)]
    [InlineData("weight_hh_l0_g", "weight_hh_l0_v", 1, 3)]
    [InlineData("weight_hh_l0_g", "weight_hh_l0_v", 1, 1)]
    public void Weight_normalisation_is_folded(string g, string v, int rows, int columns)
    {
        float[] direction = Numbers("v", 9), length = Numbers("lengths", rows * columns);
        NamedArray[] arrays =
        [
            NamedArray.Create("lstm.weight_ih_l0", new Shape(3, 2), Numbers("weight_ih", 6)),
            NamedArray.Create($"lstm.{g}", new Shape(rows, columns), length),
            NamedArray.Create($"lstm.{v}", new Shape(3, 3), direction),
            NamedArray.Create("fc.weight", new Shape(4, 3), Numbers("fc", 12)),
        ];
        SafetensorsFile.Write(folder.File("dict"), arrays);
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh);

        double[] expected = new double[9];
        for (int i = 0; i < 9; i++)
        {
            bool IsTogether(int j) => (rows == 1 || j / 3 == i / 3) && (columns == 1 || j % 3 == i % 3);
            double norm = Math.Sqrt(Enumerable.Range(0, 9).Where(IsTogether).Sum(j => (double)direction[j] * direction[j]));
            expected[i] = length[rows > 1 ? i / 3 : columns > 1 ? i % 3 : 0] * direction[i] / norm;
        }

        // 1e-6: one rounding to float.
        Close.Equal(
            expected, [.. imported.Parameters.Read("rnn.weight_hh_l0").Select(value => (double)value)], rtol: 1e-6, atol: 0, what: "w");
    }

    // safetensors.torch.save_model keeps one name of tied weights and writes the other into the metadata.
    [Fact]
    public void An_alias_in_the_metadata_ties_the_weights()
    {
        Architecture architecture = Language(embedding: 5) with { TiesWeights = true };
        SafetensorsFile.Write(
            folder.File("dict"), Tensors(architecture, "decoder.", "decoder."),
            new Dictionary<string, string> { ["encoder.weight"] = "decoder.weight" });
        using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.Lstm);

        Assert.Equal(architecture, imported.Architecture);
    }

    [Fact]
    public void A_linear_layer_before_the_recurrence_is_not_taken_for_an_embedding()
    {
        string path = Write("rnn.", "fc.", extra: NamedArray.Create("proj.weight", new Shape(2, 2), new float[4]));

        Assert.Contains("proj.weight", Assert.Throws<InvalidCallException>(() => StateDict.Import(path, backend, Cell.RnnTanh)).Message);
    }

    // Linear(2, 2, bias=False) may be called encoder, too; an nn.Embedding of that name has as many rows as there are outputs.
    [Theory]
    [InlineData("encoder.", 2, 2, 4, false)]
    [InlineData("encoder.", 2, 2, 2, true)]
    [InlineData("tok_emb.", 2, 2, 4, true)]
    [InlineData("table.", 7, 2, 4, true)]
    public void A_square_matrix_is_an_embedding_only_where_that_shows(string module, int rows, int columns, int outputs, bool isEmbedding)
    {
        Architecture network = NetworkTests.Make(Cell.RnnTanh, "3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: outputs);
        List<NamedArray> arrays = Tensors(network, "", "fc.");
        arrays.Add(NamedArray.Create($"{module}weight", new Shape(rows, columns), Numbers("table", rows * columns)));
        SafetensorsFile.Write(folder.File("dict"), arrays);

        if (isEmbedding)
        {
            using Network imported = StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh);
            Assert.Equal(rows, imported.Architecture.Vocabulary);
        }
        else
        {
            Assert.Contains(
                $"{module}weight", Assert.Throws<InvalidCallException>(() => StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh)).Message);
        }
    }

    // A cell's tensors and a module's under one prefix, both forms of weight norm, an embedding of two matrices.
    [Theory]
    [InlineData("rnn.weight_hh")]
    [InlineData("rnn.weight_hh_l0_raw", "rnn.parametrizations.weight_hh_l0.original0",
        "rnn.parametrizations.weight_hh_l0.original1", "rnn.weight_hh_l0_g")]
    [InlineData("fc.weight_raw", "fc.bias_raw")]
    [InlineData("rnn.weight_hh_l0001")]
    public void What_is_there_twice_is_refused(params string[] names)
    {
        List<NamedArray> arrays =
            [.. SafetensorsFile.Read(Write("rnn.", "fc.")).Arrays, .. names.Select(name => NamedArray.Create(name, new Shape(3, 3), new float[9]))];
        SafetensorsFile.Write(folder.File("twice"), arrays);

        Refused(() => StateDict.Import(folder.File("twice"), backend, Cell.RnnTanh).Dispose());
    }

    // 2^30 columns of no rows: four times that is no number of rows.
    [Fact]
    public void Empty_matrices_of_any_width_are_refused()
    {
        SafetensorsFile.Write(
            folder.File("wide"),
            [
                NamedArray.Create("weight_ih_l0", new Shape(0, 2), Array.Empty<float>()),
                NamedArray.Create("weight_hh_l0", new Shape(0, 1 << 30), Array.Empty<float>()),
                NamedArray.Create("fc.weight", new Shape(1, 1), [1f]),
            ]);

        Refused(() => StateDict.Import(folder.File("wide"), backend, Cell.Lstm).Dispose());
    }

    [Fact]
    public void One_output_is_a_regression_unless_said_otherwise()
    {
        SafetensorsFile.Write(
            folder.File("dict"),
            Tensors(NetworkTests.Make(Cell.RnnTanh, "3", Readout.Last, TaskKind.Regression, inputs: 2, outputs: 1), "embedding.", "fc."));
        using Network guessed = StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh);
        using Network said = StateDict.Import(folder.File("dict"), backend, Cell.RnnTanh, task: TaskKind.Classification);

        Assert.Equal((TaskKind.Regression, TaskKind.Classification), (guessed.Architecture.Task, said.Architecture.Task));
    }

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
    [InlineData("other.weight_ih_l0", "do not feed each other")]
    [InlineData("rnn.weight_hr_l0", "proj_size")]
    [InlineData("rnn.weight_hh_l0_g", "remove_weight_norm")]
    public void Other_tensors_are_refused(string name, string problem)
    {
        string path = Write("rnn.", "fc.", extra: NamedArray.Create(name, new Shape(1, 1), [1f]));

        Assert.Contains(problem, Assert.Throws<InvalidCallException>(() => StateDict.Import(path, backend, Cell.RnnRelu)).Message);
    }

    [Fact]
    public void The_weights_of_an_LSTM_are_recognised_and_refused()
    {
        string path = folder.File("lstm");
        SafetensorsFile.Write(
            path,
            [
                NamedArray.Create("weight_ih_l0", new Shape(12, 2), new float[24]),
                NamedArray.Create("weight_hh_l0", new Shape(12, 3), new float[36]),
                NamedArray.Create("fc.weight", new Shape(1, 3), new float[3]),
            ]);

        Assert.Contains("LSTM", Assert.Throws<InvalidCallException>(() => StateDict.Import(path, backend, Cell.RnnTanh)).Message);
    }

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    private static void Refused(Action import)
    {
        Exception? refusal = Record.Exception(import);
        Assert.True(refusal is InvalidCallException or BrokenFileException, $"{refusal}");
    }

    private static Architecture Language(int embedding) =>
        NetworkTests.Make(Cell.Lstm, "5", Readout.Every, TaskKind.Classification, inputs: embedding, outputs: 7) with { Vocabulary = 7 };

    private static List<NamedArray> Tensors(Architecture architecture, string embedding, string linear, string skip = "none") =>
    [
        .. architecture.Build().Parameters
            .Where(slot => slot.Name != skip)
            .Select(slot => NamedArray.Create(
                slot.Name.Replace("embedding.", embedding).Replace("readout.", linear), slot.Shape, Numbers(slot.Name, (int)slot.Shape.Count))),
    ];

    private static float[] Numbers(string name, int count) => NetworkTests.Random(count, name.Length);

    private string Write(string recurrent, string linear, string? skip = null, NamedArray? extra = null)
    {
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, "3,5", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 4);
        List<NamedArray> arrays = [];
        foreach (ParameterSpec slot in architecture.Build().Parameters)
        {
            string name = slot.Name.Replace("rnn.", recurrent).Replace("readout.", linear);
            if (skip is null || !name.Contains(skip)) arrays.Add(NamedArray.Create(name, slot.Shape, Numbers(slot.Name, (int)slot.Shape.Count)));
        }

        if (extra is not null) arrays.Add(extra);
        string path = folder.File("dict");
        SafetensorsFile.Write(path, arrays);
        return path;
    }
}
