using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Cli.Benchmarks;

/// <summary>The tensors of one benchmark case, and its two steps.</summary>
public sealed class RecurrentBenchmarkState : IDisposable
{
    private readonly IBackend backend;
    private readonly DisposableBag owned = new();
    private readonly Tensor parameters; // [P]
    private readonly Tensor gradients; // [P]
    private readonly Tensor firstMoment; // [P]
    private readonly Tensor secondMoment; // [P]
    private readonly Layer[] layers;
    private readonly Tensor input; // [T, B, I]
    private readonly Tensor target; // [T, B, H], zero
    private readonly LossTotals totals;
    private readonly bool carriesState;
    private long step;
    private int pass; // 0 or 1: which of two states a pass begins from

    /// <summary>Allocates on <paramref name="backend"/> and draws weights (PyTorch's uniform of +-1/sqrt(H)) and standard normal inputs.</summary>
    public RecurrentBenchmarkState(IBackend backend, RecurrentShape shape, int count, bool carriesState = false)
    {
        this.backend = backend;
        this.carriesState = carriesState;
        (CellKind cell, int steps, int batch, int inputs, int hidden) = shape;
        long rows = shape.GateRows;
        Parameters = rows * (inputs + hidden + 2) + (count - 1) * rows * (hidden + hidden + 2);
        int size = checked((int)Parameters);
        parameters = Zeros(size);
        gradients = Zeros(size);
        firstMoment = Zeros(size);
        secondMoment = Zeros(size);
        input = Zeros(steps, batch, inputs);
        target = Zeros(steps, batch, hidden);
        totals = owned.Keep(backend.Loss.CreateTotals());
        float bound = 1 / MathF.Sqrt(hidden);
        backend.Random.Uniform(new(parameters, Seed: 0, Stream: 0, -bound, bound));
        backend.Random.Normal(new(input, Seed: 0, Stream: 1, 0, 1));
        layers = new Layer[count];
        int offset = 0;
        for (int i = 0; i < count; i++)
        {
            RecurrentShape own = i == 0 ? shape : shape with { Inputs = hidden };
            RecurrentWorkspace workspace = owned.Keep(backend.Recurrent.Prepare(own, isTraining: true));
            layers[i] = new Layer(
                workspace,
                owned.Keep(backend.Recurrent.Prepare(own, isTraining: false)),
                Split(parameters, offset, own),
                Split(gradients, offset, own),
                workspace.Outputs ?? Zeros(steps, batch, hidden),
                Zeros(steps, batch, hidden),
                carriesState ? [StateOf(own), StateOf(own)] : []);
            offset += own.GateRows * (own.Inputs + hidden + 2);
            if (cell == CellKind.RnnRelu) SetIdentity(layers[i].Weights.HiddenWeights, 0.9f);
        }
    }

    /// <summary>Number of weights and biases.</summary>
    public long Parameters { get; }

    /// <summary>Forward, loss, backward and Adam.</summary>
    public void Train()
    {
        backend.Fill(gradients, 0);
        Forward(isTraining: true, carries: false);
        Layer last = layers[^1];
        backend.Loss.MeanSquaredError(new(last.Output, target, 1f / last.Output.Shape.Rows, last.OutputGradient, totals));
        for (int i = layers.Length - 1; i >= 0; i--)
        {
            (RecurrentWorkspace workspace, _, RecurrentWeights weights, RecurrentWeights weightGradients, Tensor output, Tensor outputGradient, _) =
                layers[i];
            Tensor? inputGradient = i == 0 ? null : layers[i - 1].OutputGradient;
            backend.Recurrent.Backward(new(workspace, weights, InputOf(i), null, output, outputGradient, 0, weightGradients, inputGradient, null));
        }

        backend.Optimizer.Adam(new(parameters, gradients, firstMoment, secondMoment, new(1e-4f, 0.9f, 0.999f, 1e-8f, 0, decoupled: false, ++step)));
    }

    /// <summary>Forward only, where the state is carried from the end of the pass before.</summary>
    public void Infer()
    {
        Forward(isTraining: false, carriesState);
        pass = 1 - pass;
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();

    private void Forward(bool isTraining, bool carries)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            (RecurrentWorkspace training, RecurrentWorkspace inference, RecurrentWeights weights, _, Tensor output, _, RecurrentState[] states) = layers[i];
            RecurrentWorkspace workspace = isTraining ? training : inference;
            (RecurrentState? from, RecurrentState? to) = carries ? (states[pass], states[1 - pass]) : (null, null);
            backend.Recurrent.Forward(new(workspace, weights, InputOf(i), from, output, to));
        }
    }

    private RecurrentState StateOf(RecurrentShape shape) =>
        new(Zeros(shape.Batch, shape.Hidden), shape.Spec.HasCellState ? Zeros(shape.Batch, shape.Hidden) : null);

    private static void SetIdentity(Tensor square, float value)
    {
        int extent = square.Shape[0];
        float[] values = new float[extent * extent];
        for (int i = 0; i < extent; i++) values[i * (extent + 1)] = value;
        square.CopyFrom<float>(values);
    }

    private static RecurrentWeights Split(Tensor flat, int offset, RecurrentShape shape)
    {
        int rows = shape.GateRows;
        int hidden = offset + rows * shape.Inputs;
        int biases = hidden + rows * shape.Hidden;
        return new RecurrentWeights(
            flat.View(offset, rows, shape.Inputs), flat.View(hidden, rows, shape.Hidden), flat.View(biases, rows), flat.View(biases + rows, rows));
    }

    private Tensor InputOf(int layer) => layer == 0 ? input : layers[layer - 1].Output;

    private Tensor Zeros(params int[] extents) => owned.Keep(backend.Allocate(new Shape(extents)));

    // output and outputGradient [T, B, H]; two states that take turns, where they are carried
    private sealed record Layer(
        RecurrentWorkspace Training,
        RecurrentWorkspace Inference,
        RecurrentWeights Weights,
        RecurrentWeights Gradients,
        Tensor Output,
        Tensor OutputGradient,
        RecurrentState[] States);
}
