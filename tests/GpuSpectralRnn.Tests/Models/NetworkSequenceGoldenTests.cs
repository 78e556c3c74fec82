using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Models;

/// <summary>Packed sequences and language models with the numbers of PyTorch 1.13.</summary>
public class NetworkSequenceGoldenTests
{
    // Both sides compute in fp32, in another order: a few roundings of 6e-8 each.
    private const double Tolerance = 2e-6;

    /// <summary>
    /// <code>
    /// def fill(ps):
    ///     for k, p in enumerate(ps):
    ///         p.data = (0.5 * torch.sin(1.3 * torch.arange(p.numel(), dtype=torch.float64) + k) + 0.15).float().reshape(p.shape)
    /// rnn = torch.nn.LSTM(2, 3, 2, bidirectional=True); fc = torch.nn.Linear(6, 2)
    /// fill(list(rnn.parameters()) + list(fc.parameters()))
    /// x = torch.cos(0.7 * torch.arange(4 * 3 * 2, dtype=torch.float64)).float().reshape(4, 3, 2)
    /// lengths = torch.tensor([4, 1, 3])
    /// packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
    /// h = torch.nn.utils.rnn.pad_packed_sequence(rnn(packed)[0])[0]
    /// y = fc(torch.cat([h[lengths - 1, torch.arange(3), :3], h[0, :, 3:]], 1))
    /// loss = torch.nn.functional.cross_entropy(y, torch.tensor([0, 1, 1])); loss.backward()
    /// </code>
    /// </summary>
    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void A_bidirectional_LSTM_over_packed_sequences(string device)
    {
        using IBackend backend = Devices.Open(device);
        Architecture architecture = NetworkTests.Make(Cell.Lstm, "3,3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 2);
        using Tensor x = backend.Allocate(new Shape(4, 3, 2)), lengths = backend.Allocate(new Shape(3), ElementType.Int32);
        x.CopyFrom<float>([.. Enumerable.Range(0, 24).Select(i => (float)Math.Cos(0.7 * i))]);
        lengths.CopyFrom<int>([4, 1, 3]);
        Check(
            backend,
            architecture with { IsBidirectional = true },
            new SequenceBatch(x, lengths),
            [0, 1, 1],
            [
                -0.484250605f, 0.0220610127f, -0.409353316f, 0.0225766525f, -0.462809443f, 0.0889430419f,
            ],
            0.6443951725959778,
            new()
            {
                ["rnn.weight_ih_l0"] =
                [
                    -0.000440896692f, -0.000665990228f, -0.000749957399f, -0.00194652611f, -4.9623246e-05f, -0.000124011931f, 0.000689804496f,
                    0.00101880473f, -0.000641412218f, -0.000205137214f, 4.60625524e-05f, -6.20137871e-05f, 0.00318425801f, 0.00533591118f,
                    0.0116899591f, 0.0133019509f, -0.000978691969f, -0.00152183056f, -0.000715595845f, -0.000287177041f, -0.000473634107f,
                    -0.000691120804f, 0.000410546403f, -4.11730143e-05f,
                ],
                ["rnn.weight_hh_l0"] =
                [
                    0.000159910094f, 1.11684312e-05f, -5.78075633e-05f, 0.0011244996f, 0.00037682816f, -0.000372978859f, -5.89035153e-05f,
                    -3.84402956e-05f, 2.82076235e-06f, 0.000446444057f, 0.000115343173f, -0.00012223715f, 0.000309603667f, 8.97557256e-05f,
                    -7.56848021e-05f, 9.31882551e-06f, 1.34039574e-05f, -7.38400604e-06f, -0.00211305567f, -0.000542433176f, 0.000673139933f,
                    -0.00300008757f, -0.000756679918f, 0.00106249284f, 4.03892773e-05f, 7.3558811e-05f, -4.04366838e-05f, 0.000121855832f,
                    -7.59981413e-06f, -1.48797571e-05f, 0.000656574848f, 0.000165293037f, -0.000166947109f, -1.2851151e-05f, -4.0843106e-06f,
                    -3.05789436e-05f,
                ],
                ["rnn.bias_ih_l0_reverse"] =
                [
                    -0.00445012096f, -0.0024659005f, 0.000124295475f, -0.00256866869f, -0.00296911644f, -0.00112990849f, -0.00546005741f,
                    -0.0118607413f, 0.00266646966f, -0.00456375722f, -0.00430913037f, 0.000533675891f,
                ],
                ["rnn.weight_hh_l1_reverse"] =
                [
                    -1.70608546e-05f, -6.54770265e-05f, 3.53249852e-05f, 2.75746715e-05f, -7.52198684e-06f, -4.81940224e-05f, 5.2755051e-05f,
                    0.000166789745f, -9.14617267e-05f, -3.05233516e-06f, -2.92811801e-05f, 1.63974291e-05f, -9.10466915e-05f, -0.000371511531f,
                    0.000180181305f, 2.14790853e-05f, 7.12206893e-05f, -3.64926127e-05f, 0.000604113098f, 0.00250147004f, -0.00122690247f,
                    0.00120892643f, 0.0049979561f, -0.00239599729f, 0.00026396662f, 0.00101033377f, -0.000491364859f, -2.53412727e-05f,
                    -7.41421754e-05f, 4.47661732e-05f, -6.48857094e-05f, -0.000109345703f, 3.64912739e-05f, 5.64144248e-05f, 0.000108684457f,
                    -6.39503342e-05f,
                ],
            });
    }

    /// <summary>
    /// <code>
    /// emb = torch.nn.Embedding(5, 3); rnn = torch.nn.LSTM(3, 3, 2); fc = torch.nn.Linear(3, 5)
    /// fill(list(emb.parameters()) + list(rnn.parameters()) + list(fc.parameters()))  # tied: fc.weight = emb.weight before, and + [fc.bias]
    /// x = torch.tensor([[1, 4], [0, 1], [1, 2], [3, 3]]); t = torch.tensor([[0, 1], [1, 2], [3, 3], [-100, 4]])
    /// y = fc(rnn(emb(x))[0]); loss = torch.nn.functional.cross_entropy(y.reshape(-1, 5), t.reshape(-1)); loss.backward()
    /// </code>
    /// </summary>
    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void A_language_model(string device)
    {
        using IBackend backend = Devices.Open(device);
        CheckLanguage(
            backend,
            isTied: false,
            [
                0.0345637798f, -0.401358992f, 0.100487366f, 0.788951755f, 0.219768643f, 0.0329645574f, -0.40757075f,
                0.107505679f, 0.781374335f, 0.220152184f, 0.086190775f, -0.436942905f, 0.0615093634f, 0.842112422f,
                0.142550528f, 0.0877532512f, -0.456781864f, 0.0722836182f, 0.829841852f, 0.133124709f, 0.103520036f,
                -0.462417006f, 0.0351725668f, 0.859831512f, 0.0971691608f, 0.10446167f, -0.489942938f, 0.0548483133f,
                0.839444339f, 0.0877462029f, 0.110680088f, -0.469977677f, 0.0114946365f, 0.874274373f, 0.0723830462f,
                0.11877428f, -0.511462033f, 0.0371847153f, 0.85201484f, 0.0525654256f,
            ],
            1.684173822402954,
            new()
            {
                ["embedding.weight"] =
                [
                    0.000811456586f, -0.00209747721f, -0.00383498683f, 0.00170300575f, -0.00128387951f, -0.00380325713f, 0.000155205009f,
                    -4.72832871e-05f, -0.000559201057f, -0.00126128655f, 0.00024696422f, 0.000204556432f, -0.00100038317f, -0.000114996001f,
                    -0.0002078502f,
                ],
                ["rnn.weight_hh_l1"] =
                [
                    -0.000219154696f, 8.33426893e-05f, 7.37275695e-05f, 0.00156226824f, -0.00150521006f, -0.000885827874f, 0.000865394773f,
                    -0.00100127514f, -0.000534149352f, -0.000466335652f, 0.000258019252f, 0.000151334316f, 0.00224204268f, -0.00218200916f,
                    -0.00129280833f, 0.000433218083f, -0.000527325668f, -0.000350142946f, -0.00189217413f, 0.000821092399f, 0.000543231377f,
                    -0.0163379051f, 0.0155301187f, 0.00887002051f, -0.00393333612f, 0.00435452163f, 0.0022766185f, -0.000326644396f,
                    6.87299762e-05f, 0.000245250703f, 0.00137008273f, -0.00136647129f, -0.000927510322f, 0.000839568675f, -0.00114203081f,
                    -0.000711137545f,
                ],
                ["rnn.bias_ih_l0"] =
                [
                    0.00227186503f, -0.00201305188f, -0.00101038965f, 0.000572819437f, -0.000608806498f, -0.000463642995f, -0.01443242f,
                    -0.00841449946f, -0.00123953796f, 0.0018249054f, -0.00221515773f, -0.00170789601f,
                ],
                ["readout.weight"] =
                [
                    0.0128057785f, -0.0167200509f, -0.0182150118f, -0.0496880375f, 0.0402675308f, 0.0157313589f, 0.00562720187f,
                    -0.0045446353f, -0.00667022774f, 0.0198845677f, -0.0160809923f, 0.00144406874f, 0.0113704875f, -0.00292185368f,
                    0.00770981144f,
                ],
                ["readout.bias"] =
                [
                    0.0313954875f, -0.183519542f, 0.0288832411f, 0.0818266571f, 0.0414141938f,
                ],
            });
    }

    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void A_language_model_with_tied_weights(string device)
    {
        using IBackend backend = Devices.Open(device);
        CheckLanguage(
            backend,
            isTied: true,
            [
                0.232461184f, -0.242679685f, -0.14268142f, 0.132494926f, 0.775724709f, 0.228586033f, -0.236430988f,
                -0.151478082f, 0.135418236f, 0.776677608f, 0.176645711f, -0.259004116f, -0.102179125f, 0.0510014594f,
                0.814525843f, 0.159830689f, -0.247285187f, -0.11884518f, 0.0470126271f, 0.820516407f, 0.141445965f,
                -0.274340361f, -0.0907057375f, 0.00368741155f, 0.82575357f, 0.119588807f, -0.254359037f, -0.117205307f,
                0.00283330679f, 0.834146619f, 0.126521349f, -0.29191348f, -0.0777622461f, -0.0250265896f, 0.827003956f,
                0.0910910666f, -0.263485521f, -0.110050932f, -0.0330211818f, 0.844454288f,
            ],
            1.7495256662368774,
            new()
            {
                ["embedding.weight"] =
                [
                    0.0158420727f, -0.0194430575f, -0.018142648f, -0.0452980362f, 0.0343388766f, 0.0117898071f, -0.00288391113f,
                    0.00251853163f, -0.00180376275f, -0.034226004f, 0.0362294428f, 0.035935767f, 0.0620963387f, -0.0517420135f,
                    -0.0243208129f,
                ],
                ["rnn.weight_hh_l1"] =
                [
                    0.00111743656f, -0.000958783727f, -0.000586841838f, 0.000174424786f, -2.77339423e-05f, 0.000140845033f, 0.00184547552f,
                    -0.00149660453f, -0.000774333254f, 0.00170488353f, -0.00148121791f, -0.000885315763f, 0.000133561902f, 8.23418959e-05f,
                    0.000231750892f, 0.000642771367f, -0.000502087525f, -0.000241879272f, 0.00886875764f, -0.0076850499f, -0.00463370187f,
                    -0.00275928341f, 0.00118439645f, -0.000567817653f, -0.00765201636f, 0.00627798028f, 0.00317525677f, 0.00227745343f,
                    -0.00199491903f, -0.00143252569f, 0.000377584336f, -0.000196706693f, 5.97528233e-05f, 0.0023225937f, -0.0018857182f,
                    -0.00113191025f,
                ],
                ["rnn.bias_ih_l0"] =
                [
                    -0.000740900578f, -0.00138488587f, -0.00164987287f, -0.000637554622f, -0.000222191244f, -0.00031427815f, 0.00729173701f,
                    -0.00544904079f, -0.00156077347f, -0.000906744914f, -0.00130978122f, -0.0023473585f,
                ],
                ["readout.bias"] =
                [
                    0.0488975942f, -0.159586042f, 0.00153991766f, -0.114830002f, 0.223978594f,
                ],
            });
    }

    private static void CheckLanguage(IBackend backend, bool isTied, float[] logits, double loss, Dictionary<string, float[]> gradients)
    {
        Architecture architecture =
            NetworkTests.Make(Cell.Lstm, "3,3", Readout.Every, TaskKind.Classification, inputs: 3, outputs: 5) with { Vocabulary = 5, TiesWeights = isTied };
        using Tensor tokens = backend.Allocate(new Shape(4, 2), ElementType.Int32);
        tokens.CopyFrom<int>([1, 4, 0, 1, 1, 2, 3, 3]);
        Check(backend, architecture, new SequenceBatch(tokens), [0, 1, 1, 2, 3, 3, -1, 4], logits, loss, gradients);
    }

    private static void Check(
        IBackend backend, Architecture architecture, SequenceBatch batch, int[] labels, float[] logits, double loss, Dictionary<string, float[]> gradients)
    {
        using Network network = new(architecture, backend);
        int k = 0;
        foreach (ParameterSlot slot in network.Parameters.Slots)
        {
            network.Parameters.Write(slot.Name, [.. Enumerable.Range(0, (int)slot.Shape.Count).Select(i => (float)((0.5 * Math.Sin((1.3 * i) + k)) + 0.15))]);
            k++;
        }

        using Tensor label = backend.Allocate(new Shape(labels.Length), ElementType.Int32);
        label.CopyFrom<int>(labels);
        using LossTotals totals = backend.Loss.CreateTotals();
        Tensor outputs = network.Forward(batch, isTraining: true);
        Close.Equal(logits, outputs.ToArray(), rtol: Tolerance, atol: Tolerance, what: "logits");
        backend.Loss.SoftmaxCrossEntropy(outputs, label, 1f / labels.Count(l => l >= 0), outputs, totals);
        LossSums sums = totals.Read();
        Close.Equal(loss, sums.Loss / sums.Rows, rtol: Tolerance, atol: Tolerance, what: "loss");
        network.Backward(outputs);
        foreach ((string name, float[] expected) in gradients)
            Close.Equal(expected, network.Parameters.Gradient(name).ToArray(), rtol: 1e-5, atol: Tolerance, what: name);
    }
}
