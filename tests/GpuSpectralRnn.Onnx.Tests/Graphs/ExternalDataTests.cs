using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Graphs;

/// <summary>Constants in files beside the graph.</summary>
public sealed class ExternalDataTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("gsrnn-outside-");
    private readonly HostBackend backend = new(1);

    public void Dispose()
    {
        backend.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void They_are_those_of_the_graph_in_one_file()
    {
        using Network network = Export();
        Directory.CreateDirectory(File("parts"));
        System.IO.File.WriteAllBytes(File("m.onnx"), OutsideWeights.Move(Sound, File("parts/weights"), told => told["location"] = "parts/weights"));
        Assert.Equal(network.Parameters.Values.ToArray(), Import());

        // Offset and length may be left out: the constant is the file.
        System.IO.File.WriteAllBytes(File("m.onnx"), OutsideWeights.Move(Sound, File("weights"), told => told.Remove("length")));
        Assert.Equal(network.Parameters.Values.ToArray(), Import());
    }

    [Theory]
    [InlineData("location", "../weights", "own folder")]
    [InlineData("location", "/etc/hostname", "own folder")]
    [InlineData("location", "", "own folder")]
    [InlineData("location", ".", "own folder")]
    [InlineData("location", "link", "own folder")]
    [InlineData("location", "pipe/../../weights", "own folder")]
    [InlineData("offset", "-1", "offset '-1'")]
    [InlineData("offset", "9223372036854775807", "takes")]
    [InlineData("offset", "1e3", "offset '1e3'")]
    [InlineData("length", "9223372036854775807", "takes")]
    [InlineData("length", "4", "takes")]
    public void What_lies_elsewhere_or_does_not_fit_is_refused(string key, string value, string reason)
    {
        using Network network = Export();
        System.IO.File.CreateSymbolicLink(File("link"), "/etc/hostname");
        System.IO.File.WriteAllBytes(File("m.onnx"), OutsideWeights.Move(Sound, File("weights"), told => told[key] = value));

        Assert.Contains(reason, Assert.Throws<BrokenFileException>(Import).Message);
    }

    [Fact]
    public void A_file_that_is_missing_or_short_is_named()
    {
        using Network network = Export();
        System.IO.File.WriteAllBytes(File("m.onnx"), OutsideWeights.Move(Sound, File("weights")));
        using (FileStream weights = System.IO.File.OpenWrite(File("weights"))) weights.SetLength(weights.Length - 1);
        Assert.Contains("weights", Assert.Throws<BrokenFileException>(Import).Message);
        System.IO.File.Delete(File("weights"));
        Assert.Contains(File("weights"), Assert.Throws<InvalidCallException>(Import).Message);
    }

    // A graph of some hundred bytes that names one file a thousand times.
    [Fact]
    public void Bytes_are_not_read_again_and_again()
    {
        using Network network = Export();
        byte[] graph = OutsideWeights.Move(Sound, File("weights"), told => told["offset"] = "0");
        Protos.ModelProto model = Protos.ModelProto.Parser.ParseFrom(graph);
        Protos.TensorProto largest = model.Graph.Initializer.MaxBy(tensor => tensor.Dims.Aggregate(1L, (a, b) => a * b))!;
        for (int i = 0; i < 1000; i++) model.Graph.Initializer.Add(largest.Clone());
        Onnx.Graphs.OnnxFile.Save(File("m.onnx"), model);

        Assert.Contains("too many others", Assert.Throws<BrokenFileException>(Import).Message);
    }

    private byte[] Sound => System.IO.File.ReadAllBytes(File("sound.onnx"));

    private Network Export()
    {
        Network network = SmallNetworks.Make(
            new Architecture { Cell = Cell.Lstm, Inputs = 2, Hidden = [3, 4], IsBidirectional = true, Readout = Readout.Last, Outputs = 2 }, backend);
        OnnxExport.Save(File("sound.onnx"), network, new GraphOptions());
        return network;
    }

    private float[] Import()
    {
        using Network network = OnnxImport.Read(File("m.onnx"), backend).Network;
        return network.Parameters.Values.ToArray();
    }

    private string File(string name) => Path.Combine(folder.FullName, name);
}
