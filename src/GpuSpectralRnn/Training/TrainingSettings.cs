using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>The optimisers.</summary>
public enum OptimizerKind
{
    /// <summary>Stochastic gradient descent.</summary>
    Sgd,

    /// <summary>Stochastic gradient descent with momentum.</summary>
    Momentum,

    /// <summary>RMSprop.</summary>
    Rmsprop,

    /// <summary>Adam (Kingma and Ba, 2015).</summary>
    Adam,

    /// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, 2019).</summary>
    Adamw,

    /// <summary>Adadelta (Zeiler, 2012).</summary>
    Adadelta,
}

/// <summary>Hyperparameters of a training run. Defaults are PyTorch's where PyTorch has them. Immutable; stored in every checkpoint.</summary>
public sealed record TrainingSettings
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>Passes over the training data.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Sequences per step; the last step of an epoch takes what is left.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The optimiser.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Adam;

    /// <summary>The learning rate; of a schedule that rises, its peak.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Schedule of the learning rate.</summary>
    public Schedule Schedule { get; init; } = new();

    /// <summary>Largest global norm of the gradients, clipped above; 0 for no clipping.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>Weight decay on all parameters; 0 for none.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Momentum of <see cref="OptimizerKind.Momentum"/>.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Decay rate of RMSprop's mean square (PyTorch: alpha).</summary>
    public double Alpha { get; init; } = 0.99;

    /// <summary>Decay rate rho of Adadelta's mean squares.</summary>
    public double Rho { get; init; } = 0.9;

    /// <summary>Added to Adadelta's mean squares.</summary>
    public double RhoEpsilon { get; init; } = 1e-6;

    /// <summary>
    /// Decay rate of the moving average of the weights (<see cref="WeightAverage"/>), by which the network is judged and which it holds in the end;
    /// 0 for the weights themselves.
    /// </summary>
    public double Average { get; init; }

    /// <summary>Decay rate beta_1 of Adam's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate beta_2 of Adam's second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator of RMSprop and Adam.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>
    /// Early stopping: epochs in a row without a better validation metric after which the run stops and the best weights are restored; 0 for never.
    /// </summary>
    public int Patience { get; init; }

    /// <summary>Dropout probability between layers in training; 0 for none.</summary>
    public double Dropout { get; init; }

    /// <summary>Seed of the order of sequences and of dropout.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Reads what <see cref="ToJson"/> wrote, and checks it.</summary>
    /// <exception cref="InvalidCallException">It is no valid JSON, a member is unknown or out of range.</exception>
    public static TrainingSettings FromJson(string json)
    {
        TrainingSettings settings;
        try
        {
            settings = JsonSerializer.Deserialize<TrainingSettings>(json, Json)
                ?? throw new InvalidCallException("The training settings are null; they must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidCallException($"The training settings cannot be read: {JsonFault.Describe(e)}.", e);
        }

        settings.Validate();
        return settings;
    }

    /// <summary>One JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Checks the range of every setting.</summary>
    /// <exception cref="InvalidCallException">A setting is out of range.</exception>
    public void Validate()
    {
        if (Epochs < 1) throw new InvalidCallException($"{Epochs} epochs: choose 1 or more.");
        if (BatchSize < 1) throw new InvalidCallException($"Batch size {BatchSize}: choose 1 or more.");
        if (!Enum.IsDefined(Optimizer))
            throw new InvalidCallException($"{Optimizer} is no optimizer; choose one of {string.Join(", ", EnumNames.All<OptimizerKind>())}.");
        if (!(LearningRate > 0 && double.IsFinite(LearningRate)))
            throw new InvalidCallException($"Learning rate {LearningRate}: choose a number above 0.");
        if (!(Clip >= 0 && double.IsFinite(Clip))) throw new InvalidCallException($"Gradient limit {Clip}: choose a number above 0, or 0 for none.");
        if (!(WeightDecay >= 0 && double.IsFinite(WeightDecay))) throw new InvalidCallException($"Weight decay {WeightDecay}: choose 0 or more.");
        CheckShare(Dropout, "Dropout");
        CheckShare(Momentum, "Momentum");
        CheckShare(Alpha, "RMSprop's alpha");
        CheckShare(Rho, "Adadelta's rho");
        CheckShare(Average, "The moving average's decay");
        CheckShare(Beta1, "Adam's beta1");
        CheckShare(Beta2, "Adam's beta2");
        if (!(Epsilon > 0 && double.IsFinite(Epsilon))) throw new InvalidCallException($"Epsilon {Epsilon}: choose a number above 0.");
        if (!(RhoEpsilon > 0 && double.IsFinite(RhoEpsilon)))
            throw new InvalidCallException($"Adadelta's epsilon {RhoEpsilon}: choose a number above 0.");
        if (Patience < 0) throw new InvalidCallException($"Patience {Patience}: choose a number of epochs, or 0 for none.");
        Schedule.Validate();
    }

    private static void CheckShare(double value, string what)
    {
        if (!(value >= 0 && value < 1)) throw new InvalidCallException($"{what} {value}: choose a number from 0 to below 1.");
    }
}
