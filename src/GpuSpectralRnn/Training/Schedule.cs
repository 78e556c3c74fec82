using System.Text.Json.Serialization;

namespace GpuSpectralRnn.Training;

/// <summary>Shapes of the learning rate over a run.</summary>
public enum ScheduleKind
{
    /// <summary>Constant.</summary>
    Constant,

    /// <summary>Multiplied by <see cref="Schedule.Gamma"/> every <see cref="Schedule.StepEpochs"/> epochs (PyTorch: StepLR).</summary>
    Step,

    /// <summary>Falls linearly to zero, step by step.</summary>
    Linear,

    /// <summary>Falls to zero along half a cosine, step by step (PyTorch: CosineAnnealingLR with T_max = all steps).</summary>
    Cosine,

    /// <summary>
    /// Rises from peak / 25 to the peak and falls to peak / 250,000, both along half cosines (Smith and Topin, 2017; PyTorch: OneCycleLR).
    /// </summary>
    OneCycle,

    /// <summary>
    /// Constant for <see cref="Schedule.HeldEpochs"/> epochs, then multiplied by <see cref="Schedule.Gamma"/> before each further epoch (Zaremba,
    /// Sutskever, Vinyals, "Recurrent neural network regularization", 2014).
    /// </summary>
    Decay,

    /// <summary>
    /// Multiplied by <see cref="Schedule.Gamma"/> after every epoch whose validation result is no better than the best; the best weights are then
    /// restored (PyTorch's word_language_model example, which does not restore them).
    /// </summary>
    Anneal,
}

/// <summary>
/// The learning rate as a pure function of the step and the number of epochs without improvement; a resumed run needs no state of it.
/// </summary>
public sealed record Schedule
{
    /// <summary>Shape of the curve.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.Constant;

    /// <summary>The factor of <see cref="ScheduleKind.Step"/>, <see cref="ScheduleKind.Decay"/> and <see cref="ScheduleKind.Anneal"/>.</summary>
    public double Gamma { get; init; } = 0.1;

    /// <summary>The period of <see cref="ScheduleKind.Step"/>, in epochs.</summary>
    public int StepEpochs { get; init; } = 10;

    /// <summary>Epochs before <see cref="ScheduleKind.Decay"/> begins.</summary>
    public int HeldEpochs { get; init; }

    /// <summary>
    /// Linear warm-up over this many epochs: the rate is multiplied by a factor that rises from 1/n to 1 over their n steps. Not for one-cycle, which
    /// has its own.
    /// </summary>
    public double WarmupEpochs { get; init; }

    /// <summary>The fraction of all steps in which <see cref="ScheduleKind.OneCycle"/> rises.</summary>
    public double RisingShare { get; init; } = 0.3;

    /// <summary>Ratio of the peak to the first rate of <see cref="ScheduleKind.OneCycle"/>.</summary>
    public double Division { get; init; } = 25;

    /// <summary>Ratio of the first to the last rate of <see cref="ScheduleKind.OneCycle"/>.</summary>
    public double FinalDivision { get; init; } = 1e4;

    /// <summary>Whether the rate of a step depends on how many steps the whole run has.</summary>
    [JsonIgnore]
    public bool SpansAllSteps => Kind is ScheduleKind.Linear or ScheduleKind.Cosine or ScheduleKind.OneCycle;

    /// <summary>The rate of one step.</summary>
    /// <param name="peak">The nominal rate.</param>
    /// <param name="step">0-based, over the whole run.</param>
    /// <param name="stepsPerEpoch">Steps of one epoch.</param>
    /// <param name="totalSteps">Steps of the whole run.</param>
    /// <param name="worseEpochs">Epochs so far without improvement on the best result.</param>
    public double Rate(double peak, long step, long stepsPerEpoch, long totalSteps, int worseEpochs = 0)
    {
        double rate = Kind switch
        {
            ScheduleKind.Step => peak * Math.Pow(Gamma, step / stepsPerEpoch / StepEpochs),
            ScheduleKind.Linear => peak * (1 - ((double)step / totalSteps)),
            ScheduleKind.Cosine => Cosine(peak, 0, (double)step / totalSteps),
            ScheduleKind.OneCycle => OneCycle(peak, step, totalSteps),
            ScheduleKind.Decay => peak * Math.Pow(Gamma, Math.Max(0, (step / stepsPerEpoch) + 1 - HeldEpochs)),
            ScheduleKind.Anneal => peak * Math.Pow(Gamma, worseEpochs),
            _ => peak,
        };
        double warmup = WarmupEpochs * stepsPerEpoch;
        return step + 1 < warmup ? rate * (step + 1) / warmup : rate;
    }

    /// <summary>Checks the range of every setting.</summary>
    /// <exception cref="InvalidCallException">A setting is out of range.</exception>
    public void Validate()
    {
        if (!Enum.IsDefined(Kind)) throw new InvalidCallException($"{Kind} is no schedule.");
        if (!(Gamma > 0 && Gamma <= 1)) throw new InvalidCallException($"The schedule's factor is {Gamma}; choose a number above 0 and up to 1.");
        if (StepEpochs < 1) throw new InvalidCallException($"The schedule steps every {StepEpochs} epochs; choose 1 or more.");
        if (HeldEpochs < 0) throw new InvalidCallException($"The schedule holds the rate for {HeldEpochs} epochs; choose 0 or more.");
        if (!(WarmupEpochs >= 0 && double.IsFinite(WarmupEpochs)))
            throw new InvalidCallException($"The warm-up lasts {WarmupEpochs} epochs; choose 0 or more.");
        if (WarmupEpochs > 0 && Kind == ScheduleKind.OneCycle)
            throw new InvalidCallException("The one-cycle schedule warms up by itself; leave the warm-up out.");
        if (!(RisingShare > 0 && RisingShare < 1))
            throw new InvalidCallException($"One-cycle rises over the share {RisingShare}; choose a number between 0 and 1.");
        if (!(Division >= 1 && FinalDivision >= 1))
            throw new InvalidCallException($"One-cycle divides by {Division} and {FinalDivision}; choose 1 or more.");
    }

    private static double Cosine(double from, double to, double share) => to + ((from - to) / 2 * (1 + Math.Cos(Math.PI * share)));

    private double OneCycle(double peak, long step, long totalSteps)
    {
        double first = peak / Division;
        double top = (RisingShare * totalSteps) - 1;
        return step <= top && top > 0
            ? Cosine(first, peak, step / top)
            : Cosine(peak, first / FinalDivision, (step - top) / (totalSteps - 1 - top));
    }
}
