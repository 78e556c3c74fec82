using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>ReLU, tanh or the logistic function of every number.</summary>
public sealed record Activation : Module
{
    /// <summary>Which.</summary>
    public required ActivationKind Kind { get; init; }

    internal override bool KeepsOutput => true;

    internal override bool GoesBackInPlace => true;

    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence, ValueKind.Vector);
        return input with { Name = Name, IsClear = input.IsClear && Kind != ActivationKind.Sigmoid };
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) => scope.Input.Units.Select(axis => new ReadsByElement(axis));

    internal override Placement Place(Scope scope, PassShape shape) => Placement.OverInput;

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, Kind);

    private sealed class Run(ModuleBinding binding, ActivationKind kind) : ModuleRun(binding)
    {
        public override void Forward() => Backend.Elementwise.Activate(kind, Input, Output);

        public override void Backward()
        {
            if (InputGradient is { } gradient) Backend.Elementwise.ActivateBackward(new(kind, Output, OutputGradient, gradient));
        }
    }
}
