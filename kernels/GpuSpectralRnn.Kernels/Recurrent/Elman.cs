using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Elman's recurrence: h_t = s(x_t W_ih^T + b_ih + b_hh + h_{t-1} W_hh^T), and back, delta_t = (dL/dh_t + delta_{t+1} W_hh) s'(h_t).
/// </summary>
public static class Elman
{
    /// <summary>Loads the kernels of one nonlinearity.</summary>
    public static RecurrentCell Load<TActivation>(KernelLoader loader, Gemm gemm)
        where TActivation : unmanaged, IActivation =>
        StepwiseCell.Plain(loader, gemm, gates: 1, ForwardUnit<TActivation>, BackwardUnit<TActivation>);

    /// <summary>One thread, one unit of one row.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent), GroupSize = StepUnit.Threads)]
    internal static void ForwardUnit<TActivation>(ArrayView<float> products, RecurrentViews views, RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        StepUnit own = StepUnit.Own(step);
        if (own.Unit < step.Width) Forward<TActivation>(views, step, own.Row, own.Unit, own.Product(products, step));
    }

    /// <summary>One thread, one unit of one row.</summary>
    [KernelEntry(typeof(Relu), typeof(HyperbolicTangent), GroupSize = StepUnit.Threads)]
    internal static void BackwardUnit<TActivation>(ArrayView<float> products, RecurrentViews views, RecurrentStep step)
        where TActivation : unmanaged, IActivation
    {
        StepUnit own = StepUnit.Own(step);
        if (own.Unit < step.Width) Backward<TActivation>(views, step, own.Row, own.Unit, own.Product(products, step));
    }

    /// <summary>One unit of one row, given its recurrent product; nothing beyond their ends.</summary>
    internal static void Forward<TActivation>(RecurrentViews views, RecurrentStep step, int row, int unit, float sum)
        where TActivation : unmanaged, IActivation
    {
        if (row >= step.Batch || unit >= step.Width) return;
        ArrayView<float> output = views.Gates; // [T, B, H], x_t W_ih^T before
        ArrayView<float> states = views.States; // [T + 1, B, H]
        bool isInside = step.Time < views.Lengths[row];
        int place = step.Place(step.Time, row, unit);
        float h = default(TActivation).Apply(output[place] + (views.InputBias[unit] + views.HiddenBias[unit]) + sum);
        output[place] = isInside ? h : 0f;
        states[step.Place(step.After, row, unit)] = isInside ? h : states[step.Place(step.Before, row, unit)];
    }

    /// <summary>One unit of one row, given the product that flows back to it; nothing beyond their ends.</summary>
    internal static void Backward<TActivation>(RecurrentViews views, RecurrentStep step, int row, int unit, float sum)
        where TActivation : unmanaged, IActivation
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
