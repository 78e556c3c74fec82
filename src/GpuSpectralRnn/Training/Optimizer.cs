using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>An optimiser and its state over one network's parameters.</summary>
public sealed class Optimizer : IDisposable
{
    private readonly TrainingSettings settings;
    private readonly Parameters parameters;
    private readonly Tensor norm;

    /// <summary>Allocates the state for <paramref name="parameters"/> on their device, zero.</summary>
    public Optimizer(TrainingSettings settings, Parameters parameters)
    {
        settings.Validate();
        this.settings = settings;
        this.parameters = parameters;
        string[] names = settings.Optimizer switch
        {
            OptimizerKind.Sgd => [],
            OptimizerKind.Momentum => ["velocity"],
            OptimizerKind.Rmsprop => ["mean_square"],
            _ => ["first_moment", "second_moment"],
        };
        State = [.. names.Select(name => (name, parameters.Backend.Allocate(parameters.Values.Shape)))];
        norm = parameters.Backend.Allocate(new Shape(1));
    }

    /// <summary>The state's tensors [P] by name.</summary>
    public IReadOnlyList<(string Name, Tensor Values)> State { get; }

    /// <summary>Clips the gradients, if set, and updates the parameters. The gradients are overwritten.</summary>
    /// <param name="rate">The learning rate of this step.</param>
    /// <param name="step">1-based, over the whole run.</param>
    public void Step(double rate, long step)
    {
        IOptimizerOps ops = parameters.Backend.Optimizer;
        (Tensor values, Tensor gradients) = (parameters.Values, parameters.Gradients);
        (float r, float decay) = ((float)rate, (float)settings.WeightDecay);
        if (settings.Clip > 0) ops.ClipGlobalNorm(new(gradients, (float)settings.Clip, norm));
        switch (settings.Optimizer)
        {
            case OptimizerKind.Sgd:
                ops.Sgd(new(values, gradients, new(r, decay)));
                break;
            case OptimizerKind.Momentum:
                ops.Momentum(new(values, gradients, State[0].Values, new(r, (float)settings.Momentum, decay)));
                break;
            case OptimizerKind.Rmsprop:
                ops.RmsProp(new(values, gradients, State[0].Values, new(r, (float)settings.Alpha, (float)settings.Epsilon, decay)));
                break;
            default:
                bool isDecoupled = settings.Optimizer == OptimizerKind.Adamw;
                (float beta1, float beta2, float epsilon) = ((float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon);
                ops.Adam(new(values, gradients, State[0].Values, State[1].Values, new(r, beta1, beta2, epsilon, decay, isDecoupled, step)));
                break;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, Tensor values) in State) values.Dispose();
        norm.Dispose();
    }
}
