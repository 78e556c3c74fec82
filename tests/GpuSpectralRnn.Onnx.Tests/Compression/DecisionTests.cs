using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Proof;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>What counts as the same decision. The first of two outputs is always far ahead of the second, which crosses 0.5.</summary>
public class DecisionTests
{
    private const int Steps = 6, Inputs = 3, Hidden = 8;

    /// <summary>A mask, or several yes and no at once: each number decides.</summary>
    [Fact]
    public void Numbers_between_0_and_1_decide_one_by_one()
    {
        OutputDifference output = Prove(maker => maker.Node("Sigmoid", ["a"], ["p"]));
        Assert.InRange(output.Agreement!.Value, 0.5, 0.9999); // half of the numbers agree whatever happens
    }

    [Fact]
    public void Of_a_distribution_the_largest_decides() =>
        Assert.Equal(1, Prove(maker => maker.Node("Softmax", ["a"], ["p"])).Agreement);

    [Fact]
    public void Of_logits_the_largest_decides() => Assert.Equal(1, Prove(maker => maker.Node("Identity", ["a"], ["p"])).Agreement);

    [Fact]
    public void Arrays_of_four_axes_decide_nothing() =>
        Assert.Null(Prove(maker => maker.Integers("front", 0).Node("Unsqueeze", ["a", "front"], ["p"])).Agreement);

    private static OutputDifference Prove(Action<GraphMaker> end)
    {
        OutputDifference? output = null;
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "cell", "x", Inputs, Hidden).Integers("one", 1)
            .Node("Squeeze", ["cell_y", "one"], ["h"]).Constant("w", [Hidden, 2]).Constant("b", [2], [8f, 0f]).Node("MatMul", ["h", "w"], ["product"])
            .Node("Add", ["product", "b"], ["a"]);
        end(maker);
        Runs.WithFile(maker.Result("p").ToFile(), path =>
        {
            using GraphCompression compression = new(path, Runs.Data("x", 40, Steps, 1, Inputs), CallOptions.None);
            output = Assert.Single(compression.Prove(compression.Compress([1]), rounds: 0).Outputs);
        });
        return output!;
    }
}
