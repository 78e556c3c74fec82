using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The long short-term memory as PyTorch has it, gates i, f, g, o: with a = x_t W_ih^T + b_ih + h_{t-1} W_hh^T + b_hh, c_t = sigmoid(a_f) c_{t-1} +
/// sigmoid(a_i) tanh(a_g) and h_t = sigmoid(a_o) tanh(c_t).
/// </summary>
internal readonly struct LstmCell : ICell
{
    public static int Gates => 4;

    public static ArrayView<float> ProductGradient(RecurrentViews views) => views.Gates;

    public static void Forward(RecurrentViews views, RecurrentStep step, int row, int unit, Float4 sums)
    {
        ArrayView<float> gates = views.Gates; // [T, B, 4H], x_t W_ih^T before
        ArrayView<float> states = views.States; // h [T + 1, B, H]
        ArrayView<float> cellStates = views.CellStates; // c [T + 1, B, H]
        ArrayView<float> output = views.Output; // [T, B, H]
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int before = step.Place(step.Before, row, unit);
        int after = step.Place(step.After, row, unit);
        int place = step.Place(step.Time, row, unit);
        if (step.Time >= views.Lengths[row])
        {
            states[after] = states[before];
            cellStates[after] = cellStates[before];
            output[place] = 0f;
            return;
        }

        QuadIndices blocks = QuadIndices.Create(unit, width, 4 * width, 1);
        Float4 inputBiases = blocks.Load(views.InputBias, 0);
        Float4 hiddenBiases = blocks.Load(views.HiddenBias, 0);
        int gate = (step.Time * step.Batch + row) * 4 * width + unit;
        float i = Elementary.Sigmoid(gates[gate] + (inputBiases.X + hiddenBiases.X) + sums.X);
        float f = Elementary.Sigmoid(gates[gate + width] + (inputBiases.Y + hiddenBiases.Y) + sums.Y);
        float g = Elementary.Tanh(gates[gate + 2 * width] + (inputBiases.Z + hiddenBiases.Z) + sums.Z);
        float o = Elementary.Sigmoid(gates[gate + 3 * width] + (inputBiases.W + hiddenBiases.W) + sums.W);
        float c = f * cellStates[before] + i * g;
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
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int state = step.Place(0, row, unit);
        int gate = (step.Time * step.Batch + row) * 4 * width + unit;
        bool isLast = step.Summed == 0;
        float dh = isLast ? 0f : sum + carry[state];
        float dc = isLast ? 0f : cellCarry[state];
        if (step.Time >= views.Lengths[row])
        {
            carry[state] = dh;
            cellCarry[state] = dc;
            gates[gate] = 0f;
            gates[gate + width] = 0f;
            gates[gate + 2 * width] = 0f;
            gates[gate + 3 * width] = 0f;
            return;
        }

        if (step.HasGradient != 0) dh += views.OutputGradient[step.Place(step.Time, row, unit)];
        float i = gates[gate];
        float f = gates[gate + width];
        float g = gates[gate + 2 * width];
        float o = gates[gate + 3 * width];
        float t = Elementary.Tanh(cellStates[step.Place(step.After, row, unit)]);
        dc += dh * o * (1f - t * t);
        gates[gate] = dc * g * i * (1f - i);
        gates[gate + width] = dc * cellStates[step.Place(step.Before, row, unit)] * f * (1f - f);
        gates[gate + 2 * width] = dc * i * (1f - g * g);
        gates[gate + 3 * width] = dh * t * o * (1f - o);
        carry[state] = 0f;
        cellCarry[state] = dc * f;
    }
}
