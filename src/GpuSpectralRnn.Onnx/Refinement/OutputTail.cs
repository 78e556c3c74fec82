using GpuSpectralRnn.Onnx.Graphs;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>
/// The row-wise operators from the states of a recurrent node to one of the graph's values, through which refinement backpropagates.
/// </summary>
/// <param name="Modules">The operators in order; empty where nothing behind the node is known.</param>
/// <param name="Scope">A scope in which the value is visible.</param>
/// <param name="Value">The name of the last value.</param>
internal sealed record OutputTail(IReadOnlyList<TailModule> Modules, Scope Scope, string Value)
{
    /// <summary>
    /// Whether the last operator is a sigmoid or softmax; the loss is then the cross-entropy, with its gradient before that operator.
    /// </summary>
    public bool IsProbability => Modules.Count > 0 && (ReferenceEquals(Modules[^1], PointwiseModule.Sigmoid) || Modules[^1] is SoftmaxModule);

    /// <summary>Row width of the last value.</summary>
    public int Width(int units) => Modules.Aggregate(units, (width, module) => module.Width(width));

    /// <summary>The last value [rows, M].</summary>
    /// <param name="states">[rows, U].</param>
    /// <param name="rows">Number of rows.</param>
    public float[] Apply(float[] states, int rows) => Run(states, rows)[^1];

    /// <summary>
    /// The gradient with respect to the states [rows, U] of the loss against the target, averaged over the rows: the cross-entropy where the value is
    /// a probability, else half the squared difference, divided by <paramref name="scale"/>.
    /// </summary>
    /// <param name="states">[rows, U].</param>
    /// <param name="wanted">[rows, M].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="scale">Of a squared difference.</param>
    public float[] Gradient(float[] states, ReadOnlySpan<float> wanted, int rows, float scale)
    {
        float[][] values = Run(states, rows);
        float factor = 1f / (rows * (IsProbability ? 1 : scale));
        float[] gradient = new float[wanted.Length];
        for (int i = 0; i < gradient.Length; i++) gradient[i] = factor * (values[^1][i] - wanted[i]);

        // The cross-entropy's gradient before the sigmoid or softmax is the difference behind it.
        for (int i = Modules.Count - 1 - (IsProbability ? 1 : 0); i >= 0; i--)
        {
            float[] before = new float[values[i].Length];
            Modules[i].Backward(values[i], values[i + 1], gradient, before, rows);
            gradient = before;
        }

        return gradient;
    }

    /// <summary>
    /// The gradient with respect to the states [rows, U] of a random direction of the last value, row by row: its expected outer product is the
    /// curvature of <see cref="Gradient"/>'s loss at the states themselves. For a probability the direction is that of drawn outcomes (the Fisher
    /// information), else of random signs.
    /// </summary>
    /// <param name="states">[rows, U].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="scale">Of a squared difference.</param>
    /// <param name="random">Source of the directions.</param>
    public float[] Probe(float[] states, int rows, float scale, Random random)
    {
        float[] values = Apply(states, rows), drawn = new float[values.Length];
        int width = rows == 0 ? 0 : values.Length / rows;
        bool isShare = Modules.Count > 0 && Modules[^1] is SoftmaxModule;
        for (int row = 0; row < rows && isShare; row++)
        {
            Span<float> share = values.AsSpan(row * width, width);
            float left = random.NextSingle();
            int outcome = 0;
            while (outcome < width - 1 && (left -= share[outcome]) > 0) outcome++;
            drawn[row * width + outcome] = 1;
        }

        for (int i = 0; i < values.Length && !isShare; i++)
        {
            drawn[i] = IsProbability
                ? random.NextSingle() < values[i] ? 1 : 0
                : values[i] - MathF.Sqrt(scale) * (random.Next(2) * 2 - 1);
        }

        float[] gradient = Gradient(states, drawn, rows, scale);
        System.Numerics.Tensors.TensorPrimitives.Multiply<float>(gradient, rows, gradient); // which the mean over rows divided by
        return gradient;
    }

    // The states, then what every module makes.
    private float[][] Run(float[] states, int rows)
    {
        float[][] values = new float[Modules.Count + 1][];
        values[0] = states;
        int width = rows == 0 ? 0 : states.Length / rows;
        for (int i = 0; i < Modules.Count; i++)
        {
            width = Modules[i].Width(width);
            values[i + 1] = new float[rows * width];
            Modules[i].Forward(values[i], values[i + 1], rows);
        }

        return values;
    }
}
