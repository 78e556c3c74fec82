using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>
/// One recurrent layer's operands, and its forward and backward pass by their definitions, in double precision, sequence by sequence: every cell,
/// both directions, initial states, unequal lengths. The loss is the sum of the products of <see cref="OutputGradient"/> with the valid hidden
/// states.
/// </summary>
public sealed class ReferenceLayer
{
    private readonly RecurrentShape shape;
    private readonly double[] gates; // [T, B, G*H], activated
    private readonly double[] product; // [T, B, G*H], W_hh h_before + b_hh
    private readonly double[] seen; // [T, B, H], what the last block of W_hh multiplies: h_before, or r h_before
    private readonly double[] before; // [T, B, H], h before the step
    private readonly double[] cellBefore; // [T, B, H], c before the step
    private readonly double[] cell; // [T, B, H], c after the step

    /// <summary>A layer whose operands the caller gives.</summary>
    public ReferenceLayer(RecurrentShape shape)
    {
        this.shape = shape;
        int rows = shape.GateRows, count = shape.Steps * shape.Batch;
        (gates, product, seen) = (new double[count * rows], new double[count * rows], new double[count * shape.Hidden]);
        (before, cellBefore, cell) = (new double[count * shape.Hidden], new double[count * shape.Hidden], new double[count * shape.Hidden]);
    }

    /// <summary>
    /// Draws a problem whose states neither die nor explode. For ReLU it draws again until no pre-activation is nearer to the kink than 1e-5, where
    /// single precision or a finite difference could fall on its other side.
    /// </summary>
    public ReferenceLayer(RecurrentShape shape, int seed, bool hasInitial, bool hasLengths)
        : this(shape)
    {
        (CellKind kind, int steps, int batch, int inputs, int hidden) = shape;
        int rows = shape.GateRows;

        // The first sequence has T steps, the second one or two, the third none.
        if (hasLengths) Lengths = [.. Enumerable.Range(0, batch).Select(b => b == 2 ? 0 : 1 + (b * 2 + steps - 1) % steps)];
        do
        {
            Input = Numbers.Normal((long)steps * batch * inputs, seed).ToDoubles();
            InputWeights = Numbers.Normal((long)rows * inputs, seed + 1, 0.7 / Math.Sqrt(inputs)).ToDoubles();
            HiddenWeights = Numbers.Normal((long)rows * hidden, seed + 2, 0.9 / Math.Sqrt(hidden)).ToDoubles();
            InputBias = Numbers.Normal(rows, seed + 3, 0.3).ToDoubles();
            HiddenBias = Numbers.Normal(rows, seed + 4, 0.3).ToDoubles();
            Initial = hasInitial ? Numbers.Normal((long)batch * hidden, seed + 5).ToDoubles() : null;
            Peepholes = shape.Spec.HasPeepholes ? Numbers.Normal(3L * hidden, seed + 8, 0.7).ToDoubles() : null;
            InitialCell = hasInitial && shape.Spec.HasCellState ? Numbers.Normal((long)batch * hidden, seed + 6).ToDoubles() : null;
            OutputGradient = Numbers.Normal((long)steps * batch * hidden, seed + 7).ToDoubles();
            seed += 100;
            Forward();
        }
        while (kind == CellKind.RnnRelu && Margin < 1e-5);
    }

    public double[] Input { get; init; } = []; // [T, B, I]

    public double[] InputWeights { get; init; } = []; // [G*H, I]

    public double[] HiddenWeights { get; init; } = []; // [G*H, H]

    public double[] InputBias { get; init; } = []; // [G*H]

    public double[] HiddenBias { get; init; } = []; // [G*H]

    public double[]? Peepholes { get; init; } // [3H], of i, f, o

    public double[]? Initial { get; init; } // [B, H]

    public double[]? InitialCell { get; init; } // [B, H]

    public int[]? Lengths { get; init; } // [B]

    public double[] OutputGradient { get; init; } = []; // [T, B, H]

    /// <summary>Added to the hidden states on their way to W_hh and out, not to a cell's own memory (c of an LSTM, z h of a GRU); [T, B, H].</summary>
    public double[]? Perturbation { get; init; }

    /// <summary>The smallest pre-activation of the last forward pass, in size.</summary>
    public double Margin { get; private set; }

    /// <summary>Hidden states of all steps [T, B, H], and the state after the last step walked, h and c [B, H].</summary>
    public (double[] Output, double[] FinalHidden, double[] FinalCell) Forward()
    {
        (CellKind kind, int steps, int batch, int inputs, int n) = shape;
        int rows = shape.GateRows;
        double[] output = new double[steps * batch * n];
        double[] finalHidden = new double[batch * n];
        double[] finalCell = new double[batch * n];
        Margin = double.PositiveInfinity;
        for (int b = 0; b < batch; b++)
        {
            double[] h = Initial is null ? new double[n] : Initial[(b * n)..((b + 1) * n)];
            double[] memory = [.. h];
            double[] c = InitialCell is null ? new double[n] : InitialCell[(b * n)..((b + 1) * n)];
            foreach (int t in Walk(b))
            {
                int at = t * batch + b;
                h.CopyTo(before, at * n);
                c.CopyTo(cellBefore, at * n);
                double[] fromInput = new double[rows];
                for (int r = 0; r < rows; r++)
                {
                    fromInput[r] = InputBias[r];
                    for (int i = 0; i < inputs; i++) fromInput[r] += InputWeights[r * inputs + i] * Input[at * inputs + i];
                    double sum = HiddenBias[r];
                    for (int i = 0; i < n; i++) sum += HiddenWeights[r * n + i] * h[i];
                    product[at * rows + r] = sum;
                    Margin = Math.Min(Margin, Math.Abs(fromInput[r] + sum));
                }

                h.CopyTo(seen, at * n);
                for (int j = 0; kind == CellKind.GruResetBefore && j < n; j++)
                {
                    gates[at * rows + j] = Sigmoid(fromInput[j] + product[at * rows + j]);
                    seen[at * n + j] *= gates[at * rows + j];
                }

                for (int r = 2 * n; kind == CellKind.GruResetBefore && r < rows; r++)
                {
                    product[at * rows + r] = HiddenBias[r];
                    for (int i = 0; i < n; i++) product[at * rows + r] += HiddenWeights[r * n + i] * seen[at * n + i];
                }

                for (int j = 0; j < n; j++)
                {
                    double Sum(int gate) => fromInput[gate * n + j] + product[at * rows + gate * n + j];
                    double Gate(int gate, double value) => gates[at * rows + gate * n + j] = value;
                    switch (kind)
                    {
                        case CellKind.Lstm:
                            c[j] = Gate(1, Sigmoid(Sum(1))) * c[j] + Gate(0, Sigmoid(Sum(0))) * Gate(2, Math.Tanh(Sum(2)));
                            h[j] = Gate(3, Sigmoid(Sum(3))) * Math.Tanh(c[j]);
                            break;
                        case CellKind.LstmPeephole:
                            double old = c[j];
                            c[j] = Gate(1, Sigmoid(Sum(1) + (Peepholes![n + j] * old))) * old
                                + Gate(0, Sigmoid(Sum(0) + (Peepholes[j] * old))) * Gate(2, Math.Tanh(Sum(2)));
                            h[j] = Gate(3, Sigmoid(Sum(3) + (Peepholes[2 * n + j] * c[j]))) * Math.Tanh(c[j]);
                            break;
                        case CellKind.Gru:
                            double reset = Gate(0, Sigmoid(Sum(0)));
                            double update = Gate(1, Sigmoid(Sum(1)));
                            double fresh = Gate(2, Math.Tanh(fromInput[2 * n + j] + reset * product[at * rows + 2 * n + j]));
                            h[j] = memory[j] = (1 - update) * fresh + update * memory[j];
                            break;
                        case CellKind.GruResetBefore:
                            double keep = Gate(1, Sigmoid(Sum(1)));
                            h[j] = memory[j] = (1 - keep) * Gate(2, Math.Tanh(Sum(2))) + keep * memory[j];
                            break;
                        default:
                            h[j] = Gate(0, kind == CellKind.RnnTanh ? Math.Tanh(Sum(0)) : Math.Max(Sum(0), 0));
                            break;
                    }

                    if (Perturbation is not null) h[j] += Perturbation[at * n + j];
                }

                h.CopyTo(output, at * n);
                c.CopyTo(cell, at * n);
            }

            h.CopyTo(finalHidden, b * n);
            c.CopyTo(finalCell, b * n);
        }

        return (output, finalHidden, finalCell);
    }

    /// <summary>The loss: only the steps from number <paramref name="from"/> on, in the order of walking, have an output gradient.</summary>
    public double Loss(int from) => ReferenceMatrix.Dot(Forward().Output, GradientFrom(from));

    /// <summary>The gradients of <see cref="Loss"/> by backpropagation through time.</summary>
    public LayerGradients Backward(int from)
    {
        (CellKind kind, int steps, int batch, int inputs, int n) = shape;
        int rows = shape.GateRows;
        Forward();
        double[] given = GradientFrom(from);
        double[] delta = new double[steps * batch * rows]; // of the input's projection
        double[] back = new double[steps * batch * rows]; // of the recurrent product
        double[] peepholes = new double[Peepholes?.Length ?? 0];
        double[] initial = new double[batch * n];
        double[] initialCell = new double[batch * n];
        for (int b = 0; b < batch; b++)
        {
            double[] dh = new double[n];
            double[] dc = new double[n];
            foreach (int t in Walk(b).Reverse())
            {
                int at = t * batch + b;
                double[] next = new double[n];
                for (int j = 0; j < n; j++)
                {
                    double d = dh[j] + given[at * n + j];
                    double Gate(int gate) => gates[at * rows + gate * n + j];
                    void Put(int gate, double value, double factor = 1)
                    {
                        delta[at * rows + gate * n + j] = value;
                        back[at * rows + gate * n + j] = factor * value;
                    }

                    switch (kind)
                    {
                        case CellKind.Lstm:
                            double squashed = Math.Tanh(cell[at * n + j]);
                            double dCell = dc[j] + d * Gate(3) * (1 - squashed * squashed);
                            Put(0, dCell * Gate(2) * Gate(0) * (1 - Gate(0)));
                            Put(1, dCell * cellBefore[at * n + j] * Gate(1) * (1 - Gate(1)));
                            Put(2, dCell * Gate(0) * (1 - Gate(2) * Gate(2)));
                            Put(3, d * squashed * Gate(3) * (1 - Gate(3)));
                            dc[j] = dCell * Gate(1);
                            break;
                        case CellKind.LstmPeephole:
                            double after = cell[at * n + j], old = cellBefore[at * n + j], bent = Math.Tanh(after);
                            double dOut = d * bent * Gate(3) * (1 - Gate(3));
                            double dc2 = dc[j] + d * Gate(3) * (1 - bent * bent) + dOut * Peepholes![2 * n + j];
                            double dIn = dc2 * Gate(2) * Gate(0) * (1 - Gate(0)), dForget = dc2 * old * Gate(1) * (1 - Gate(1));
                            Put(0, dIn);
                            Put(1, dForget);
                            Put(2, dc2 * Gate(0) * (1 - Gate(2) * Gate(2)));
                            Put(3, dOut);
                            dc[j] = dc2 * Gate(1) + dIn * Peepholes[j] + dForget * Peepholes[n + j];
                            peepholes[j] += dIn * old;
                            peepholes[n + j] += dForget * old;
                            peepholes[2 * n + j] += dOut * after;
                            break;
                        case CellKind.Gru:
                            double dFresh = d * (1 - Gate(1)) * (1 - Gate(2) * Gate(2));
                            Put(0, dFresh * product[at * rows + 2 * n + j] * Gate(0) * (1 - Gate(0)));
                            Put(1, d * (before[at * n + j] - Gate(2)) * Gate(1) * (1 - Gate(1)));
                            Put(2, dFresh, Gate(0));
                            next[j] = d * Gate(1);
                            break;
                        case CellKind.GruResetBefore:
                            Put(1, d * (before[at * n + j] - Gate(2)) * Gate(1) * (1 - Gate(1)));
                            Put(2, d * (1 - Gate(1)) * (1 - Gate(2) * Gate(2)));
                            next[j] = d * Gate(1);
                            break;
                        default:
                            Put(0, d * (kind == CellKind.RnnTanh ? 1 - Gate(0) * Gate(0) : Gate(0) > 0 ? 1 : 0));
                            break;
                    }
                }

                for (int j = 0; kind == CellKind.GruResetBefore && j < n; j++)
                {
                    double ofReset = 0, gate = gates[at * rows + j];
                    for (int r = 2 * n; r < rows; r++) ofReset += back[at * rows + r] * HiddenWeights[r * n + j];
                    delta[at * rows + j] = back[at * rows + j] = ofReset * before[at * n + j] * gate * (1 - gate);
                    next[j] += ofReset * gate;
                }

                for (int r = 0; r < (kind == CellKind.GruResetBefore ? 2 * n : rows); r++)
                {
                    for (int j = 0; j < n; j++) next[j] += back[at * rows + r] * HiddenWeights[r * n + j];
                }

                dh = next;
            }

            dh.CopyTo(initial, b * n);
            dc.CopyTo(initialCell, b * n);
        }

        int count = steps * batch, block = rows - n;
        double[] others = ReferenceMatrix.Gemm(rows, n, count, 1, back, true, before, false), last = ReferenceMatrix.Gemm(rows, n, count, 1, back, true, seen, false);
        return new LayerGradients(
            ReferenceMatrix.Gemm(rows, inputs, count, 1, delta, true, Input, false),
            [.. others[..(block * n)], .. last[(block * n)..]],
            ReferenceMatrix.ColumnSums(count, rows, delta),
            ReferenceMatrix.ColumnSums(count, rows, back),
            ReferenceMatrix.Gemm(count, inputs, rows, 1, delta, false, InputWeights, false),
            initial,
            initialCell,
            back)
        {
            Peepholes = peepholes,
        };
    }

    /// <summary>The gradients of <see cref="Loss"/> by finite differences; without that of the product.</summary>
    public LayerGradients Differentiate(int from)
    {
        double[] Of(double[]? operand) => operand is null ? [] : FiniteDifferences.Gradient(() => Loss(from), operand);
        return new LayerGradients(
            Of(InputWeights), Of(HiddenWeights), Of(InputBias), Of(HiddenBias), Of(Input), Of(Initial), Of(InitialCell), [])
        {
            Peepholes = Of(Peepholes),
        };
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    // The valid steps of sequence b in the order of walking.
    private IEnumerable<int> Walk(int b)
    {
        int length = Lengths?[b] ?? shape.Steps;
        return shape.IsReverse ? Enumerable.Range(0, length).Reverse() : Enumerable.Range(0, length);
    }

    private double[] GradientFrom(int from)
    {
        (_, int steps, int batch, _, int n) = shape;
        double[] gradient = [.. OutputGradient];
        for (int number = 0; number < from; number++)
            gradient.AsSpan((shape.IsReverse ? steps - 1 - number : number) * batch * n, batch * n).Clear();
        return gradient;
    }
}

/// <summary>
/// Gradients by a layer's weights [G*H, I], [G*H, H], [G*H], [G*H], its input [T, B, I], its initial state h and c [B, H] (c: zero for cells
/// without), and by the recurrent product [T, B, G*H].
/// </summary>
public sealed record LayerGradients(
    double[] InputWeights,
    double[] HiddenWeights,
    double[] InputBias,
    double[] HiddenBias,
    double[] Input,
    double[] Initial,
    double[] InitialCell,
    double[] Product)
{
    public double[] Peepholes { get; init; } = []; // [3H]
}
