using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>Times of one case.</summary>
/// <param name="TrainMilliseconds">Median of a training step: forward, mean-square loss over all hidden states, backward, Adam.</param>
/// <param name="InferMilliseconds">Median of a forward pass.</param>
/// <param name="Gflops">Arithmetic of the products in a training step, in 1e9 operations per second.</param>
/// <param name="GigabytesPerSecond">Least memory traffic of a training step, in 1e9 bytes per second.</param>
/// <param name="Parameters">Number of weights and biases.</param>
public readonly record struct RecurrentTiming(
    double TrainMilliseconds, double InferMilliseconds, double Gflops, double GigabytesPerSecond, long Parameters)
{
    /// <summary>Device memory in use by the backend at the end, in bytes; null on the host.</summary>
    public long? DeviceBytes { get; init; }
}

/// <summary>
/// Recurrent layers as timed in comparison with other libraries: random input, W_hh = 0.9 I for ReLU, the loss the mean square of all hidden states
/// of the last layer.
/// </summary>
/// <param name="Name">Short name of the case.</param>
/// <param name="Shape">Extents and cell of the first layer; those above it have H inputs.</param>
/// <param name="Layers">L, layers one above the other.</param>
/// <param name="CarriesState">Whether inference goes on from the state in which the pass before ended, as a stream does.</param>
public sealed record RecurrentBenchmark(string Name, RecurrentShape Shape, int Layers = 1, bool CarriesState = false)
{
    /// <summary>
    /// The known cases: images read by rows and by pixels with 128 hidden units; the three language models of Zaremba, Sutskever, Vinyals
    /// ("Recurrent neural network regularization", 2014) without embedding and read-out; and what is deployed: a stream step by step, a single
    /// sequence, and many short ones through few units.
    /// </summary>
    public static IReadOnlyList<RecurrentBenchmark> Cases { get; } =
    [
        new("rnn-row", new RecurrentShape(CellKind.RnnRelu, Steps: 28, Batch: 64, Inputs: 28, Hidden: 128)),
        new("rnn-pixel", new RecurrentShape(CellKind.RnnRelu, Steps: 784, Batch: 64, Inputs: 1, Hidden: 128)),
        new("rnn-pixel-b256", new RecurrentShape(CellKind.RnnRelu, Steps: 784, Batch: 256, Inputs: 1, Hidden: 128)),
        new("lstm-row", new RecurrentShape(CellKind.Lstm, Steps: 28, Batch: 64, Inputs: 28, Hidden: 128)),
        new("gru-row", new RecurrentShape(CellKind.Gru, Steps: 28, Batch: 64, Inputs: 28, Hidden: 128)),
        new("lstm-ptb-small", new RecurrentShape(CellKind.Lstm, Steps: 20, Batch: 20, Inputs: 200, Hidden: 200), Layers: 2),
        new("lstm-ptb-medium", new RecurrentShape(CellKind.Lstm, Steps: 35, Batch: 20, Inputs: 650, Hidden: 650), Layers: 2),
        new("lstm-ptb-large", new RecurrentShape(CellKind.Lstm, Steps: 35, Batch: 20, Inputs: 1500, Hidden: 1500), Layers: 2),
        new("lstm-stream", new RecurrentShape(CellKind.Lstm, Steps: 1, Batch: 1, Inputs: 128, Hidden: 128), CarriesState: true),
        new("gru-stream", new RecurrentShape(CellKind.Gru, Steps: 1, Batch: 1, Inputs: 128, Hidden: 128), CarriesState: true),
        new("lstm-b1", new RecurrentShape(CellKind.Lstm, Steps: 20, Batch: 1, Inputs: 200, Hidden: 200), Layers: 2),
        new("lstm-b128-32-64", new RecurrentShape(CellKind.Lstm, Steps: 32, Batch: 128, Inputs: 32, Hidden: 64)),
    ];

    /// <summary>Whether a step takes seconds on a processor: such a case runs only on request.</summary>
    public bool IsLong => TrainingOperations > 5e10;

    /// <summary>
    /// Floating-point operations in the products of one training step: forward, back through the steps, weight gradients, and the input's gradients
    /// between layers.
    /// </summary>
    public double TrainingOperations
    {
        get
        {
            double perRow = 3.0 * Layers * Shape.Hidden + 2.0 * Shape.Inputs + 3.0 * (Layers - 1) * Shape.Hidden;
            return 2.0 * Shape.Steps * Shape.Batch * Shape.GateRows * perRow;
        }
    }

    /// <summary>
    /// Least memory traffic of a training step in bytes: inputs, states, their gradients and the gates of LSTM and GRU written once and read once in
    /// each direction, weights read twice, and seven numbers per weight for the optimiser.
    /// </summary>
    public double TrainingBytes
    {
        get
        {
            (_, int steps, int batch, int inputs, int hidden) = Shape;
            double gates = Shape.GateRows == hidden ? 0 : 4.0 * Shape.GateRows;
            double perRow = 2.0 * inputs + 2.0 * (Layers - 1) * hidden + Layers * (4.0 * hidden + gates);
            return sizeof(float) * ((double)steps * batch * perRow + (2 + 7) * (double)Parameters);
        }
    }

    /// <summary>
    /// Bytes of the tensors of a training step: weights, their gradients and Adam's two moments; input and target; of each layer the states, their
    /// gradients, and what backpropagation needs of the gates (GRU: and of their recurrent products) and the cell states.
    /// </summary>
    public double TensorBytes
    {
        get
        {
            (_, int steps, int batch, int inputs, int hidden) = Shape;
            CellSpec cell = Shape.Spec;
            double perRow = cell.Gates == 1 ? 0 : cell.Gates + (cell.HasCellState ? 1 : 0) + (cell.ResetsProduct ? cell.Gates : 0);
            return sizeof(float) * (4.0 * Parameters + (double)steps * batch * (inputs + hidden + Layers * (2 + perRow) * hidden));
        }
    }

    private long Parameters => (long)Shape.GateRows * (Shape.Inputs + Shape.Hidden + 2) + (Layers - 1L) * Shape.GateRows * (2 * Shape.Hidden + 2);

    /// <summary>How long <c>gsrnn bench</c> runs a case before it measures it.</summary>
    public static TimeSpan WarmUp { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Runs the case <paramref name="runs"/> times after a warm-up, as <see cref="MedianTime.Measure"/> has it.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="runs"/> is below one.</exception>
    public RecurrentTiming Run(IBackend backend, int runs = 7, TimeSpan warmUp = default)
    {
        using RecurrentBenchmarkState state = new(backend, Shape, Layers, CarriesState);
        double train = MedianTime.Measure(backend, state.Train, runs, warmUp);
        double infer = MedianTime.Measure(backend, state.Infer, runs, warmUp);
        return new RecurrentTiming(train, infer, TrainingOperations / train * 1e-6, TrainingBytes / train * 1e-6, state.Parameters)
        {
            DeviceBytes = backend is IlgpuBackend ilgpu ? ilgpu.Memory.LiveBytes : null,
        };
    }
}
