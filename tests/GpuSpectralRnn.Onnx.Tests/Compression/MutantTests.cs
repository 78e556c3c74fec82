using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>Damaged graphs (<see cref="Mutants"/>): each is compressed and refined, or refused.</summary>
public class MutantTests
{
    private const int Steps = 6, Inputs = 2, Hidden = 4;

    [Fact]
    public void Mutants_are_compressed_or_refused()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "cell", "x", Inputs, Hidden).Integers("one", 1)
            .Node("Squeeze", ["cell_y", "one"], ["h"]).Constant("w", [Hidden, 2]).Node("MatMul", ["h", "w"], ["a"])
            .Node("Sigmoid", ["a"], ["p"]).Output("p");
        Check(21, 2000, maker.ToFile(), Runs.Data("x", 5, Steps, 1, Inputs));
    }

    [Fact]
    public void Mutants_with_functions_are_compressed_or_refused() =>
        Check(22, 300, FunctionGraph.Make("LSTM"), Runs.Data("x", 5, FunctionGraph.Steps, 1, FunctionGraph.Inputs));

    private static void Check(int seed, int usual, byte[] graph, Dictionary<string, NamedArray> data) => Runs.WithFile(graph, path =>
        Mutants.Check(
            seed,
            usual,
            path,
            mutant =>
            {
                using GraphCompression compression = new(mutant, data, CallOptions.None) { Refine = RefinementBudget.OfSteps(2) };
                compression.Prove(compression.Compress(compression.OfShare(0.5)), rounds: 0);
            },
            graph));
}
