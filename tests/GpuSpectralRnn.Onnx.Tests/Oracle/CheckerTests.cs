using System.Diagnostics;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Oracle;

/// <summary>What is written is judged by ONNX's own checker, with inference of types and shapes (Debian's python3-onnx).</summary>
public class CheckerTests
{
    private const string Python = "/usr/bin/python3";

    [SkippableFact]
    public void The_checker_takes_every_exported_network()
    {
        SkipWithoutChecker();
        InFolder(folder =>
        {
            using HostBackend host = new(1);
            foreach (Cell cell in Enum.GetValues<Cell>())
            {
                foreach (Readout readout in Enum.GetValues<Readout>())
                {
                    foreach (bool isBidirectional in (bool[])[false, true])
                    {
                        Architecture architecture =
                            new() { Cell = cell, Inputs = 3, Hidden = [5, 4], IsBidirectional = isBidirectional, Readout = readout, Outputs = 2 };
                        using Network network = SmallNetworks.Make(architecture, host);
                        string name = Path.Combine(folder, $"{cell}-{readout}-{isBidirectional}");
                        OnnxExport.Save($"{name}.onnx", network, new GraphOptions());
                        OnnxExport.Save($"{name}-lengths.onnx", network, new GraphOptions { TakesLengths = true });
                        if (!isBidirectional && readout != Readout.Mean)
                            OnnxExport.Save($"{name}-state.onnx", network, new GraphOptions { IsStateful = true });
                    }
                }
            }
        });
    }

    [SkippableFact]
    public void The_checker_takes_compressed_graphs()
    {
        SkipWithoutChecker();
        InFolder(folder =>
        {
            foreach (string type in (string[])["RNN", "LSTM", "GRU"])
            {
                GraphMaker Cell() => new GraphMaker().Input("x", 6, 1, 3).Recurrent(type, "cell", "x", 3, 8).Integers("one", 1);
                Write($"{type}-shown", Cell().Output("cell_y", 6, 1, 1, 8).ToFile(), Runs.Data("x", 10, 6, 1, 3), CallOptions.None);
                Write(
                    $"{type}-folded",
                    Cell().Node("Squeeze", ["cell_y", "one"], ["a"]).Constant("w", [8, 2]).Node("MatMul", ["a", "w"], ["p"]).Output("p", 6, 1, 2).ToFile(),
                    Runs.Data("x", 10, 6, 1, 3),
                    CallOptions.None);
                GraphMaker Branch(string name) =>
                    new GraphMaker().Recurrent(type, name, "x", 3, 8).Output($"{name}_y", 6, 1, 1, 8);
                GraphMaker choice = new GraphMaker().Input("x", 6, 1, 3).Condition("which").Constant("w", [8, 2]);
                choice.Node("If", ["which"], ["y"], Attributes.Create("then_branch", Branch("yes").Graph), Attributes.Create("else_branch", Branch("no").Graph))
                    .Node("MatMul", ["y", "w"], ["p"]).Output("p", 6, 1, 1, 2);
                Write($"{type}-branches", choice.ToFile(), Runs.Data("x", 10, 6, 1, 3), CallOptions.Parse(["which=true,false"], []));
            }

            // Opset 18 is newer than Debian's checker; 17 says the same with the reduction's axes as an attribute, which these graphs lack.
            foreach (string type in (string[])["LSTM", "GRU"])
            {
                ModelProto model = ModelProto.Parser.ParseFrom(DynamoGraph.Make(type, 3, 8, 2));
                model.OpsetImport[0].Version = 17;
                Write($"{type}-dynamo", Google.Protobuf.MessageExtensions.ToByteArray(model), Runs.Data("x", 10, 1, 6, 3), CallOptions.None);
            }

            void Write(string name, byte[] graph, Dictionary<string, Formats.NamedArray> data, CallOptions options) => Runs.WithFile(graph, path =>
            {
                using GraphCompression compression = new(path, data, options);
                GraphCompression.Save(Path.Combine(folder, $"{name}.onnx"), compression.Compress(compression.OfShare(0.5)));
            });
        });
    }

    private static void SkipWithoutChecker() => Skip.IfNot(
        File.Exists(Python) && Run("import onnx").Code == 0, $"{Python} has no onnx (Debian: python3-onnx)");

    private static void InFolder(Action<string> write)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("gsrnn-checker-");
        try
        {
            write(folder.FullName);
            (int code, string text) = Run(
                "import glob, onnx, sys\nfor f in sorted(glob.glob(sys.argv[1] + '/*.onnx')):\n  onnx.checker.check_model(onnx.load(f), full_check=True); print(f)",
                folder.FullName);
            Assert.True(code == 0, text);
            Assert.Equal(folder.GetFiles("*.onnx").Length, text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (int Code, string Text) Run(string script, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Python, ["-c", script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, process.ExitCode == 0 ? output : errors.Result);
    }
}
