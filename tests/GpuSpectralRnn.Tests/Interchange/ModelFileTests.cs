using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Interchange;

public sealed class ModelFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly HostBackend backend = new();

    [Theory]
    [InlineData("5")]
    [InlineData("3,17")]
    public void Saved_and_loaded_a_network_answers_with_the_same_bits(string hidden)
    {
        using Network network = Make(hidden);
        string path = folder.File("a.safetensors");
        ModelFile.Save(path, network);
        using Network loaded = ModelFile.Load(path, backend);
        ModelFile.Save(folder.File("b.safetensors"), loaded);
        using Tensor input = backend.Allocate(new Shape(7, 3, 2));
        input.CopyFrom<float>(NetworkTests.Random(42, 1));

        Assert.Equal(network.Architecture, loaded.Architecture);
        Assert.Equal(network.Architecture, ModelFile.LoadArchitecture(path));
        Assert.Equal(network.Forward(input).ToArray(), loaded.Forward(input).ToArray());
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(folder.File("b.safetensors")));
    }

    [Fact]
    public void The_mask_lives_with_the_model()
    {
        using Network network = Make("5,3");
        float[] ones = [.. Enumerable.Range(0, 25).Select(i => i % 3 == 0 ? 0f : 1f)]; // 25 bits: the last byte is not full
        network.Parameters.SetMask("rnn.weight_hh_l0", ones);
        string path = folder.File("a.safetensors");
        ModelFile.Save(path, network);
        using Network loaded = ModelFile.Load(path, backend);
        loaded.Parameters.Write("rnn.weight_hh_l0", [.. Enumerable.Repeat(2f, 25)]);
        loaded.Parameters.ApplyMask();

        Assert.Equal(ones, loaded.Parameters.MaskOf("rnn.weight_hh_l0"));
        Assert.Null(loaded.Parameters.MaskOf("rnn.weight_hh_l1"));
        Assert.Equal(ones.Select(one => 2 * one), loaded.Parameters.Read("rnn.weight_hh_l0"));
        Assert.Equal(network.Parameters.Read("readout.weight"), loaded.Parameters.Read("readout.weight"));
        Assert.Equal(network.Parameters.Slots.Select(slot => slot.Name), SafetensorsFile.Read(path).Arrays.Select(array => array.Name));
    }

    [Theory]
    [InlineData("nonsense", "cannot be read")]
    [InlineData("""{"rnn.weight_hh_l7":"AA=="}""", "rnn.weight_hh_l7")]
    [InlineData("""{"rnn.weight_hh_l0":"AA=="}""", "1 bytes")]
    [InlineData("""{"rnn.weight_hh_l0":null}""", "0 bytes")]
    public void A_broken_mask_is_a_broken_file(string mask, string word)
    {
        using Network network = Make("5");
        string path = folder.File("a");
        ModelFile.Save(path, network);
        SafetensorsFile file = SafetensorsFile.Read(path);
        SafetensorsFile.Write(path, file.Arrays, new Dictionary<string, string>(file.Metadata) { ["gsrnn.mask"] = mask });

        Assert.Contains(word, Assert.Throws<BrokenFileException>(() => ModelFile.Load(path, backend)).Message);
    }

    [Fact]
    public void A_missing_tensor_is_named() =>
        Refused(arrays => arrays.RemoveAll(a => a.Name == "rnn.bias_hh_l0"), "rnn.bias_hh_l0, which are missing");

    [Fact]
    public void An_extra_tensor_is_named() =>
        Refused(arrays => arrays.Add(NamedArray.Create("rnn.weight_ih_l1", new Shape(1), [1f])), "no place for the tensors rnn.weight_ih_l1");

    [Fact]
    public void A_wrong_shape_is_named() =>
        Refused(arrays => arrays[0] = NamedArray.Create(arrays[0].Name, new Shape(2, 5), new float[10]), "rnn.weight_ih_l0 is [2, 5]");

    [Fact]
    public void A_wrong_type_is_named() =>
        Refused(arrays => arrays[0] = NamedArray.Create(arrays[0].Name, new Shape(5, 2), new int[10]), "rnn.weight_ih_l0");

    [Fact]
    public void A_NaN_is_named_with_its_index() => Refused(arrays => arrays[1].As<float>()[13] = float.NaN, "rnn.weight_hh_l0 holds NaN at index 13");

    [Fact]
    public void A_NaN_is_never_written()
    {
        using Network network = Make("5");
        network.Parameters.Write("readout.bias", [0, float.NaN, 0]);
        RunFailedException e = Assert.Throws<RunFailedException>(() => ModelFile.Save(folder.File("a"), network));

        Assert.Contains("readout.bias holds NaN at index 1", e.Message);
        Assert.Empty(folder.Names());
    }

    [Fact]
    public void Without_an_architecture_the_import_is_recommended()
    {
        string path = folder.File("a");
        SafetensorsFile.Write(path, [NamedArray.Create("w", new Shape(1), [1f])]);

        Assert.Contains("import", Assert.Throws<InvalidCallException>(() => ModelFile.Load(path, backend)).Message);
        Assert.Throws<InvalidCallException>(() => ModelFile.Load(folder.File("absent"), backend));
    }

    [Fact]
    public void A_broken_architecture_is_a_broken_file()
    {
        string path = folder.File("a");
        SafetensorsFile.Write(path, [], new Dictionary<string, string>
        { [ModelFile.ArchitectureKey] = """{"cell":"irnn","inputs":1,"hidden":[0],"outputs":3}""" });

        Assert.Contains("0 hidden units", Assert.Throws<BrokenFileException>(() => ModelFile.Load(path, backend)).Message);
    }

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    private Network Make(string hidden) =>
        Network.Create(NetworkTests.Make(Cell.RnnTanh, hidden, Readout.Last, TaskKind.Classification, inputs: 2, outputs: 3), backend, seed: 1);

    private void Refused(Action<List<NamedArray>> change, string named)
    {
        using Network network = Make("5");
        string path = folder.File("a");
        ModelFile.Save(path, network);
        SafetensorsFile file = SafetensorsFile.Read(path);
        List<NamedArray> arrays = [.. file.Arrays];
        change(arrays);
        SafetensorsFile.Write(path, arrays, file.Metadata);

        Assert.Contains(named, Assert.Throws<BrokenFileException>(() => ModelFile.Load(path, backend)).Message);
    }
}
