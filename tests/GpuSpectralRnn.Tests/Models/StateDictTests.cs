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
    [InlineData("embedding.weight", "two linear modules")]
    [InlineData("conv.kernel", "'conv.kernel' belongs to neither")]
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
