using CsCheck;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>
/// Operands that fit, and such of which some do not: the host and ILGPU take the same and refuse the same, in the same words but for their own names.
/// </summary>
[Collection("ilgpu-cpu")]
public sealed class OperandCheckTests(IlgpuCpuDevice device) : IDisposable
{
    // Extents of operands that fit: letters stand for the extents t, n, i, o of a case, 1 for one, # for integers.
    private static readonly Dictionary<string, (string Shapes, Action<IBackend, Tensor[], Extents> Run)> Operations = new()
    {
        ["product"] = ("ni oi no", (b, x, _) => b.Matrix.Gemm(new(false, true, 1, x[0], x[1], 0, x[2]))),
        ["linear layer"] = ("ni oi o no", (b, x, _) => b.Matrix.Linear(new(x[0], x[1], x[2], x[3]))),
        ["its backward"] = ("ni oi no ni oi o", (b, x, _) => b.Matrix.LinearBackward(new(x[0], x[1], x[2], x[3], x[4], x[5]))),
        ["column sums"] = ("ni i", (b, x, _) => b.Matrix.ColumnSums(new(x[0], 1, x[1]))),
        ["columns"] = ("ni no", (b, x, _) => b.Matrix.CopyColumns(new(x[0], 0, x[1], 1, 1))),
        ["mean over steps"] = ("tni ni", (b, x, _) => b.Matrix.MeanOverSteps(new(x[0], x[1]))),
        ["its backward by lengths"] = ("ni tni n#", (b, x, _) => b.Matrix.SpreadOverSteps(new(x[1], x[0], x[2]))),
        ["last steps"] = ("tni n# ni", (b, x, _) => b.Matrix.LastSteps(new(x[0], x[1], x[2]))),
        ["their backward"] = ("ni n# tni", (b, x, _) => b.Matrix.SpreadToLastSteps(new(x[2], x[1], x[0]))),
        ["embedding"] = ("n# oi ni", (b, x, _) => b.Embedding.Forward(new(x[0], x[1], x[2]))),
        ["embedding's backward"] = ("n# ni oi", (b, x, _) => b.Embedding.Backward(new(x[0], x[2], x[1]))),
        ["cross-entropy"] = ("ni n# ni", (b, x, _) => WithTotals(b, totals => b.Loss.SoftmaxCrossEntropy(new(x[0], x[1], 1, x[2], totals)))),
        ["divergence"] = ("ni ni ni", (b, x, _) => WithTotals(b, totals => b.Loss.SoftmaxDivergence(new(x[0], x[1], 1, x[2], totals)))),
        ["squared error"] = ("ni ni ni", (b, x, _) => WithTotals(b, totals => b.Loss.MeanSquaredError(new(x[0], x[1], 1, x[2], totals)))),
        ["SGD"] = ("ni ni", (b, x, _) => b.Optimizer.Sgd(new(x[0], x[1], new(0.1f, 0)))),
        ["momentum"] = ("ni ni ni", (b, x, _) => b.Optimizer.Momentum(new(x[0], x[1], x[2], new(0.1f, 0.9f, 0)))),
        ["RMSprop"] = ("ni ni ni", (b, x, _) => b.Optimizer.RmsProp(new(x[0], x[1], x[2], new(0.1f, 0.9f, 1e-3f, 0)))),
        ["Adam"] = ("ni ni ni ni", (b, x, _) => b.Optimizer.Adam(new(x[0], x[1], x[2], x[3], new(0.1f, 0.9f, 0.9f, 1e-3f, 0, false, 1)))),
        ["mask"] = ("ni ni", (b, x, _) => b.Optimizer.Mask(new(x[0], x[1]))),
        ["dropout"] = ("ni ni", (b, x, _) => b.Random.Dropout(new(x[0], 0.5f, 1, 2, x[1]))),
        ["uniform numbers"] = ("ni", (b, x, _) => b.Random.Uniform(new(x[0], 1, 2, 0, 1))),
        ["scaled columns"] = ("ni i ni", (b, x, _) => b.Matrix.ScaleColumns(new(x[0], 0, x[1], x[2]))),
        ["products of columns"] = ("ni ni i", (b, x, _) => b.Matrix.ColumnDots(new(x[0], x[1], 0, x[2]))),
        ["squares of rows"] = ("ni n", (b, x, _) => b.Matrix.AddRowSquares(new(x[0], x[1], 1, 0, 0))),
        ["scaled rows"] = ("ni n", (b, x, _) => b.Matrix.ScaleRows(new(x[0], x[1], 1, 0, 0))),
        ["shrunk groups"] = ("n n 1 1 n 1", (b, x, _) => b.Optimizer.ShrinkGroups(new(x[0], x[1], x[2], x[3], x[4], x[5], new(1, 0, 0)))),
        ["activation"] = ("ni ni", (b, x, _) => b.Elementwise.Activate(ActivationKind.Tanh, x[0], x[1])),
        ["its backward from the output"] = ("ni ni ni", (b, x, _) => b.Elementwise.ActivateBackward(new(ActivationKind.Relu, x[0], x[1], x[2]))),
        ["numbers multiplied"] = ("ni ni ni", (b, x, _) => b.Elementwise.Multiply(x[0], x[1], x[2])),
        ["their gradients"] = ("ni ni ni ni ni", (b, x, _) => b.Elementwise.MultiplyBackward(new(x[0], x[1], x[2], x[3], x[4]))),
        ["highway"] = ("ni ni ni ni", (b, x, _) => b.Elementwise.Highway(new(x[0], x[1], x[2], x[3]))),
        ["its gradients"] = ("ni ni ni ni ni ni ni", (b, x, _) => b.Elementwise.HighwayBackward(new(x[0], x[1], x[2], x[3], x[4], x[5], x[6]))),
        ["multiples added"] = ("ni ni", (b, x, _) => b.Elementwise.AddScaled(2, x[0], x[1])),
        ["multiples by a number of the device"] = ("1 ni ni", (b, x, _) => b.Elementwise.AddMultiple(new(2, x[0], x[1], x[2]))),
        ["sampled gates"] = ("ni ni", (b, x, _) => b.Gates.Sample(new(x[0], 1, 2, x[1]))),
        ["gates' gradient"] = ("ni ni ni", (b, x, _) => b.Gates.SampleBackward(new(x[0], x[1], x[2]))),
        ["gates of tests"] = ("ni ni", (b, x, _) => b.Gates.TestGates(x[0], x[1])),
        ["probabilities of open gates"] = ("ni ni", (b, x, _) => b.Gates.OpenProbabilities(x[0], x[1])),
        ["probabilities' gradient"] = ("ni ni ni", (b, x, _) => b.Gates.OpenProbabilitiesBackward(new(x[0], x[1], x[2]))),
        ["clamped log alpha"] = ("ni", (b, x, _) => b.Gates.Clamp(x[0])),
        ["convolution"] = ("tni oi o n# no no#", (b, x, _) => b.Character.ConvolveMax(new(x[0], x[1], x[2], x[3], x[4], x[5]))),
        ["softmax over steps"] = ("tn tn n#", (b, x, _) => b.Attention.SoftmaxOverSteps(x[0], x[1], x[2])),
        ["its gradient"] = ("tn tn tn n#", (b, x, _) => b.Attention.SoftmaxOverStepsBackward(new(x[0], x[1], x[2], x[3]))),
        ["attention"] = ("tno ino n# n#", (b, x, e) => WithAttention(b, x[0], x[1], e, x[2], x[3])),
        ["recurrent layer"] = ("oi oo o o tni no tno n#", (b, x, e) =>
        {
            using RecurrentWorkspace workspace = b.Recurrent.Prepare(new RecurrentShape(CellKind.RnnTanh, e.T, e.N, e.I, e.O), isTraining: false);
            b.Recurrent.Forward(new(workspace, new RecurrentWeights(x[0], x[1], x[2], x[3]), x[4], new RecurrentState(x[5]), x[6], null, x[7]));
        }),
    };

    private static readonly Gen<Extents> Fitting =
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[1, 3], (t, n, i, o) => new Extents(t, n, i, o));

    // One operand in four is another one: of other extents, of the other type, a view from the second element on, or an operand for the second time.
    private static readonly Gen<(int Change, int[] Other, int Same)> Changes = Gen.Select(Gen.Int[0, 15], Gen.Int[1, 3].Array[1, 3], Gen.Int[0, 7]);

    private readonly IBackend host = Devices.Open("host", threads: 1);

    public static TheoryData<string> Names => [.. Operations.Keys];

    public void Dispose() => host.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void The_host_and_ILGPU_refuse_the_same(string operation)
    {
        HashSet<bool> refusals = [];
        Gen.Select(Fitting, Changes.Array[8]).Sample(
            (extents, changes) =>
            {
                string? refusal = Refusal(host, operation, extents, changes);
                Assert.Equal(refusal, Refusal(device.Backend, operation, extents, changes));
                refusals.Add(refusal is not null);
            },
            iter: 200,
            threads: 1);
        Assert.Equal(2, refusals.Count); // some were taken, some refused; none of 200 refused has a chance of 1e-5 at most
    }

    private static void WithTotals(IBackend backend, Action<LossTotals> use)
    {
        using LossTotals totals = backend.Loss.CreateTotals();
        use(totals);
    }

    // Workspace, weights and output fit the operands that fit.
    private static void WithAttention(IBackend backend, Tensor context, Tensor question, Extents e, Tensor contextLengths, Tensor questionLengths)
    {
        AttentionShape shape = new(e.T, e.I, e.N, e.O);
        using Tensor weights = backend.Allocate(new Shape(3 * e.O)), output = backend.Allocate(new Shape(e.T, e.N, 4 * e.O));
        using Tensor workspace = backend.Allocate(new Shape((int)shape.WorkspaceFor(isTraining: false)));
        backend.Attention.Forward(new(context, question, weights, output, workspace, contextLengths, questionLengths));
    }

    // What was thrown; null where the operands are taken.
    private static string? Refusal(IBackend backend, string operation, Extents fitting, (int Change, int[] Other, int Same)[] changes)
    {
        List<Tensor> owned = [], given = [];
        foreach ((string shape, (int change, int[] other, int same)) in Operations[operation].Shapes.Split(' ').Zip(changes))
        {
            if (change == 0 && given.Count > 0)
            {
                given.Add(given[same % given.Count]);
                continue;
            }

            int[] extents = change == 1 ? other : [.. shape.Trim('#').Select(fitting.Of)];
            ElementType type = shape.EndsWith('#') != (change == 2) ? ElementType.Int32 : ElementType.Float32;
            bool isView = change == 3;
            owned.Add(backend.Allocate(isView ? new Shape((int)new Shape(extents).Count + 1) : new Shape(extents), type));
            given.Add(isView ? owned[^1].View(1, extents) : owned[^1]);
        }

        Exception? thrown = Record.Exception(() => Operations[operation].Run(backend, [.. given], fitting));
        foreach (Tensor tensor in owned) tensor.Dispose();
        return thrown is null
            ? null
            : $"{thrown.GetType().Name}: {thrown.Message.Replace($" on {backend.Device.Id}", " on DEVICE", StringComparison.Ordinal)}";
    }

    private sealed record Extents(int T, int N, int I, int O)
    {
        public int Of(char letter) => letter switch { 't' => T, 'n' => N, 'i' => I, '1' => 1, _ => O };
    }
}
