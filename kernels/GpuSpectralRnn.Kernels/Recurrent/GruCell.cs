using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The gated recurrent unit as PyTorch has it, gates r, z, n, the reset after the product: with a = x_t W_ih^T + b_ih and q = h_{t-1} W_hh^T + b_hh,
/// r = sigmoid(a_r + q_r), z = sigmoid(a_z + q_z), n = tanh(a_n + r q_n) and h_t = (1 - z) n + z h_{t-1}.
/// </summary>
internal readonly struct GruCell : ICell
{
    public static int Gates => 3;

    public static ArrayView<float> ProductGradient(RecurrentViews views) => views.ProductGradient;

    public static void Forward(RecurrentViews views, RecurrentStep step, int row, int unit, Float4 sums)
    {
        ArrayView<float> gates = views.Gates; // [T, B, 3H], x_t W_ih^T before
        ArrayView<float> products = views.ProductGradient; // [T, B, 3H]: q_n in its block n, where it is kept
        ArrayView<float> states = views.States; // [T + 1, B, H]
        ArrayView<float> output = views.Output; // [T, B, H]
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int after = step.Place(step.After, row, unit);
        int place = step.Place(step.Time, row, unit);
        float before = states[step.Place(step.Before, row, unit)];
        if (step.Time >= views.Lengths[row])
        {
            states[after] = before;
            output[place] = 0f;
            return;
        }

        QuadIndices blocks = QuadIndices.Create(unit, width, 3 * width, 1);
        Float4 inputBiases = blocks.Load(views.InputBias, 0);
        Float4 hiddenBiases = blocks.Load(views.HiddenBias, 0);
        int gate = (step.Time * step.Batch + row) * 3 * width + unit;
        float q = sums.Z + hiddenBiases.Z;
        float r = Elementary.Sigmoid(gates[gate] + (inputBiases.X + hiddenBiases.X) + sums.X);
        float z = Elementary.Sigmoid(gates[gate + width] + (inputBiases.Y + hiddenBiases.Y) + sums.Y);
        float n = Elementary.Tanh(gates[gate + 2 * width] + inputBiases.Z + r * q);
        float h = (1f - z) * n + z * before;
        gates[gate] = r;
        gates[gate + width] = z;
        gates[gate + 2 * width] = n;
        if (products.Length == gates.Length) products[gate + 2 * width] = q;
        states[after] = h;
        output[place] = h;
    }

    public static void Backward(RecurrentViews views, RecurrentStep step, int row, int unit, float sum)
    {
        ArrayView<float> gates = views.Gates; // [T, B, 3H], replaced by the gradients of the pre-activations
        ArrayView<float> products = views.ProductGradient; // [T, B, 3H]: q_n in its block n, replaced by the gradients of q
        int width = step.Width;
        if (row >= step.Batch || unit >= width) return;
        int state = step.Place(0, row, unit);
        int gate = (step.Time * step.Batch + row) * 3 * width + unit;
        float dh = step.Summed == 0 ? 0f : sum + views.Carry[state];
        float dr = 0f;
        float dz = 0f;
        float dn = 0f;
        float dq = 0f;
        if (step.Time < views.Lengths[row])
        {
            if (step.HasGradient != 0) dh += views.OutputGradient[step.Place(step.Time, row, unit)];
            float r = gates[gate];
            float z = gates[gate + width];
            float n = gates[gate + 2 * width];
            dn = dh * (1f - z) * (1f - n * n);
            dr = dn * products[gate + 2 * width] * r * (1f - r);
            dz = dh * (views.States[step.Place(step.Before, row, unit)] - n) * z * (1f - z);
            dq = dn * r;
            dh *= z;
        }

        views.Carry[state] = dh;
        gates[gate] = dr;
        gates[gate + width] = dz;
        gates[gate + 2 * width] = dn;
        products[gate] = dr;
        products[gate + width] = dz;
        products[gate + 2 * width] = dq;
    }
}
