using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elman's recurrence: h_t = s(x_t W_ih^T + b_ih + b_hh + h_{t-1} W_hh^T), and back, delta_t = (dL/dh_t + delta_{t+1} W_hh) s'(h_t).
/// </summary>
internal readonly struct ElmanCell<TActivation> : ICell
    where TActivation : unmanaged, IActivation
{
    public static int Gates => 1;

    public static ArrayView<float> ProductGradient(RecurrentViews views) => views.Gates;

    public static void Forward(RecurrentViews views, RecurrentStep step, int row, int unit, Float4 sums)
    {
        if (row >= step.Batch || unit >= step.Width) return;
        ArrayView<float> output = views.Gates; // [T, B, H], x_t W_ih^T before
        ArrayView<float> states = views.States; // [T + 1, B, H]
        bool isInside = step.Time < views.Lengths[row];
        int place = step.Place(step.Time, row, unit);
        float h = default(TActivation).Apply(output[place] + (views.InputBias[unit] + views.HiddenBias[unit]) + sums.X);
        output[place] = isInside ? h : 0f;
        states[step.Place(step.After, row, unit)] = isInside ? h : states[step.Place(step.Before, row, unit)];
    }

    public static void Backward(RecurrentViews views, RecurrentStep step, int row, int unit, float sum)
    {
        if (row >= step.Batch || unit >= step.Width) return;
        ArrayView<float> gradient = views.Gates; // [T, B, H], dL/dh_t before, delta_t after
        ArrayView<float> carry = views.Carry; // [B, H]
        bool isInside = step.Time < views.Lengths[row];
        int place = step.Place(step.Time, row, unit);
        int state = step.Place(0, row, unit);
        if (step.Summed != 0) sum += carry[state];
        carry[state] = isInside ? 0f : sum;
        if (isInside && step.HasGradient != 0) sum += gradient[place];
        gradient[place] = isInside ? sum * default(TActivation).Slope(views.States[step.Place(step.After, row, unit)]) : 0f;
    }
}
