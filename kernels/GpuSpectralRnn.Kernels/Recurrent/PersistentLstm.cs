using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>The long short-term memory (<see cref="LstmCell"/>), forward.</summary>
internal struct LstmForward : IGatedForward
{
    private Float4 bias;
    private Float4 gates; // i, f, g, o
    private float c;

    public static int Gates => 4;

    public static Float4 Inputs(ArrayView<float> gates, int place, int width) => QuadIndices.Create(0, 1, 4, width).Load(gates, place);

    public void Begin(RecurrentViews views, int unit, int width, int before)
    {
        bias = Inputs(views.InputBias, unit, width);
        Float4 hidden = Inputs(views.HiddenBias, unit, width);
        bias.X += hidden.X;
        bias.Y += hidden.Y;
        bias.Z += hidden.Z;
        bias.W += hidden.W;
        c = views.CellStates[before];
    }

    public void Open(Float4 inputs, Float4 sums)
    {
        gates.X = Elementary.GateSigmoid(inputs.X + bias.X + sums.X);
        gates.Y = Elementary.GateSigmoid(inputs.Y + bias.Y + sums.Y);
        gates.Z = Elementary.GateTanh(inputs.Z + bias.Z + sums.Z);
        gates.W = Elementary.GateSigmoid(inputs.W + bias.W + sums.W);
    }

    public float Output(float h, bool isInside)
    {
        float cell = gates.Y * c + gates.X * gates.Z;
        float state = gates.W * Elementary.GateTanh(cell);
        c = isInside ? cell : c;
        return state;
    }

    public readonly void Store(RecurrentViews views, int gate, int width, int after)
    {
        views.Gates[gate] = gates.X;
        views.Gates[gate + width] = gates.Y;
        views.Gates[gate + 2 * width] = gates.Z;
        views.Gates[gate + 3 * width] = gates.W;
        views.CellStates[after] = c;
    }
}

/// <summary>The long short-term memory, backward.</summary>
internal struct LstmBackward : IGatedBackward
{
    private Float4 gates; // i, f, g, o
    private float c;
    private float before;
    private float dc;

    public static int Gates => 4;

    public Float4 Gradients { get; private set; }

    public void Begin(RecurrentViews views, PersistentWalk walk, int gate, int place)
    {
        gates = LstmForward.Inputs(views.Gates, gate, walk.Width);
        c = views.CellStates[place + walk.After];
        before = views.CellStates[place + walk.Before];
    }

    public void Next(RecurrentViews views, PersistentWalk walk, int gate, int place)
    {
        gates = LstmForward.Inputs(views.Gates, gate, walk.Width);
        c = before;
        before = views.CellStates[place + walk.Before];
    }

    public float Step(float behind, float given, bool isInside)
    {
        float dh = behind + given;
        float t = Elementary.GateTanh(c);
        float d = dc + dh * gates.W * (1f - t * t);
        Float4 gradients = default;
        gradients.X = isInside ? d * gates.Z * gates.X * (1f - gates.X) : 0f;
        gradients.Y = isInside ? d * before * gates.Y * (1f - gates.Y) : 0f;
        gradients.Z = isInside ? d * gates.X * (1f - gates.Z * gates.Z) : 0f;
        gradients.W = isInside ? dh * t * gates.W * (1f - gates.W) : 0f;
        Gradients = gradients;
        dc = isInside ? d * gates.Y : dc;
        return isInside ? 0f : behind;
    }

    public readonly void Store(RecurrentViews views, int gate, int width)
    {
        views.Gates[gate] = Gradients.X;
        views.Gates[gate + width] = Gradients.Y;
        views.Gates[gate + 2 * width] = Gradients.Z;
        views.Gates[gate + 3 * width] = Gradients.W;
    }

    public readonly void End(RecurrentViews views, int place) => views.CellCarry[place] = dc;
}
