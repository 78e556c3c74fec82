using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Tests.Support;

namespace GpuSpectralRnn.Onnx.Tests.Oracle;

/// <summary>The forward pass of whole networks against ONNX Runtime, which computes the same network as a graph.</summary>
public class NetworkOracleTests
{
    private const int Steps = 5, Batch = 4, Inputs = 3, Vocabulary = 6;

    // Two computations in single precision, of values of order 1 and sums of at most 14 products, through 5 steps and 2 layers; ONNX Runtime's tanh
    // and sigmoid are rational functions, good to some 1e-7. A gate or a direction in the wrong place is off by 1e-2 and more.
    private const double Tolerance = 1e-5;

    public static TheoryData<Cell, bool, bool> Kinds()
    {
        TheoryData<Cell, bool, bool> data = [];
        foreach (Cell cell in (Cell[])[Cell.RnnTanh, Cell.RnnRelu, Cell.Lstm, Cell.Gru, Cell.GruResetBefore, Cell.LstmPeephole])
        {
            foreach (bool isBidirectional in (bool[])[false, true])
                foreach (bool hasLengths in (bool[])[false, true]) data.Add(cell, isBidirectional, hasLengths);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Outputs_are_those_of_ONNX_Runtime(Cell cell, bool isBidirectional, bool hasLengths)
    {
        // ONNX has neither the mean over unequal lengths nor the last step of each.
        Readout[] readouts = hasLengths ? [Readout.Every, Readout.Last] : Enum.GetValues<Readout>();
        foreach (Readout readout in readouts)
        {
            foreach (int[] hidden in (int[][])[[7], [5, 7]])
            {
                Architecture architecture = new()
                {
                    Cell = cell,
                    Inputs = Inputs,
                    Hidden = hidden,
                    IsBidirectional = isBidirectional,
                    Readout = readout,
                    Outputs = Vocabulary,
                };
                Architecture ofTokens = architecture with { Vocabulary = Vocabulary };
                Check(architecture, hasLengths);
                Check(ofTokens, hasLengths);
                Check(ofTokens with { TiesWeights = true, Inputs = architecture.LayerOutputs(hidden.Length - 1) }, hasLengths);
            }
        }
    }

    private static void Check(Architecture architecture, bool hasLengths)
    {
        using HostBackend host = new(1);
        using Network network = Network.Create(architecture, host, seed: 5);
        Random random = new(3);
        float[] Uniform(int count, double scale) => [.. Enumerable.Range(0, count).Select(_ => (float)(scale * (2 * random.NextDouble() - 1)))];
        foreach (ParameterSpec slot in network.Parameters.Slots) network.Parameters.Write(slot.Name, Uniform((int)slot.Shape.Count, 0.6));
        bool ofTokens = architecture.Vocabulary > 0;
        int[] tokens = [.. Enumerable.Range(0, Steps * Batch).Select(_ => random.Next(Vocabulary))];
        float[] numbers = Uniform(Steps * Batch * Inputs, 1);
        int[]? lengths = hasLengths ? [Steps, 1, 3, 2] : null;
        using Tensor x = host.Allocate(
            ofTokens ? new Shape(Steps, Batch) : new Shape(Steps, Batch, Inputs), ofTokens ? ElementType.Int32 : ElementType.Float32);
        using Tensor? valid = hasLengths ? host.Allocate(new Shape(Batch), ElementType.Int32) : null;
        if (ofTokens) x.CopyFrom<int>(tokens);
        else x.CopyFrom<float>(numbers);
        valid?.CopyFrom<int>(lengths);

        float[] outputs = network.Forward(new SequenceBatch(x, valid)).ToArray();

        byte[] graph = NetworkGraph.Write(network, Steps, Batch, lengths, ofTokens ? tokens : null);
        (string, long[], float[])[] feed = ofTokens ? [] : [("x", [Steps, Batch, Inputs], numbers)];
        Runs.Close(Runs.Once(graph, feed)["y"].Values, outputs, Tolerance, $"{architecture}");
    }
}
