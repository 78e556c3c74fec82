using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Models;

/// <summary>
/// Outputs, loss and gradients of PyTorch 1.13 for the same numbers:
/// <code>
/// rnn = torch.nn.RNN(2, 3, num_layers=2, nonlinearity=nonlin)  # or LSTM(2, 3, 2), GRU(2, 3, 2)
/// fc = torch.nn.Linear(3, 2)
/// for k, p in enumerate(list(rnn.parameters()) + list(fc.parameters())):
///     p.data = (0.5 * torch.sin(1.3 * torch.arange(p.numel(), dtype=torch.float64) + k) + 0.15).float().reshape(p.shape)
/// x = torch.cos(0.7 * torch.arange(4 * 3 * 2, dtype=torch.float64)).float().reshape(4, 3, 2)
/// y = fc(rnn(x)[0][-1]); loss = torch.nn.functional.cross_entropy(y, torch.tensor([0, 1, 1])); loss.backward()
/// </code>
/// </summary>
public class NetworkGoldenTests
{
    // Both sides compute in fp32, in another order: a few roundings of 6e-8 each.
    private const double Tolerance = 2e-6;

    [Fact]
    public void Tanh_gives_the_numbers_of_PyTorch() => Check(
        Cell.RnnTanh,
        [0.675721765f, 0.577269375f, 0.69885993f, 0.564706087f, 0.748522699f, 0.523868442f],
        0.7397913336753845,
        new()
        {
            ["rnn.weight_hh_l0"] =
            [
                -0.0249214116f, 0.0242227353f, -0.00553733204f, -0.0416156352f, 0.0310349613f, -0.0164849032f, -0.0153604196f, -0.000189626648f, 0.00772588747f,
            ],
            ["rnn.weight_ih_l1"] =
            [
                -0.0417321958f, -0.0276450347f, -0.00910704676f, -0.00958893541f, 0.0167800914f, -0.00199186523f, 0.0274070762f, 0.0195054654f, 0.00439616758f,
            ],
            ["rnn.bias_ih_l0"] = [-0.0318110622f, -0.0283436663f, -0.0108642578f],
        });

    [Fact]
    public void Relu_gives_the_numbers_of_PyTorch() => Check(
        Cell.RnnRelu,
        [0.929417491f, 1.86231756f, 0.963296533f, 1.66375518f, 0.779608548f, 1.7849555f],
        0.6598383784294128,
        new()
        {
            ["rnn.weight_hh_l0"] =
                [-0.000418881886f, -0.000474714732f, 0.0145005202f, -0.002461439f, 0f, 0f, -0.00209867582f, 0.000995950424f, -0.0132807568f],
            ["rnn.weight_ih_l1"] =
            [
                -0.248182729f, 0.000126505169f, -0.011106587f, 0.0425382182f, 0.000853809062f, -0.0425485671f, 0.274880469f, 5.65478949e-05f, -0.00306657632f,
            ],
            ["rnn.bias_ih_l0"] = [0.0284569338f, -0.0245158374f, 0.0137454346f],
        });

    [Fact]
    public void Lstm_gives_the_numbers_of_PyTorch() => Check(
        Cell.Lstm,
        [0.748955488f, -0.40087536f, 0.760019898f, -0.402158469f, 0.760170937f, -0.402602732f],
        1.0480873584747314,
        new()
        {
            ["rnn.weight_hh_l0"] =
            [
                0.00101276068f, 0.000616319943f, -0.00026094538f, -0.000251558318f, -0.000150686988f, 4.99355265e-05f,
                -9.4818286e-05f, 2.39146684e-05f, 4.10040157e-05f, 0.00200427254f, 0.00110847084f, -0.00045904945f,
                -0.000126738581f, -0.000109865839f, 3.59277183e-05f, 0.000434338464f, 0.000261346315f, -0.000120287252f,
                -0.00813251361f, -0.004636914f, 0.001798123f, 0.0008871631f, 0.000772825792f, -0.000250618759f,
                0.00201409589f, 0.00124999741f, -0.000478306058f, 0.000517337001f, 0.000103515791f, -6.14455639e-05f,
                -0.00060998759f, -0.000321676984f, 0.000126196144f, 0.000139303185f, 5.90881391e-05f, -1.5357231e-05f,
            ],
            ["rnn.bias_ih_l0"] =
            [
                -0.00327015924f, 0.00079148286f, -0.000642938656f, -0.00570730213f, 0.000533431827f, -0.00125098531f,
                0.0269467905f, -0.00377460476f, -0.00812282227f, -0.000769692473f, 0.00131263747f, -0.000534547551f,
            ],
        });

    [Fact]
    public void Gru_gives_the_numbers_of_PyTorch() => Check(
        Cell.Gru,
        [1.02546549f, -0.322827011f, 1.02474713f, -0.321049064f, 1.03685153f, -0.365895689f],
        1.143551230430603,
        new()
        {
            ["rnn.weight_hh_l0"] =
            [
                0.00108866498f, 0.000902987027f, -3.14681238e-05f, 1.06668431e-05f, 1.68230472e-05f, -4.08891219e-06f,
                0.00085230876f, 0.000761184841f, -0.000250935205f, 1.78586706e-05f, -0.000324851018f, 1.54364971e-05f,
                -0.000168080369f, -0.000127376989f, -0.000160847587f, 0.000739746785f, -0.000306988659f, -0.00334507786f,
                -0.00749771763f, -0.00651681656f, 0.0015938658f, -0.000441312091f, -0.000725418562f, -4.15802933e-05f,
                0.00391992601f, 0.00337211997f, -0.00114878197f,
            ],
            ["rnn.bias_ih_l0"] =
            [
                -0.00914132502f, -0.000185583704f, -0.0103193857f, 0.00383002986f, 0.00412483839f, 8.78237188e-05f,
                0.114410549f, 0.0153918583f, -0.106674388f,
            ],
            ["rnn.bias_hh_l0"] =
            [
                -0.00914132502f, -0.000185583689f, -0.0103193857f, 0.00383003009f, 0.00412483793f, 8.78241844e-05f,
                0.0654738694f, 0.0070149973f, -0.0387786813f,
            ],
        });

    // The same with bidirectional=True, fc = Linear(6, 2), y = fc(cat([h[-1, :, :3], h[0, :, 3:]], 1)) of h = rnn(x)[0].
    [Fact]
    public void Two_directions_give_the_numbers_of_PyTorch() => Check(
        Cell.Gru,
        [-0.278661072f, 0.226249695f, -0.249021918f, 0.204362869f, -0.252238214f, 0.362774372f],
        0.6337543725967407,
        new()
        {
            ["rnn.weight_hh_l1_reverse"] =
            [
                -7.48336606e-05f, -2.79448159e-05f, 5.63896829e-05f, -0.000210457481f, -0.000223952637f, 0.000103043283f,
                7.61354968e-05f, 9.22326872e-05f, -3.85513558e-05f, -0.000123927952f, -0.000151085493f, 3.64134139e-05f,
                0.000433622306f, 0.000481730036f, 0.000331529765f, 0.000219274851f, 0.000215390828f, 3.16042569e-05f,
                0.000841439527f, 0.00045861848f, -0.000679344288f, 0.00160862831f, 0.0015541797f, -0.000865011825f,
                0.000393561204f, 0.000370940281f, -0.000289165706f,
            ],
            ["rnn.weight_ih_l0_reverse"] =
            [
                -0.00293264468f, -0.00277173286f, -2.94221736e-05f, -0.00012468225f, -0.00217634463f, -0.00169455807f,
                0.00492174365f, 0.0061791339f, 0.00149043498f, 0.000824911636f, 0.00327446382f, 0.00616703322f,
                -0.0294723026f, -0.0299569685f, -0.00564348558f, -0.00545789255f, 0.0286024883f, 0.0237258002f,
            ],
            ["rnn.bias_ih_l0"] =
            [
                0.00155400741f, -0.00014160313f, 0.000231484475f, 0.00014759507f, -0.0038071298f, 0.00191209838f,
                -0.0151379369f, -0.000841179863f, 0.00195314176f,
            ],
        },
        isBidirectional: true);

    /// <summary>
    /// <c>fc(h_n of both directions)</c> and <c>fc(out[:, -1])</c> of a bidirectional LSTM in double:
    /// <code>
    /// import numpy as np
    /// def fill(k, *s): return (0.5 * np.sin(1.3 * np.arange(np.prod(s)) + k) + 0.15).astype('f4').astype('f8').reshape(s)
    /// def sigmoid(z): return 1 / (1 + np.exp(-z))
    /// def lstm(x, w, u, b, c):
    ///     h = m = np.zeros((x.shape[1], u.shape[1])); out = []
    ///     for step in x:
    ///         i, f, g, o = np.split(step @ w.T + b + h @ u.T + c, 4, 1)
    ///         m = sigmoid(f) * m + sigmoid(i) * np.tanh(g); h = sigmoid(o) * np.tanh(m); out.append(h)
    ///     return np.stack(out)
    /// p = [fill(k, *s) for k, s in enumerate([(12, 2), (12, 3), (12,), (12,)] * 2 + [(2, 6), (2,)])]
    /// x = np.cos(0.7 * np.arange(24)).astype('f4').astype('f8').reshape(4, 3, 2)
    /// out = np.concatenate([lstm(x, *p[:4]), lstm(x[::-1], *p[4:8])[::-1]], 2)
    /// last = np.concatenate([out[-1, :, :3], out[0, :, 3:]], 1) @ p[8].T + p[9]; last_step = out[-1] @ p[8].T + p[9]
    /// </code>
    /// </summary>
    [Theory]
    [InlineData("host", Readout.Last)]
    [InlineData("ilgpu-cpu", Readout.Last)]
    [InlineData("host", Readout.LastStep)]
    [InlineData("ilgpu-cpu", Readout.LastStep)]
    public void Two_read_outs_of_the_end_differ_with_two_directions(string device, Readout readout)
    {
        using IBackend backend = Devices.Open(device);
        Architecture architecture = NetworkTests.Make(Cell.Lstm, "3", readout, TaskKind.Classification, inputs: 2, outputs: 2);
        using Network network = new(architecture with { IsBidirectional = true }, backend);
        foreach ((ParameterSlot slot, int k) in network.Parameters.Slots.Select((slot, k) => (slot, k)))
            network.Parameters.Write(slot.Name, [.. Enumerable.Range(0, (int)slot.Shape.Count).Select(i => (float)((0.5 * Math.Sin((1.3 * i) + k)) + 0.15))]);
        using Tensor input = backend.Allocate(new Shape(4, 3, 2));
        input.CopyFrom<float>([.. Enumerable.Range(0, 24).Select(i => (float)Math.Cos(0.7 * i))]);

        double[] expected = readout == Readout.Last
            ? [-0.11636954041703151, 0.27908381487073586, 0.009331484557603686, 0.26446926598251996, 0.14571713458067037, 0.11172243404563176]
            : [0.014062364234956215, 0.03327389844823081, 0.01828805521997945, 0.08016129864646948, 0.11828851324619505, -0.05111403872967615];
        Close.Equal(expected, network.Forward(input), rtol: Tolerance, atol: Tolerance, what: "logits");
    }

    private static void Check(Cell cell, float[] logits, double loss, Dictionary<string, float[]> gradients, bool isBidirectional = false)
    {
        using HostBackend backend = new();
        Architecture architecture = NetworkTests.Make(cell, "3,3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 2);
        using Network network = new(architecture with { IsBidirectional = isBidirectional }, backend);
        int k = 0;
        foreach (ParameterSlot slot in network.Parameters.Slots)
        {
            network.Parameters.Write(slot.Name, [.. Enumerable.Range(0, (int)slot.Shape.Count).Select(i => (float)((0.5 * Math.Sin((1.3 * i) + k)) + 0.15))]);
            k++;
        }

        using Tensor input = backend.Allocate(new Shape(4, 3, 2));
        input.CopyFrom<float>([.. Enumerable.Range(0, 24).Select(i => (float)Math.Cos(0.7 * i))]);
        using Tensor labels = backend.Allocate(new Shape(3), ElementType.Int32);
        labels.CopyFrom<int>([0, 1, 1]);
        using LossTotals totals = backend.Loss.CreateTotals();

        Tensor outputs = network.Forward(input, isTraining: true);
        Close.Equal(logits, outputs.ToArray(), rtol: Tolerance, atol: Tolerance, what: "logits");
        backend.Loss.SoftmaxCrossEntropy(outputs, labels, 1f / 3, outputs, totals);
        Close.Equal(loss, totals.Read().Loss / 3, rtol: Tolerance, atol: Tolerance, what: "loss");
        network.Backward(outputs);
        foreach ((string name, float[] expected) in gradients) Close.Equal(expected, network.Parameters.Gradient(name).ToArray(), rtol: 1e-5, atol: Tolerance, what: name);
    }
}
