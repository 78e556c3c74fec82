using BenchmarkDotNet.Attributes;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Graphs;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Bench;

/// <summary>
/// An Elman layer of 1024 units over 16 steps of 64 sequences on the host, whose W_hh keeps a share of its blocks of 8 x 8; the baseline is dense.
/// </summary>
public class BlockMaskBenchmarks
{
    private const int Units = 1024, Inputs = 16;

    private readonly RecurrentShape shape = new(CellKind.RnnTanh, Steps: 16, Batch: 64, Inputs, Units);
    private HostBackend backend = null!;
    private RecurrentWorkspace workspace = null!;
    private RecurrentWeights weights = null!, gradients = null!;
    private Tensor input = null!, output = null!, slope = null!;

    [Params(1.0, 0.5, 0.25, 0.1, 0.05)]
    public double Density { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        backend = new HostBackend();
        workspace = backend.Recurrent.Prepare(shape, isTraining: true);
        BlockExtent block = new(8, 8);
        Matrix mask = block.Spread(BiregularMask.Draw(128, 128, EdgeCounts.Of(128, 128, Density), seed: 1), Units, Units);
        Random random = new(1);
        weights = new(Make(Units, Inputs), Make(Units, Units), Make(Units), Make(Units));
        weights.HiddenWeights.CopyFrom<float>(mask.Data.Select(x => (float)(x * (random.NextDouble() - 0.5) * 0.05)).ToArray());
        gradients = new(Make(Units, Inputs), Make(Units, Units), Make(Units), Make(Units));
        (input, output, slope) = (Make(16, 64, Inputs), Make(16, 64, Units), Make(16, 64, Units));

        Tensor Make(params int[] extents)
        {
            Tensor tensor = backend.Allocate(new Shape(extents));
            tensor.CopyFrom<float>(Enumerable.Range(0, (int)tensor.Count).Select(_ => (float)random.NextDouble() - 0.5f).ToArray());
            return tensor;
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        workspace.Dispose();
        backend.Dispose();
    }

    [Benchmark]
    public void Forward() => backend.Recurrent.Forward(new(workspace, weights, input, null, output));

    [Benchmark]
    public void ForwardAndBack()
    {
        Forward();
        backend.Fill(slope, 0.01f);
        backend.Recurrent.Backward(new(workspace, weights, input, null, output, slope, 0, gradients, null, null));
    }
}
