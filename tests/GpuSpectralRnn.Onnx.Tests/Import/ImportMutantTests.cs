using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Import;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Import;

/// <summary>Damaged ONNX files, read and imported (<see cref="Mutants"/>).</summary>
public sealed class ImportMutantTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("gsrnn-mutants-");
    private readonly HostBackend backend = new(1);

    public void Dispose()
    {
        backend.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Files_are_read_or_refused() => Mutants.Check(1, File("mutant.onnx"), path => _ = OnnxFile.Load(path).Graph.Node.Count, Exported(), Golden());

    // Each is opened and run by ONNX Runtime, which takes milliseconds.
    [Fact]
    public void Graphs_are_imported_or_refused() =>
        Mutants.Check(2, File("mutant.onnx"), path => OnnxImport.Read(path, backend).Network.Dispose(), Exported(), Golden());

    // The graph's own words of the file beside it.
    [Fact]
    public void Weights_beside_a_graph_are_found_or_refused()
    {
        byte[] graph = OutsideWeights.Move(Exported(), File("weights.bin"));
        Mutants.Check(3, File("mutant.onnx"), path => _ = OnnxFile.Load(path).Graph.Node.Count, graph);
    }

    private byte[] Exported()
    {
        Architecture architecture = new() { Cell = Cell.Gru, Inputs = 2, Hidden = [3], Readout = Readout.Last, Outputs = 2 };
        using Network network = SmallNetworks.Make(architecture, backend);
        OnnxExport.Save(File("sound.onnx"), network, new GraphOptions { TakesLengths = true });
        return System.IO.File.ReadAllBytes(File("sound.onnx"));
    }

    private static byte[] Golden() => System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "rnn_relu_mean.onnx"));

    private string File(string name) => Path.Combine(folder.FullName, name);
}
