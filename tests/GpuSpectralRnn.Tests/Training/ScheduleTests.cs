using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>
/// Rates of PyTorch 1.13, printed with 12 digits:
/// <code>
/// o = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.3); s = SCHEDULER
/// for _ in range(n): print("%.12g" % o.param_groups[0]["lr"]); o.step(); s.step()
/// </code>
/// </summary>
public class ScheduleTests
{
    // The goldens have 12 digits, of the smallest (1.2e-06) too.
    private const double Tolerance = 1e-11;

    [Theory]
    [InlineData(20, 0.012, 0.03950155281, 0.11150155281, 0.20049844719, 0.27249844719, 0.3,
        0.296239201871, 0.285145389604, 0.267274853271, 0.243523696185, 0.215082900537,
        0.183378606581, 0.1500006, 0.116622593419, 0.0849182994626, 0.0564775038151, 0.0327263467287, 0.014855810396, 0.00376199812947, 1.2e-06)]
    [InlineData(7, 0.012, 0.2941669882, 0.275713312881, 0.201805150944, 0.107321632722, 0.029789037568, 1.2e-06)]
    [InlineData(2, 0.243523696185, 1.2e-06)]
    public void One_cycle_is_OneCycleLR(int steps, params double[] expected) =>
        Check(new Schedule { Kind = ScheduleKind.OneCycle }, 1, steps, expected);

    [Fact]
    public void Cosine_is_CosineAnnealingLR() =>
        Check(new Schedule { Kind = ScheduleKind.Cosine }, 2, 6, [0.3, 0.279903810568, 0.225, 0.15, 0.075, 0.0200961894323]);

    [Fact]
    public void Step_is_StepLR_over_epochs() => Check(
        new Schedule { Kind = ScheduleKind.Step, StepEpochs = 2, Gamma = 0.5 }, 3, 14,
        [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.075, 0.075]);

    // LambdaLR(o, lambda k: min(1, (k + 1) / 4) * (1 - k / 8))
    [Fact]
    public void Linear_and_warm_up_multiply() => Check(
        new Schedule { Kind = ScheduleKind.Linear, WarmupEpochs = 2 }, 2, 8, [0.075, 0.13125, 0.16875, 0.1875, 0.15, 0.1125, 0.075, 0.0375]);

    [Fact]
    public void Constant_stays_after_its_warm_up() => Check(new Schedule { WarmupEpochs = 0.5 }, 4, 4, [0.15, 0.3, 0.3, 0.3]);

    // Zaremba, Sutskever, Vinyals 2014, the small model: lr / 2 from the fifth epoch on; here held for 2 epochs.
    [Fact]
    public void Decay_holds_and_then_divides_every_epoch() => Check(
        new Schedule { Kind = ScheduleKind.Decay, HeldEpochs = 2, Gamma = 0.5 }, 2, 10,
        [0.3, 0.3, 0.3, 0.3, 0.15, 0.15, 0.075, 0.075, 0.0375, 0.0375]);

    [Fact]
    public void Anneal_counts_the_worse_epochs()
    {
        Schedule schedule = new() { Kind = ScheduleKind.Anneal, Gamma = 0.25 };

        Close.Equal(
            [0.3, 0.075, 0.01875], [.. Enumerable.Range(0, 3).Select(worse => schedule.Rate(0.3, 7, 2, 10, worse))], rtol: Tolerance, atol: 0);
    }

    [Theory]
    [InlineData(ScheduleKind.Step, 0.0, 1, 0, "factor is 0")]
    [InlineData(ScheduleKind.Step, double.NaN, 1, 0, "factor is NaN")]
    [InlineData(ScheduleKind.Step, 0.5, 0, 0, "every 0 epochs")]
    [InlineData(ScheduleKind.Cosine, 0.5, 1, -1, "-1 epochs")]
    [InlineData(ScheduleKind.OneCycle, 0.5, 1, 1, "warms up by itself")]
    public void What_cannot_be_is_refused(ScheduleKind kind, double gamma, int stepEpochs, double warmup, string named) => Assert.Contains(
        named,
        Assert.Throws<InvalidCallException>(
            () => new Schedule { Kind = kind, Gamma = gamma, StepEpochs = stepEpochs, WarmupEpochs = warmup }.Validate()).Message);

    private static void Check(Schedule schedule, int stepsPerEpoch, int totalSteps, double[] expected) => Close.Equal(
        expected,
        [.. Enumerable.Range(0, expected.Length).Select(step => schedule.Rate(0.3, step, stepsPerEpoch, totalSteps))],
        rtol: Tolerance,
        atol: 1e-15);
}
