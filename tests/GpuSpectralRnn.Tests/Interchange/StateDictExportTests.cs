using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Interchange;

/// <summary>Plain state dicts: what is written comes back, under PyTorch's names.</summary>
public sealed class StateDictExportTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly HostBackend host = new(1);

    public void Dispose()
    {
        host.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(Cell.Lstm, new[] { 4, 4 }, false, true, "rnn = nn.LSTM(3, 4, 2, batch_first=True); readout = nn.Linear(4, 4)")]
    [InlineData(Cell.Gru, new[] { 4 }, true, true, "rnn = nn.GRU(3, 4, 1, batch_first=True, bidirectional=True); readout = nn.Linear(8, 4)")]
    [InlineData(Cell.RnnTanh, new[] { 5, 4 }, false, false,
        "rnn = nn.ModuleList([nn.RNN(3, 5, batch_first=True), nn.RNN(5, 4, batch_first=True)]); readout = nn.Linear(4, 4)")]
    [InlineData(Cell.RnnRelu, new[] { 5 }, false, true, "rnn = nn.RNN(3, 5, 1, nonlinearity='relu', batch_first=True); readout = nn.Linear(5, 4)")]
    public void Stacks_come_back(Cell cell, int[] hidden, bool isBidirectional, bool isModelFile, string modules)
    {
        using Network network = TestNetworks.Make(host, cell, hidden, Readout.Last, isBidirectional: isBidirectional);
        using Network back = ThereAndBack(network);

        Assert.Equal(network.Architecture, back.Architecture);
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
        Assert.Equal(modules, string.Join("; ", StateDictExport.Modules(network.Architecture)));
        Assert.Equal(isModelFile, StateDictExport.IsModelFile(network.Architecture));

        ModelFile.Save(folder.File("model"), network);
        string[] names = [.. SafetensorsFile.Read(folder.File("model")).Arrays.Select(array => array.ToString())];
        Assert.Equal(isModelFile, names.SequenceEqual(SafetensorsFile.Read(folder.File("dict")).Arrays.Select(array => array.ToString())));
    }

    [Theory]
    [InlineData(Cell.GruResetBefore, "gru-reset-before")]
    [InlineData(Cell.LstmPeephole, "lstm-peephole")]
    public void Cells_that_PyTorch_lacks_are_refused_by_name(Cell cell, string name)
    {
        using Network network = TestNetworks.Make(host, cell, [4], Readout.Last);
        string path = folder.File("m.safetensors");
        Assert.Contains(name, Assert.Throws<InvalidCallException>(() => StateDictExport.Save(path, network)).Message);
        Assert.Contains(name, Assert.Throws<InvalidCallException>(() => StateDict.Import(path, host, cell)).Message);
        ModelFile.Save(path, network);
        using Network back = ModelFile.Load(path, host);
        Assert.Equal(network.Architecture, back.Architecture);
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
        Assert.Contains($"\"cell\":\"{name}\"", back.Architecture.ToJson());
    }

    [Fact]
    public void Stacks_of_unequal_sizes_in_two_directions_are_modules_in_a_row()
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [3, 4], Readout.Last, isBidirectional: true);
        using Network back = ThereAndBack(network);

        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
        Assert.Equal(new Shape(16, 6), SafetensorsFile.Read(folder.File("dict")).Find("rnn.1.weight_ih_l0_reverse")!.Shape);
    }

    [Fact]
    public void Tied_weights_stand_under_both_names()
    {
        using Network network = TestNetworks.MakeLanguageModel(host, Cell.Gru, [6], isTied: true);
        using Network back = ThereAndBack(network);

        Assert.True(back.Architecture.TiesWeights);
        Assert.Equal(network.Parameters.Values.ToArray(), back.Parameters.Values.ToArray());
        SafetensorsFile file = SafetensorsFile.Read(folder.File("dict"));
        Assert.Equal(file.Find("embedding.weight")!.As<float>(), file.Find("readout.weight")!.As<float>());
        Assert.False(StateDictExport.IsModelFile(network.Architecture));
        Assert.Equal("embedding = nn.Embedding(7, 6)", StateDictExport.Modules(network.Architecture).First());
    }

    [Fact]
    public void Factors_are_multiplied_out()
    {
        Architecture architecture = new() { Cell = Cell.RnnTanh, Inputs = 3, Hidden = [5, 5], RecurrentRank = [2, 0], Outputs = 2 };
        using Network network = Network.Create(architecture, host, seed: 3);
        using Network back = ThereAndBack(network);

        Assert.Null(back.Architecture.RecurrentRank);
        using Tensor x = host.Allocate(new Shape(6, 2, 3));
        x.CopyFrom<float>(Numbers.Normal(36, 4));
        Assert.Equal(network.Forward(x).ToArray(), back.Forward(x).ToArray());
        Assert.False(StateDictExport.IsModelFile(architecture));
    }

    private Network ThereAndBack(Network network)
    {
        StateDictExport.Save(folder.File("dict"), network);
        Assert.Equal(["format"], SafetensorsFile.Read(folder.File("dict")).Metadata.Keys);
        return StateDict.Import(folder.File("dict"), host, network.Architecture.Cell, network.Architecture.Readout, network.Architecture.Task);
    }
}
