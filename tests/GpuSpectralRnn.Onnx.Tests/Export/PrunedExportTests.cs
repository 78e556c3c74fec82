using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Onnx.Tests.Export;

/// <summary>A pruned network's ONNX file is as much smaller as its parameters are fewer.</summary>
public class PrunedExportTests
{
    [Theory]
    [InlineData(Cell.Irnn)]
    [InlineData(Cell.Lstm)]
    [InlineData(Cell.Gru)]
    public void TheFileShrinksWithTheParameters(Cell cell)
    {
        using HostBackend host = new();
        using Network network = SmallNetworks.Make(new Architecture { Cell = cell, Inputs = 28, Hidden = [128], Outputs = 10 }, host);
        PruningPlan plan = new SpectralPruning(new SpectralSettings())
            .Plan(new Pruning.Calibration(network, Digits.Create(200, seed: 1, ImageView.Row)), keep: [42]);
        using Network small = Slicer.Slice(network, plan);
        string path = Path.Combine(Path.GetTempPath(), $"gsrnn-{Guid.NewGuid():N}.onnx");
        try
        {
            long Bytes(Network exported)
            {
                OnnxExport.Save(path, exported, new GraphOptions());
                return new FileInfo(path).Length;
            }

            long saved = Bytes(network) - Bytes(small), weights = sizeof(float) * (Count(network) - Count(small));

            // Names and shapes take as many bytes in both, but for the digits of their lengths.
            Assert.InRange(saved - weights, -64, 64);
        }
        finally
        {
            File.Delete(path);
        }

        static long Count(Network network) => network.Parameters.Slots.Sum(slot => slot.Shape.Count);
    }
}
