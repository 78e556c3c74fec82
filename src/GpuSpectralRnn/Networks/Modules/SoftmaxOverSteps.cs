using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>Shares of the valid steps of every sequence, [T, B, 1] to [T, B, 1]: their softmax over T; zero beyond a sequence's length.</summary>
public sealed record SoftmaxOverSteps : Module
{
    internal override bool KeepsOutput => true;

    internal override bool GoesBackInPlace => true;

    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence);
        return input.Width == 1 ? input with { Name = Name, IsClear = true } : throw scope.Refuse($"reads the {input} and takes one number a step");
    }

    internal override Placement Place(Scope scope, PassShape shape) => Placement.OverInput;

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding);

    private sealed class Run(ModuleBinding binding) : ModuleRun(binding)
    {
        public override void Forward() => Backend.Attention.SoftmaxOverSteps(Flat(Input), Flat(Output), Lengths(Binding.Node.Output));

        public override void Backward()
        {
            if (InputGradient is not { } gradient) return;
            Backend.Attention.SoftmaxOverStepsBackward(new(Flat(Output), Flat(OutputGradient), Flat(gradient), Lengths(Binding.Node.Output)));
        }

        private static Tensor Flat(Tensor x) => x.View(0, x.Shape[0], x.Shape[1]);
    }
}
