using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>One Elman layer's operands, and its forward and backward pass by their definitions, in double precision.</summary>
public sealed class ReferenceElman
{
    private readonly RecurrentShape shape;

    /// <summary>
    /// Draws a problem. Weights are scaled so that states neither die nor explode. For ReLU it draws again until no pre-activation is nearer to the
    /// kink
    /// than 1e-5, where single precision or a finite difference could fall on its other side.
    /// </summary>
    public ReferenceElman(RecurrentShape shape, int seed, bool hasInitial)
    {
        this.shape = shape;
        (_, int steps, int batch, int inputs, int hidden) = shape;
        do
        {
            Input = Numbers.Normal((long)steps * batch * inputs, seed).ToDoubles();
            InputWeights = Numbers.Normal((long)hidden * inputs, seed + 1, 0.7 / Math.Sqrt(inputs)).ToDoubles();
            HiddenWeights = Numbers.Normal((long)hidden * hidden, seed + 2, 0.9 / Math.Sqrt(hidden)).ToDoubles();
            InputBias = Numbers.Normal(hidden, seed + 3, 0.3).ToDoubles();
            HiddenBias = Numbers.Normal(hidden, seed + 4, 0.3).ToDoubles();
            Initial = hasInitial ? Numbers.Normal((long)batch * hidden, seed + 5).ToDoubles() : null;
            OutputGradient = Numbers.Normal((long)steps * batch * hidden, seed + 6).ToDoubles();
            seed += 100;
            Forward();
        }
        while (shape.Cell == CellKind.RnnRelu && Margin < 1e-5);
    }

    /// <summary>[T, B, I].</summary>
    public double[] Input { get; }

    /// <summary>[H, I].</summary>
    public double[] InputWeights { get; }

    /// <summary>[H, H].</summary>
    public double[] HiddenWeights { get; }

    /// <summary>[H].</summary>
    public double[] InputBias { get; }

    /// <summary>[H].</summary>
    public double[] HiddenBias { get; }

    /// <summary>[B, H] or none.</summary>
    public double[]? Initial { get; }

    /// <summary>[T, B, H]; the loss is the sum of its products with the hidden states.</summary>
    public double[] OutputGradient { get; }

    /// <summary>The smallest pre-activation of the last forward pass, in size.</summary>
    public double Margin { get; private set; }

    /// <summary>h_1..h_T as [T, B, H].</summary>
    public double[] Forward()
    {
        (CellKind cell, int steps, int batch, int inputs, int hidden) = shape;
        double[] output = new double[steps * batch * hidden];
        Margin = double.PositiveInfinity;
        for (int t = 0; t < steps; t++)
        {
            for (int b = 0; b < batch; b++)
            {
                for (int j = 0; j < hidden; j++)
                {
                    double a = InputBias[j] + HiddenBias[j];
                    for (int i = 0; i < inputs; i++) a += InputWeights[j * inputs + i] * Input[(t * batch + b) * inputs + i];
                    for (int i = 0; i < hidden; i++) a += HiddenWeights[j * hidden + i] * Before(output, t, b, i);
                    output[(t * batch + b) * hidden + j] = cell == CellKind.RnnTanh ? Math.Tanh(a) : Math.Max(a, 0);
                    Margin = Math.Min(Margin, Math.Abs(a));
                }
            }
        }

        return output;
    }

    /// <summary>The loss: sum over t >= from of outputGradient h.</summary>
    public double Loss(int from) => ReferenceMatrix.Dot(Forward(), GradientFrom(from));

    /// <summary>The gradients of <see cref="Loss"/> by backpropagation through time.</summary>
    public ElmanGradients Backward(int from)
    {
        (CellKind cell, int steps, int batch, int inputs, int hidden) = shape;
        double[] h = Forward();
        double[] delta = GradientFrom(from); // [T, B, H]
        double[] previous = new double[steps * batch * hidden]; // h_{t-1}, [T, B, H]
        for (int t = steps - 1; t >= 0; t--)
        {
            for (int b = 0; b < batch; b++)
            {
                for (int j = 0; j < hidden; j++)
                {
                    int at = (t * batch + b) * hidden + j;
                    previous[at] = Before(h, t, b, j);
                    for (int i = 0; i < hidden && t + 1 < steps; i++)
                        delta[at] += HiddenWeights[i * hidden + j] * delta[((t + 1) * batch + b) * hidden + i];
                    delta[at] *= cell == CellKind.RnnTanh ? 1 - h[at] * h[at] : h[at] > 0 ? 1 : 0;
                }
            }
        }

        int rows = steps * batch;
        double[] bias = ReferenceMatrix.ColumnSums(rows, hidden, delta);
        return new ElmanGradients(
            ReferenceMatrix.Gemm(hidden, inputs, rows, 1, delta, true, Input, false),
            ReferenceMatrix.Gemm(hidden, hidden, rows, 1, delta, true, previous, false),
            bias,
            bias,
            ReferenceMatrix.Gemm(rows, inputs, hidden, 1, delta, false, InputWeights, false),
            ReferenceMatrix.Gemm(batch, hidden, hidden, 1, delta, false, HiddenWeights, false));
    }

    /// <summary>The gradients of <see cref="Loss"/> by finite differences.</summary>
    public ElmanGradients Differentiate(int from)
    {
        double[] Of(double[] operand) => FiniteDifferences.Gradient(() => Loss(from), operand);
        return new ElmanGradients(Of(InputWeights), Of(HiddenWeights), Of(InputBias), Of(HiddenBias), Of(Input), Initial is null ? [] : Of(Initial));
    }

    private double Before(double[] output, int t, int b, int j)
    {
        int at = b * shape.Hidden + j;
        return t > 0 ? output[(t - 1) * shape.Batch * shape.Hidden + at] : Initial?[at] ?? 0;
    }

    private double[] GradientFrom(int from)
    {
        double[] gradient = [.. OutputGradient];
        gradient.AsSpan(0, from * shape.Batch * shape.Hidden).Clear();
        return gradient;
    }
}

/// <summary>Gradients by a layer's weights, [H, I], [H, H], [H], [H], its input [T, B, I] and its initial state [B, H].</summary>
public sealed record ElmanGradients(
    double[] InputWeights, double[] HiddenWeights, double[] InputBias, double[] HiddenBias, double[] Input, double[] Initial);
