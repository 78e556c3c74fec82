using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The gated recurrent unit (<see cref="GruCell"/>), forward.</summary>
internal struct GruForward : IGatedForward
{
    private Float4 bias; // of r, z, n, and of the recurrent product of n
    private float r;
    private float z;
    private float n;
    private float q;

    public static int Gates => 3;

    public static Float4 Inputs(ArrayView<float> gates, int place, int width)
    {
        Float4 inputs = default;
        inputs.X = gates[place];
        inputs.Y = gates[place + width];
        inputs.Z = gates[place + 2 * width];
        return inputs;
    }

    public void Begin(RecurrentViews views, int unit, int width, int before)
    {
        bias = Inputs(views.InputBias, unit, width);
        Float4 hidden = Inputs(views.HiddenBias, unit, width);
        bias.X += hidden.X;
        bias.Y += hidden.Y;
        bias.W = hidden.Z;
    }

    public void Open(Float4 inputs, Float4 sums)
    {
        q = sums.Z + bias.W;
        r = Elementary.GateSigmoid(inputs.X + bias.X + sums.X);
        z = Elementary.GateSigmoid(inputs.Y + bias.Y + sums.Y);
        n = Elementary.GateTanh(inputs.Z + bias.Z + r * q);
    }

    public readonly float Output(float h, bool isInside) => (1f - z) * n + z * h;

    public readonly void Store(RecurrentViews views, int gate, int width, int after)
    {
        ArrayView<float> products = views.ProductGradient; // q_n in its block n, where it is kept
        views.Gates[gate] = r;
        views.Gates[gate + width] = z;
        views.Gates[gate + 2 * width] = n;
        if (products.Length == views.Gates.Length) products[gate + 2 * width] = q;
    }
}

/// <summary>The gated recurrent unit, backward.</summary>
internal struct GruBackward : IGatedBackward
{
    private Float4 gates; // r, z, n, q
    private float before;
    private float dn;

    public static int Gates => 3;

    public Float4 Gradients { get; private set; }

    public void Begin(RecurrentViews views, PersistentWalk walk, int gate, int place) => Next(views, walk, gate, place);

    public void Next(RecurrentViews views, PersistentWalk walk, int gate, int place)
    {
        gates = GruForward.Inputs(views.Gates, gate, walk.Width);
        gates.W = views.ProductGradient[gate + 2 * walk.Width];
        before = views.States[place + walk.Before];
    }

    public float Step(float behind, float given, bool isInside)
    {
        float dh = behind + given;
        dn = isInside ? dh * (1f - gates.Y) * (1f - gates.Z * gates.Z) : 0f;
        Float4 gradients = default;
        gradients.X = isInside ? dn * gates.W * gates.X * (1f - gates.X) : 0f;
        gradients.Y = isInside ? dh * (before - gates.Z) * gates.Y * (1f - gates.Y) : 0f;
        gradients.Z = isInside ? dn * gates.X : 0f;
        Gradients = gradients;
        return isInside ? dh * gates.Y : behind;
    }

    public readonly void Store(RecurrentViews views, int gate, int width)
    {
        views.Gates[gate] = Gradients.X;
        views.Gates[gate + width] = Gradients.Y;
        views.Gates[gate + 2 * width] = dn;
        views.ProductGradient[gate] = Gradients.X;
        views.ProductGradient[gate + width] = Gradients.Y;
        views.ProductGradient[gate + 2 * width] = Gradients.Z;
    }

    public readonly void End(RecurrentViews views, int place)
    {
    }
}
