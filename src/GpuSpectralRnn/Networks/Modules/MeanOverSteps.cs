using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>The mean over each sequence's valid steps, [T, B, F] to [B, F].</summary>
public sealed record MeanOverSteps : Module
{
    internal override bool PassesOn => true;

    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence);
        return new Value(Name, ValueKind.Vector, null, input.Units);
    }

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding);

    private sealed class Run(ModuleBinding binding) : ModuleRun(binding)
    {
        public override void Forward() => Backend.Matrix.MeanOverSteps(new(Input, Output, Lengths(Binding.Node.Inputs[0])));

        public override void Backward()
        {
            if (InputGradient is { } gradient) Backend.Matrix.SpreadOverSteps(new(gradient, OutputGradient, Lengths(Binding.Node.Inputs[0])));
        }
    }
}
