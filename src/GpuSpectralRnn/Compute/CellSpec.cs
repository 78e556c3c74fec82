using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using DeviceGemm = GpuSpectralRnn.Kernels.Gemm;

namespace GpuSpectralRnn.Compute;

/// <summary>The recurrences the backends compute.</summary>
public enum CellKind
{
    /// <summary>Elman: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).</summary>
    RnnTanh,

    /// <summary>Elman with ReLU; also the IRNN, which differs only in how it starts.</summary>
    RnnRelu,

    /// <summary>
    /// LSTM with a forget gate (Gers, Schmidhuber, Cummins 2000), PyTorch's gate order i, f, g, o:
    /// c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g), h_t = sigmoid(o) tanh(c_t), every gate W_ih x_t + b_ih + W_hh h_{t-1} + b_hh.
    /// </summary>
    Lstm,

    /// <summary>
    /// GRU (Cho et al. 2014) with the reset gate after the product, as PyTorch and cuDNN have it; gate order r, z, n:
    /// n = tanh(W_in x_t + b_in + sigmoid(r) (W_hn h_{t-1} + b_hn)), h_t = (1 - sigmoid(z)) n + sigmoid(z) h_{t-1}.
    /// </summary>
    Gru,

    /// <summary>
    /// GRU with the reset gate before the product (Cho et al. 2014; Keras' reset_after=False, ONNX' linear_before_reset=0); gate order r, z, n:
    /// n = tanh(W_in x_t + b_in + W_hn (sigmoid(r) h_{t-1}) + b_hn), h_t = (1 - sigmoid(z)) n + sigmoid(z) h_{t-1}.
    /// </summary>
    GruResetBefore,

    /// <summary>
    /// LSTM with peepholes (Gers, Schmidhuber 2000; ONNX' input P): gates i, f, g, o as of <see cref="Lstm"/>, where p_i c_{t-1}, p_f c_{t-1} and p_o c_t
    /// are added to the pre-activations of i, f and o, unit by unit.
    /// </summary>
    LstmPeephole,
}

/// <summary>
/// What is to be known of a recurrence: its line in the one table of them. Its mathematics stands once for the processor (<see cref="Host"/>) and once
/// for devices (<see cref="Stepwise"/>, <see cref="Persistent"/>).
/// </summary>
public sealed record CellSpec
{
    // In the order of CellKind.
    private static readonly CellSpec[] Table =
    [
        new(CellKind.RnnTanh, new TanhLayer(), RecurrentCell.StepwiseElman<Kernels.HyperbolicTangent>)
        {
            DefaultRidge = 1e-4, // docs/method.md, section 2.3
            Persistent = (loader, tiles) => RecurrentCell.PersistentElman<Kernels.HyperbolicTangent>(loader, tiles.Forward),
            PyTorch = "nn.RNN",
            Onnx = new("RNN", [0], ["Tanh"]),
        },
        new(CellKind.RnnRelu, new ReluLayer(), RecurrentCell.StepwiseElman<Kernels.Relu>)
        {
            DefaultRidge = 1e-4,
            Persistent = (loader, tiles) => RecurrentCell.PersistentElman<Kernels.Relu>(loader, tiles.Forward),
            PyTorch = "nn.RNN",
            PyTorchOptions = ", nonlinearity='relu'",
            Onnx = new("RNN", [0], ["Relu"]),
        },
        new(CellKind.Lstm, new LstmLayer(), RecurrentCell.StepwiseLstm)
        {
            Gates = 4,
            HasCellState = true,
            Persistent = (loader, tiles) => RecurrentCell.PersistentLstm(loader, tiles.Forward, tiles.Backward),
            PyTorch = "nn.LSTM",
            Onnx = new("LSTM", [0, 3, 1, 2], ["Sigmoid", "Tanh", "Tanh"]), // i, o, f, c
        },
        new(CellKind.Gru, new GruLayer(), RecurrentCell.StepwiseGru)
        {
            Gates = 3,
            ResetsProduct = true,
            Persistent = (loader, tiles) => RecurrentCell.PersistentGru(loader, tiles.Forward, tiles.Backward),
            PyTorch = "nn.GRU",
            Onnx = new("GRU", [1, 0, 2], ["Sigmoid", "Tanh"]), // z, r, h
            KerasOrder = [1, 0, 2], // z, r, h
        },
        new(CellKind.GruResetBefore, new GruResetBeforeLayer(), RecurrentCell.StepwiseGruResetBefore)
        {
            Gates = 3,
            ResetsState = true,
            Onnx = new("GRU", [1, 0, 2], ["Sigmoid", "Tanh"]),
            KerasOrder = [1, 0, 2],
        },
        new(CellKind.LstmPeephole, new PeepholeLstmLayer(), RecurrentCell.StepwisePeepholeLstm)
        {
            Gates = 4,
            HasCellState = true,
            HasPeepholes = true,
            Onnx = new("LSTM", [0, 3, 1, 2], ["Sigmoid", "Tanh", "Tanh"]),
        },
    ];

    internal CellSpec(CellKind kind, HostCell host, Func<KernelLoader, DeviceGemm, bool, RecurrentCell> stepwise) =>
        (Kind, Host, Stepwise) = (kind, host, stepwise);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<CellSpec> All => Table;

    /// <summary>Which recurrence.</summary>
    public CellKind Kind { get; }

    /// <summary>G: how many blocks of H rows its weight matrices stack.</summary>
    public int Gates { get; init; } = 1;

    /// <summary>Whether its state is h and c, not h alone.</summary>
    public bool HasCellState { get; init; }

    /// <summary>
    /// Whether a gate multiplies a block of W_hh h + b_hh: the two biases then do different things, and the gradient of that product is not that of the
    /// pre-activations.
    /// </summary>
    public bool ResetsProduct { get; init; }

    /// <summary>Whether the last block of W_hh multiplies r h and not h, where r is its first gate.</summary>
    public bool ResetsState { get; init; }

    /// <summary>
    /// Whether it has weights <c>weight_peephole</c> [3H] in blocks i, f, o, which multiply c unit by unit; no row of W_hh is part of them, so that they
    /// do not show in the product's gradient.
    /// </summary>
    public bool HasPeepholes { get; init; }

    /// <summary>The share of Tr S / m that served as a ridge (docs/method.md, section 2.3): for gated cells ten times more.</summary>
    public double DefaultRidge { get; init; } = 1e-3;

    /// <summary>The PyTorch module, for example <c>nn.LSTM</c>; null where there is none.</summary>
    public string? PyTorch { get; init; }

    /// <summary>What its constructor must be told besides, each after a comma.</summary>
    public string PyTorchOptions { get; init; } = "";

    /// <summary>The ONNX operator.</summary>
    public required OnnxCell Onnx { get; init; }

    /// <summary>For each block of rows in a Keras file the block here; null where they stand alike.</summary>
    public IReadOnlyList<int>? KerasOrder { get; init; }

    /// <summary>Its mathematics on the processor.</summary>
    internal HostCell Host { get; }

    /// <summary>Loads its kernels that take a launch a step; told whether their products are to skip blocks of zeros.</summary>
    internal Func<KernelLoader, DeviceGemm, bool, RecurrentCell> Stepwise { get; }

    /// <summary>Loads those that take all steps in one launch; null where there are none.</summary>
    internal Func<KernelLoader, PersistentTiles, RecurrentCell>? Persistent { get; init; }

    /// <summary>The line of a recurrence.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public static CellSpec From(CellKind kind) => kind >= 0 && (int)kind < Table.Length
        ? Table[(int)kind]
        : throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown cell.");

    /// <summary>Blocks of rows in another order: block i of the result is block order[i] of <paramref name="values"/>.</summary>
    public static float[] TakeBlocks(IReadOnlyList<int> order, ReadOnlySpan<float> values)
    {
        int block = values.Length / order.Count;
        float[] result = new float[values.Length];
        for (int i = 0; i < order.Count; i++) values.Slice(order[i] * block, block).CopyTo(result.AsSpan(i * block));
        return result;
    }

    /// <summary>The way back from <see cref="TakeBlocks"/>: block order[i] of the result is block i of <paramref name="values"/>.</summary>
    public static float[] PutBlocks(IReadOnlyList<int> order, ReadOnlySpan<float> values)
    {
        int block = values.Length / order.Count;
        float[] result = new float[values.Length];
        for (int i = 0; i < order.Count; i++) values.Slice(i * block, block).CopyTo(result.AsSpan(order[i] * block));
        return result;
    }
}

/// <summary>A recurrence as ONNX has it. Peepholes come in blocks i, o, f.</summary>
/// <param name="Operator">RNN, LSTM or GRU.</param>
/// <param name="Order">For each block of its rows the block here.</param>
/// <param name="Activations">Its activations of one direction.</param>
public sealed record OnnxCell(string Operator, IReadOnlyList<int> Order, IReadOnlyList<string> Activations)
{
    /// <summary>For each block of peepholes the block here.</summary>
    public static IReadOnlyList<int> PeepholeOrder { get; } = [0, 2, 1];
}

/// <summary>What follows from the choice of a recurrence.</summary>
public static class CellKinds
{
    /// <summary>G: how many blocks of H rows its weight matrices stack.</summary>
    public static int Gates(this CellKind cell) => CellSpec.From(cell).Gates;
}
