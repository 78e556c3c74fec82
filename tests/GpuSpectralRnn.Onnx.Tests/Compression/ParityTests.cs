using Google.Protobuf;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>
/// The masked big graph and the small one answer alike: in the big one every reader of h reads A_J h_J, in R and behind Y and Y_h. 1e-4 is rounding
/// of 32-bit floats through ten steps of products.
/// </summary>
public class ParityTests
{
    private const int Steps = 10, Inputs = 3, Hidden = 12, Keep = 5;

    [Theory]
    [InlineData("RNN", 1, false)]
    [InlineData("RNN", 2, false)]
    [InlineData("LSTM", 1, false)]
    [InlineData("LSTM", 2, false)]
    [InlineData("GRU", 1, false)]
    [InlineData("GRU", 2, false)]
    [InlineData("GRU", 1, true)]
    [InlineData("GRU", 2, true)]
    [InlineData("LSTM", 1, false, true)]
    [InlineData("LSTM", 2, false, true)]
    public void Masked_equals_sliced(string type, int directions, bool resetsBefore, bool hasPeepholes = false)
    {
        bool isLstm = type == "LSTM";
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Input("h0", directions, 1, Hidden);
        if (isLstm) maker.Input("c0", directions, 1, Hidden);
        maker.Recurrent(
            type, "cell", "x", Inputs, Hidden, directions, isLstm ? ["h0", "c0"] : ["h0"], isLstm ? ["y", "yh", "yc"] : ["y", "yh"], resetsBefore);
        if (hasPeepholes) maker.Constant("cell_p", [directions, 3 * Hidden]).Graph.Node[0].Input.Add("cell_p");
        maker.Output("y", Steps, directions, 1, Hidden).Output("yh", directions, 1, Hidden);
        if (isLstm) maker.Output("yc", directions, 1, Hidden);
        byte[] file = maker.ToFile();
        Dictionary<string, Formats.NamedArray> data = Runs.Data("x", 10, Steps, 1, Inputs);
        data["h0"] = Runs.Data("h0", 10, directions, 1, Hidden)["h0"];
        if (isLstm) data["c0"] = Runs.Data("c0", 10, directions, 1, Hidden)["c0"];

        Runs.WithFile(file, path =>
        {
            using GraphCompression compression = new(path, data, CallOptions.None);
            NodePlan plan = compression.Plans([Keep], UnitCriterion.Both)[0]!;
            byte[] small = compression.Patch([plan]), masked = Mask(file, plan);
            float[] Take(string name, int count) => data[name].As<float>()[..count];
            List<(string, long[], float[])> feed = [("x", [Steps, 1, Inputs], Take("x", Steps * Inputs))];
            long[] state = [directions, 1, Hidden];
            feed.Add(("h0", state, Take("h0", directions * Hidden)));
            if (isLstm) feed.Add(("c0", state, Take("c0", directions * Hidden)));

            Dictionary<string, (long[] Shape, float[] Values)> expected = Runs.Once(masked, [.. feed]), found = Runs.Once(small, [.. feed]);

            foreach (string name in expected.Keys)
            {
                Assert.Equal(expected[name].Shape, found[name].Shape);
                float[] whole = Restore(expected[name].Values, plan, isCell: name == "yc");
                Runs.Close(whole, found[name].Values, 1e-4);
            }

            Assert.DoesNotContain(ModelProto.Parser.ParseFrom(small).Graph.Initializer, tensor => tensor.Name is "cell_w" or "cell_r" or "cell_b");
        });
    }

    // R A_J E_J in every gate; E_J picks the kept units.
    private static byte[] Mask(byte[] file, NodePlan plan)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(file);
        RecurrentNode node = RecurrentNode.FindAll(model)[0];
        NodeWeights weights = NodeWeights.Read(model, node);
        List<float> values = [];
        for (int d = 0; d < plan.Directions; d++)
            values.AddRange((weights.RecurrentOf(d) * plan.Restore[d] * Matrix.Identity(plan.Hidden).SelectRows(plan.Kept[d])).ToSingle());
        TensorProto r = model.Graph.Initializer.First(tensor => tensor.Name == "cell_r");
        r.RawData = Tensors.Create("", [values.Count], values.ToArray()).RawData;
        return model.ToByteArray();
    }

    // What the interface shows: A_J h_J; of the cell state the kept units, zeros elsewhere. [..., D, 1, H]
    private static float[] Restore(float[] values, NodePlan plan, bool isCell)
    {
        float[] result = new float[values.Length];
        for (int row = 0; row < values.Length / Hidden; row++)
        {
            int d = row % plan.Directions;
            for (int j = 0; j < Hidden; j++)
            {
                double sum = 0;
                for (int i = 0; i < plan.Units; i++)
                    sum += (isCell ? plan.Kept[d][i] == j ? 1 : 0 : plan.Restore[d][j, i]) * values[row * Hidden + plan.Kept[d][i]];
                result[row * Hidden + j] = (float)sum;
            }
        }

        return result;
    }
}
