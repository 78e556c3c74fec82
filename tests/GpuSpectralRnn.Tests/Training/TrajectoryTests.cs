using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>Twenty steps on every device against twenty steps of PyTorch in double precision.</summary>
public class TrajectoryTests
{
    /// <summary>
    /// The losses of PyTorch 1.13:
    /// <code>
    /// torch.set_default_dtype(torch.float64)
    /// rnn = torch.nn.RNN(2, 4, num_layers=2); fc = torch.nn.Linear(4, 3); ps = list(rnn.parameters()) + list(fc.parameters())
    /// for k, p in enumerate(ps): p.data = (0.5 * torch.sin(1.3 * torch.arange(p.numel()) + k)).reshape(p.shape)
    /// x = torch.cos(0.7 * torch.arange(5 * 6 * 2)).reshape(6, 5, 2).transpose(0, 1)
    /// opt = torch.optim.Adam(ps, lr=0.05)
    /// for step in range(20):
    ///     opt.zero_grad(); loss = torch.nn.functional.cross_entropy(fc(rnn(x)[0][-1]), torch.tensor([0, 1, 2, 0, 1, 2])); loss.backward()
    ///     torch.nn.utils.clip_grad_norm_(ps, 0.5); opt.step(); print("%.10g" % loss.item())
    /// </code>
    /// </summary>
    private static readonly double[] Golden =
    [
        1.10406542, 1.111689755, 1.08493343, 1.05736441, 1.036009253, 1.016285854, 0.9927618564, 0.9411442799, 0.85783849, 0.7685853075,
        0.6791244444, 0.6068449026, 0.5586521276, 0.4992468497, 0.4197972271, 0.3890029772, 0.3769320538, 0.3232807406, 0.2594497832, 0.2424845005,
    ];

    // fp32 against double: each step adds about 1e-7 relative, and Adam's division by the root of a young second moment magnifies it; over 20 steps
    // 1e-4 leaves a factor of ten.
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void The_losses_are_those_of_PyTorch(string device)
    {
        using IBackend backend = Devices.Open(device);

        Close.Equal(Golden, Losses(backend), rtol: Tolerance, atol: 0);
    }

    [Fact]
    public void The_host_and_ILGPU_go_the_same_way()
    {
        using IBackend host = Devices.Open("host");
        using IBackend ilgpu = Devices.Open("ilgpu-cpu");

        Close.Equal(Losses(host), Losses(ilgpu), rtol: Tolerance, atol: 0);
    }

    // One batch of the whole set: a step an epoch, in an order that only changes the order of the additions.
    private static double[] Losses(IBackend backend)
    {
        using Network network = new(NetworkTests.Make(Cell.RnnTanh, "4,4", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 3), backend);
        int k = 0;
        foreach (ParameterSpec slot in network.Parameters.Slots)
        {
            network.Parameters.Write(slot.Name, [.. Enumerable.Range(0, (int)slot.Shape.Count).Select(i => (float)(0.5 * Math.Sin((1.3 * i) + k)))]);
            k++;
        }

        List<double> losses = [];
        TrainingSettings settings = new() { Epochs = 20, BatchSize = 6, LearningRate = 0.05, Clip = 0.5 };
        using Trainer trainer = new(network, new ToyData(6), null, settings) { EpochFinished = report => losses.Add(report.Training.Loss) };
        trainer.Run();
        return [.. losses];
    }
}
