using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Refinement;
using GpuSpectralRnn.Onnx.Tests.Support;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Tests.Refinement;

/// <summary>The sensitivity of a graph's values to the units of a node, against its definition.</summary>
public class NodeAdjointTests
{
    private const int Steps = 5, Inputs = 3, Hidden = 4, Outputs = 2, Count = 600;

    /// <summary>
    /// y_u = V h_u of a tanh node: G = mean over t of the sum over u >= t of (dy_u/dh_t)^T (dy_u/dh_t), by products of R and the slopes. The random
    /// signs of 3,000 rows leave an error of about 1 / sqrt(3000), 2 %, of the largest number.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void It_is_the_mean_of_squared_gradients(int directions)
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("RNN", "cell", "x", Inputs, Hidden, directions)
            .Integers("shape", 0, 0, -1).Node("Transpose", ["cell_y"], ["a"], Attributes.Create("perm", 0, 2, 1, 3)).Node("Reshape", ["a", "shape"], ["b"])
            .Constant("w", [directions * Hidden, Outputs]).Node("MatMul", ["b", "w"], ["p"]).Output("p");
        byte[] file = maker.ToFile();
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        RecurrentNode node = RecurrentNode.FindAll(model)[0];
        NodeWeights weights = NodeWeights.Read(model, node);
        using InferenceSession session = RuntimeSession.Open(file, "a graph of the tests");
        GraphCalls calls = new(session, [new CalibrationSet(Runs.Data("x", Count, Steps, 1, Inputs))], CallOptions.None);
        NodeTrace trace = TraceReader.Read(model, 0, weights, calls, Count, new HashSet<string>());

        Matrix[] found = NodeAdjoint.Collect(RefinedCell.From(node), weights, trace, CancellationToken.None)!;

        Constant readout = Constants.Evaluate(model, node.Scope, "w"); // [D H, M]
        for (int d = 0; d < directions; d++)
        {
            Matrix expected = new(Hidden, Hidden);
            Matrix v = Matrix.From(Hidden, Outputs, readout.Values.AsSpan(d * Hidden * Outputs, Hidden * Outputs)).Transpose(), r = weights.RecurrentOf(d);
            foreach (Trajectory lane in trace.Trajectories)
            {
                for (int t = 0; t < Steps; t++)
                {
                    Matrix moved = Matrix.Identity(Hidden); // dh_u / dh_t, the walk of the direction
                    for (int u = t; u < Steps; u++)
                    {
                        if (u > t) moved = Slopes(lane, d, d == 0 ? u : Steps - 1 - u) * r * moved;
                        Matrix gradient = v * moved;
                        expected += Matrix.Product(gradient, gradient, transposeA: true);
                    }
                }
            }

            // Both but for a factor.
            double scale = expected.Trace() / found[d].Trace(), largest = expected.Data.Max(Math.Abs);
            for (int i = 0; i < expected.Data.Length; i++) Assert.Equal(expected.Data[i], scale * found[d].Data[i], 0.06 * largest);
        }

        Matrix Slopes(Trajectory lane, int d, int t)
        {
            Matrix slopes = new(Hidden, Hidden);
            for (int j = 0; j < Hidden; j++) slopes[j, j] = 1 - Math.Pow(lane.States[((t * directions) + d) * Hidden + j], 2);
            return slopes;
        }
    }

    [Fact]
    public void Nothing_is_known_behind_an_operator_that_is_not()
    {
        byte[] file = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("RNN", "cell", "x", Inputs, Hidden).Node("ReduceMax", ["cell_y"], ["p"]).Output("p").ToFile();
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        RecurrentNode node = RecurrentNode.FindAll(model)[0];
        NodeWeights weights = NodeWeights.Read(model, node);
        using InferenceSession session = RuntimeSession.Open(file, "a graph of the tests");
        GraphCalls calls = new(session, [new CalibrationSet(Runs.Data("x", 10, Steps, 1, Inputs))], CallOptions.None);
        NodeTrace trace = TraceReader.Read(model, 0, weights, calls, 10, new HashSet<string>());
        Assert.Null(NodeAdjoint.Collect(RefinedCell.From(node), weights, trace, CancellationToken.None));
    }
}
