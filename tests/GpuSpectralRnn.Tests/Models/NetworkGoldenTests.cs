using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Models;

/// <summary>
/// Outputs, loss and gradients of PyTorch 1.13 for the same numbers:
/// <code>
/// rnn = torch.nn.RNN(2, 3, num_layers=2, nonlinearity=nonlin); fc = torch.nn.Linear(3, 2)
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

    private static void Check(Cell cell, float[] logits, double loss, Dictionary<string, float[]> gradients)
    {
        using HostBackend backend = new();
        using Network network = new(NetworkTests.Make(cell, "3,3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 2), backend);
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
