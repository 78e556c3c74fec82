using CsCheck;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>
/// Operands of any shapes and types, some of them the same or overlapping: the host and ILGPU take the same and refuse the same, in one wording.
/// </summary>
[Collection("ilgpu-cpu")]
public sealed class OperandCheckTests(IlgpuCpuDevice device) : IDisposable
{
    private const int Operands = 4;

    private static readonly Dictionary<string, Action<IBackend, Tensor[]>> Operations = new()
    {
        ["product"] = (b, t) => b.Matrix.Gemm(false, true, 1, t[0], t[1], 0, t[2]),
        ["linear layer"] = (b, t) => b.Matrix.Linear(t[0], t[1], t[2], t[3]),
        ["linear layer backward"] = (b, t) => b.Matrix.LinearBackward(t[0], t[1], t[2], t[3], b.Allocate(t[1].Shape), null),
        ["column sums"] = (b, t) => b.Matrix.ColumnSums(t[0], 1, t[1]),
        ["columns"] = (b, t) => b.Matrix.CopyColumns(t[0], 0, t[1], 1, 1),
        ["mean"] = (b, t) => b.Matrix.MeanOverSteps(t[0], t[1]),
        ["mean backward"] = (b, t) => b.Matrix.SpreadOverSteps(t[1], t[0], t[2]),
        ["last steps"] = (b, t) => b.Matrix.LastSteps(t[0], t[1], t[2]),
        ["last steps backward"] = (b, t) => b.Matrix.SpreadToLastSteps(t[0], t[1], t[2]),
        ["embedding"] = (b, t) => b.Embedding.Forward(t[0], t[1], t[2]),
        ["embedding backward"] = (b, t) => b.Embedding.Backward(t[0], t[1], t[2]),
        ["cross-entropy"] = (b, t) => WithTotals(b, totals => b.Loss.SoftmaxCrossEntropy(t[0], t[1], 1, t[2], totals)),
        ["divergence"] = (b, t) => WithTotals(b, totals => b.Loss.SoftmaxDivergence(t[0], t[1], 1, t[2], totals)),
        ["squared error"] = (b, t) => WithTotals(b, totals => b.Loss.MeanSquaredError(t[0], t[1], 1, t[2], totals)),
        ["SGD"] = (b, t) => b.Optimizer.Sgd(t[0], t[1], 0.1f, 0),
        ["momentum"] = (b, t) => b.Optimizer.Momentum(t[0], t[1], t[2], 0.1f, 0.9f, 0),
        ["RMSprop"] = (b, t) => b.Optimizer.RmsProp(t[0], t[1], t[2], 0.1f, 0.9f, 1e-3f, 0),
        ["Adam"] = (b, t) => b.Optimizer.Adam(new(t[0], t[1], t[2], t[3], 0.1f, 0.9f, 0.9f, 1e-3f, 0, false, 1)),
        ["mask"] = (b, t) => b.Optimizer.Mask(t[0], t[1]),
        ["norm"] = (b, t) => b.Optimizer.ClipGlobalNorm(t[0], 1, t[1]),
        ["dropout"] = (b, t) => b.Random.Dropout(t[0], 0.5f, 1, 2, t[1]),
        ["uniform numbers"] = (b, t) => b.Random.Uniform(t[0], 1, 2, 0, 1),
    };

    // Few and small extents, so that operands fit as often as not; now and then integers, a view one element on, an operand for the second time.
    private static readonly Gen<(int[] Extents, bool IsInteger, int SameAs, bool IsView)> Operand =
        from extents in Gen.Int[1, 2].Array[1, 3]
        from type in Gen.Int[0, 3]
        from same in Gen.Int[0, 9]
        from view in Gen.Int[0, 4]
        select (extents, type == 0, same, view == 0);

    private readonly IBackend host = Devices.Open("host", threads: 1);

    public static TheoryData<string> Names => [.. Operations.Keys];

    public void Dispose() => host.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void The_host_and_ILGPU_refuse_the_same(string operation) => Operand.Array[Operands].Sample(
        operands => Assert.Equal(Refusal(host, operation, operands), Refusal(device.Backend, operation, operands)),
        iter: 200,
        threads: 1);

    private static void WithTotals(IBackend backend, Action<LossTotals> use)
    {
        using LossTotals totals = backend.Loss.CreateTotals();
        use(totals);
    }

    // What was thrown; null where the operands are taken.
    private static string? Refusal(IBackend backend, string operation, (int[] Extents, bool IsInteger, int SameAs, bool IsView)[] operands)
    {
        List<Tensor> owned = [], given = [];
        foreach ((int[] extents, bool isInteger, int sameAs, bool isView) in operands)
        {
            if (sameAs < given.Count)
            {
                given.Add(given[sameAs]);
                continue;
            }

            Shape shape = new(extents);
            owned.Add(backend.Allocate(isView ? new Shape((int)shape.Count + 1) : shape, isInteger ? ElementType.Int32 : ElementType.Float32));
            given.Add(isView ? owned[^1].View(1, extents) : owned[^1]);
        }

        Exception? thrown = Record.Exception(() => Operations[operation](backend, [.. given]));
        foreach (Tensor tensor in owned) tensor.Dispose();
        return thrown is null ? null : $"{thrown.GetType().Name}: {thrown.Message}";
    }
}
