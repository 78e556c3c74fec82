namespace GpuSpectralRnn.Compute;

/// <summary>The tensors of one benchmark case, and its two steps.</summary>
internal sealed class RecurrentBenchmarkState : IDisposable
{
    private readonly IBackend backend;
    private readonly List<IDisposable> owned = [];
    private readonly RecurrentWorkspace workspace;
    private readonly Tensor parameters; // [P]
    private readonly Tensor gradients; // [P]
    private readonly Tensor firstMoment; // [P]
    private readonly Tensor secondMoment; // [P]
    private readonly RecurrentWeights weights;
    private readonly RecurrentWeights weightGradients;
    private readonly Tensor input; // [T, B, I]
    private readonly Tensor output; // [T, B, H]
    private readonly Tensor outputGradient; // [T, B, H]
    private readonly Tensor target; // [T, B, H], zero
    private readonly LossTotals totals;
    private long step;

    /// <summary>Allocates on <paramref name="backend"/> and draws weights (PyTorch's uniform of +-1/sqrt(H)) and standard normal inputs.</summary>
    public RecurrentBenchmarkState(IBackend backend, RecurrentShape shape)
    {
        this.backend = backend;
        (CellKind cell, int steps, int batch, int inputs, int hidden) = shape;
        Parameters = (long)hidden * (inputs + hidden + 2);
        int count = checked((int)Parameters);
        parameters = Zeros(count);
        gradients = Zeros(count);
        firstMoment = Zeros(count);
        secondMoment = Zeros(count);
        weights = Split(parameters, inputs, hidden);
        weightGradients = Split(gradients, inputs, hidden);
        input = Zeros(steps, batch, inputs);
        output = Zeros(steps, batch, hidden);
        outputGradient = Zeros(steps, batch, hidden);
        target = Zeros(steps, batch, hidden);
        workspace = Own(backend.Recurrent.Prepare(shape, isTraining: true));
        totals = Own(backend.Loss.CreateTotals());
        float bound = 1 / MathF.Sqrt(hidden);
        backend.Random.Uniform(parameters, seed: 0, stream: 0, -bound, bound);
        backend.Random.Normal(input, seed: 0, stream: 1, 0, 1);
        if (cell == CellKind.RnnRelu) SetIdentity(weights.HiddenWeights, 0.9f);
    }

    /// <summary>Number of weights and biases.</summary>
    public long Parameters { get; }

    /// <summary>Forward, loss, backward and Adam.</summary>
    public void Train()
    {
        backend.Fill(gradients, 0);
        backend.Recurrent.Forward(workspace, weights, input, null, output);
        backend.Loss.MeanSquaredError(output, target, 1f / output.Shape.Rows, outputGradient, totals);
        backend.Recurrent.Backward(workspace, weights, input, null, output, outputGradient, 0, weightGradients, null, null);
        backend.Optimizer.Adam(parameters, gradients, firstMoment, secondMoment, 1e-4f, 0.9f, 0.999f, 1e-8f, 0, decoupled: false, ++step);
    }

    /// <summary>Forward only.</summary>
    public void Infer() => backend.Recurrent.Forward(workspace, weights, input, null, output);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable thing in owned) thing.Dispose();
    }

    private static void SetIdentity(Tensor square, float value)
    {
        int extent = square.Shape[0];
        float[] values = new float[extent * extent];
        for (int i = 0; i < extent; i++) values[i * (extent + 1)] = value;
        square.CopyFrom<float>(values);
    }

    private static RecurrentWeights Split(Tensor flat, int inputs, int hidden)
    {
        int biases = hidden * (inputs + hidden);
        return new RecurrentWeights(
            flat.View(0, hidden, inputs),
            flat.View(hidden * inputs, hidden, hidden),
            flat.View(biases, hidden),
            flat.View(biases + hidden, hidden));
    }

    private Tensor Zeros(params int[] extents) => Own(backend.Allocate(new Shape(extents)));

    private T Own<T>(T thing)
        where T : IDisposable
    {
        owned.Add(thing);
        return thing;
    }
}
