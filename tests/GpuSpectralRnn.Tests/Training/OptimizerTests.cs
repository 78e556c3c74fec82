using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>
/// Five steps of PyTorch 1.13:
/// <code>
/// p = torch.nn.Parameter(torch.tensor([1., -2., 0.5])); o = OPTIMIZER
/// for k in range(5):
///     p.grad = torch.sin(p.data * 3 + k) * 2
///     if clip: torch.nn.utils.clip_grad_norm_([p], clip)
///     o.step()
/// </code>
/// </summary>
public class OptimizerTests
{
    public static TheoryData<TrainingSettings, float[]> Golden() => new()
    {
        // SGD(p, lr=0.1, weight_decay=0.01), clip 1
        { new() { Optimizer = OptimizerKind.Sgd, WeightDecay = 0.01, Clip = 1 }, [1.03432763f, -2.14861107f, 0.495080858f] },

        // SGD(p, lr=0.1, momentum=0.8, weight_decay=0.01)
        { new() { Optimizer = OptimizerKind.Momentum, Momentum = 0.8, WeightDecay = 0.01, Clip = 0 }, [1.28887498f, -3.68088412f, -1.68587542f] },

        // RMSprop(p, lr=0.1, alpha=0.9, weight_decay=0.01), clip 1
        { new() { Optimizer = OptimizerKind.Rmsprop, Alpha = 0.9, WeightDecay = 0.01, Clip = 1 }, [0.841777563f, -3.25736427f, -0.354982585f] },

        // Adam(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.01)
        { new() { Optimizer = OptimizerKind.Adam, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6, WeightDecay = 0.01, Clip = 0 },
          [1.11517191f, -2.46430397f, 0.196934134f] },

        // AdamW(p, lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.01), clip 1
        { new() { Optimizer = OptimizerKind.Adamw, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6, WeightDecay = 0.01, Clip = 1 },
          [1.11400092f, -2.46383119f, 0.217340514f] },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void Steps_are_those_of_PyTorch(TrainingSettings settings, float[] expected)
    {
        using HostBackend backend = new();
        using Parameters parameters = new(
            NetworkTests.Make(Cell.RnnTanh, "1", Readout.Last, TaskKind.Regression, inputs: 3, outputs: 1).Build(), backend);
        using Optimizer optimizer = new(settings, parameters);
        const string name = "rnn.weight_ih_l0";
        parameters.Write(name, [1f, -2f, 0.5f]);
        for (int k = 0; k < 5; k++)
        {
            // All other parameters and gradients stay zero and take no part in the norm.
            backend.Fill(parameters.Gradients, 0f);
            parameters.Gradient(name).CopyFrom<float>([.. parameters.Read(name).Select(p => 2f * MathF.Sin((p * 3) + k))]);
            optimizer.Step(0.1, k + 1);
        }

        // Five fp32 steps of order 1; the sine amplifies a rounding by up to 6 lr = 0.6 per step.
        Close.Equal(expected, parameters.Read(name), rtol: 2e-6, atol: 2e-6);
        Assert.Equal(expected.Length, parameters.Values.ToArray().Count(value => value != 0));
    }

    [Theory]
    [InlineData("Epochs", "0 epochs")]
    [InlineData("BatchSize", "Batch size 0")]
    [InlineData("LearningRate", "Learning rate 0")]
    [InlineData("Clip", "Gradient limit -1")]
    [InlineData("Beta1", "beta1 1")]
    [InlineData("Patience", "Patience -1")]
    [InlineData("WeightDecay", "Weight decay NaN")]
    public void Settings_that_cannot_be_are_refused(string member, string named)
    {
        TrainingSettings settings = member switch
        {
            "Epochs" => new() { Epochs = 0 },
            "BatchSize" => new() { BatchSize = 0 },
            "LearningRate" => new() { LearningRate = 0 },
            "Clip" => new() { Clip = -1 },
            "Beta1" => new() { Beta1 = 1 },
            "Patience" => new() { Patience = -1 },
            _ => new() { WeightDecay = double.NaN },
        };

        Assert.Contains(named, Assert.Throws<InvalidCallException>(settings.Validate).Message);
    }

    [Fact]
    public void Settings_come_back_equal_from_json()
    {
        TrainingSettings settings = new()
        { Optimizer = OptimizerKind.Rmsprop, Schedule = new() { Kind = ScheduleKind.OneCycle }, Seed = ulong.MaxValue, LearningRate = 0.1 };

        Assert.Equal(settings, TrainingSettings.FromJson(settings.ToJson()));
        Assert.Throws<InvalidCallException>(() => TrainingSettings.FromJson("""{"epochs":0}"""));
        Assert.Throws<InvalidCallException>(() => TrainingSettings.FromJson("""{"epoch":1}"""));
    }
}
