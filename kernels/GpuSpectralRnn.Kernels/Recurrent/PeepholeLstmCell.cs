using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The long short-term memory whose gates see the cell state, each unit its own (Gers, Schmidhuber 2000), gates i, f, g, o: with a as for
/// <see cref="LstmCell"/> and weights p_i, p_f, p_o, c_t = sigmoid(a_f + p_f c_{t-1}) c_{t-1} + sigmoid(a_i + p_i c_{t-1}) tanh(a_g) and
/// h_t = sigmoid(a_o + p_o c_t) tanh(c_t).
/// </summary>
internal readonly struct PeepholeLstmCell : ICell
{
    public static int Gates => 4;

    public static ArrayView<float> ProductGradient(RecurrentViews views) => views.Gates;

    public static void Forward(RecurrentViews views, RecurrentStep step, int row, int unit, Float4 sums)
    {
        ArrayView<float> gates = views.Gates; // [T, B, 4H], x_t W_ih^T before
        ArrayView<float> states = views.States; // h [T + 1, B, H]
        ArrayView<float> cellStates = views.CellStates; // c [T + 1, B, H]
        ArrayView<float> output = views.Output; // [T, B, H]
        ArrayView<float> peepholes = views.Peepholes; // [3H]
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int before = step.Place(step.Before, row, unit);
        int after = step.Place(step.After, row, unit);
        int place = step.Place(step.Time, row, unit);
        float c = cellStates[before];
        if (step.Time >= views.Lengths[row])
        {
            states[after] = states[before];
            cellStates[after] = c;
            output[place] = 0f;
            return;
        }

        QuadIndices blocks = QuadIndices.Create(unit, width, 4 * width, 1);
        Float4 inputBiases = blocks.Load(views.InputBias, 0);
        Float4 hiddenBiases = blocks.Load(views.HiddenBias, 0);
        int gate = (step.Time * step.Batch + row) * 4 * width + unit;
        float i = Elementary.Sigmoid(gates[gate] + (inputBiases.X + hiddenBiases.X) + sums.X + peepholes[unit] * c);
        float f = Elementary.Sigmoid(gates[gate + width] + (inputBiases.Y + hiddenBiases.Y) + sums.Y + peepholes[width + unit] * c);
        float g = Elementary.Tanh(gates[gate + 2 * width] + (inputBiases.Z + hiddenBiases.Z) + sums.Z);
        c = f * c + i * g;
        float o = Elementary.Sigmoid(gates[gate + 3 * width] + (inputBiases.W + hiddenBiases.W) + sums.W + peepholes[2 * width + unit] * c);
        float h = o * Elementary.Tanh(c);
        gates[gate] = i;
        gates[gate + width] = f;
        gates[gate + 2 * width] = g;
        gates[gate + 3 * width] = o;
        cellStates[after] = c;
        states[after] = h;
        output[place] = h;
    }

    public static void Backward(RecurrentViews views, RecurrentStep step, int row, int unit, float sum)
    {
        ArrayView<float> gates = views.Gates; // [T, B, 4H], replaced by the gradients of the pre-activations
        ArrayView<float> cellStates = views.CellStates; // c [T + 1, B, H]
        ArrayView<float> carry = views.Carry; // [B, H]
        ArrayView<float> cellCarry = views.CellCarry; // [B, H]
        ArrayView<float> peepholes = views.Peepholes; // [3H]
        ArrayView<float> peepholeSums = views.PeepholeSums; // [B, 3H], the peepholes' gradients over the steps so far
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int state = step.Place(0, row, unit);
        int gate = (step.Time * step.Batch + row) * 4 * width + unit;
        int peephole = row * 3 * width + unit;
        bool isLast = step.Summed == 0;
        float dh = isLast ? 0f : sum + carry[state];
        float dc = isLast ? 0f : cellCarry[state];
        float inputSum = isLast ? 0f : peepholeSums[peephole];
        float forgetSum = isLast ? 0f : peepholeSums[peephole + width];
        float outputSum = isLast ? 0f : peepholeSums[peephole + 2 * width];
        float di = 0f;
        float df = 0f;
        float dg = 0f;
        float dOut = 0f;
        if (step.Time < views.Lengths[row])
        {
            if (step.HasGradient != 0) dh += views.OutputGradient[step.Place(step.Time, row, unit)];
            float before = cellStates[step.Place(step.Before, row, unit)];
            float after = cellStates[step.Place(step.After, row, unit)];
            float i = gates[gate];
            float f = gates[gate + width];
            float g = gates[gate + 2 * width];
            float o = gates[gate + 3 * width];
            float t = Elementary.Tanh(after);
            dOut = dh * t * o * (1f - o);
            dc += dh * o * (1f - t * t) + dOut * peepholes[2 * width + unit];
            di = dc * g * i * (1f - i);
            df = dc * before * f * (1f - f);
            dg = dc * i * (1f - g * g);
            dc = dc * f + di * peepholes[unit] + df * peepholes[width + unit];
            dh = 0f;
            inputSum += di * before;
            forgetSum += df * before;
            outputSum += dOut * after;
        }

        carry[state] = dh;
        cellCarry[state] = dc;
        gates[gate] = di;
        gates[gate + width] = df;
        gates[gate + 2 * width] = dg;
        gates[gate + 3 * width] = dOut;
        peepholeSums[peephole] = inputSum;
        peepholeSums[peephole + width] = forgetSum;
        peepholeSums[peephole + 2 * width] = outputSum;
    }
}
