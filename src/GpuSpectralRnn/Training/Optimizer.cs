using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>An optimiser and its state over one network's parameters.</summary>
public sealed class Optimizer : IDisposable
{
    private readonly TrainingSettings settings;
    private readonly Parameters parameters;
    private readonly Tensor norm;
    private Segment[]? segments;

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
            OptimizerKind.Adadelta => ["mean_square", "change_square"],
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
        if (settings.Clip > 0) parameters.Backend.Optimizer.ClipGlobalNorm(new(parameters.Gradients, (float)settings.Clip, norm));
        foreach (Segment segment in segments ??= [.. Divide().Where(part => part.Group.RateFactor != 0)])
            Step(segment, (float)(rate * segment.Group.RateFactor), step);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, Tensor values) in State) values.Dispose();
        norm.Dispose();
    }

    private void Step(Segment segment, float rate, long step)
    {
        IOptimizerOps ops = parameters.Backend.Optimizer;
        (Tensor values, Tensor gradients, Tensor[] own, ParameterGroup group) = segment;
        float decay = (float)(group.WeightDecay ?? settings.WeightDecay);
        switch (settings.Optimizer)
        {
            case OptimizerKind.Sgd:
                ops.Sgd(new(values, gradients, new(rate, decay)));
                break;
            case OptimizerKind.Momentum:
                ops.Momentum(new(values, gradients, own[0], new(rate, (float)settings.Momentum, decay)));
                break;
            case OptimizerKind.Rmsprop:
                ops.RmsProp(new(values, gradients, own[0], new(rate, (float)settings.Alpha, (float)settings.Epsilon, decay)));
                break;
            case OptimizerKind.Adadelta:
                ops.Adadelta(new(values, gradients, own[0], own[1], new(rate, (float)settings.Rho, (float)settings.RhoEpsilon, decay)));
                break;
            default:
                bool isDecoupled = settings.Optimizer == OptimizerKind.Adamw;
                (float beta1, float beta2, float epsilon) = ((float)settings.Beta1, (float)settings.Beta2, (float)settings.Epsilon);
                ops.Adam(new(values, gradients, own[0], own[1], new(rate, beta1, beta2, epsilon, decay, isDecoupled, step)));
                break;
        }
    }

    // The parts of the block whose parameters are of one group; most often there is one.
    private Segment[] Divide()
    {
        List<Segment> parts = [];
        IReadOnlyList<ParameterSpec> specs = parameters.Slots;
        for (int first = 0, last; first < specs.Count; first = last + 1)
        {
            for (last = first; last + 1 < specs.Count && specs[last + 1].Group == specs[first].Group; last++)
            {
            }

            long start = specs[first].Offset, end = last + 1 < specs.Count ? specs[last + 1].Offset : parameters.Values.Count;
            parts.Add(new Segment(Part(parameters.Values), Part(parameters.Gradients), [.. State.Select(state => Part(state.Values))], specs[first].Group));

            Tensor Part(Tensor block) => block.View(start, (int)(end - start));
        }

        return [.. parts];
    }

    private sealed record Segment(Tensor Values, Tensor Gradients, Tensor[] State, ParameterGroup Group);
}
