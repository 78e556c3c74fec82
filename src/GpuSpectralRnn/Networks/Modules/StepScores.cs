using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>
/// Which step? Numbers of steps [T, B, 1] as logits [B, T], masked beyond a sequence's length (<see cref="IAttentionOps.StepsToRows"/>): a
/// classifier whose classes are the steps of a field, T of them whatever the batch has. The start or the end of a span is such an output.
/// </summary>
public sealed record StepScores : Module
{
    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence);
        return input.Width == 1
            ? new Value(Name, ValueKind.Scores, input.Field, [])
            : throw scope.Refuse($"reads the {input} and takes one number a step");
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) =>
        scope.Input.Units.Select(axis => new Opaque(axis, $"{Name} is one number for each step"));

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding);

    private sealed class Run(ModuleBinding binding) : ModuleRun(binding)
    {
        public override void Forward() => Backend.Attention.StepsToRows(new(Flat(Input), Output, Lengths(Binding.Node.Output)));

        public override void Backward()
        {
            if (InputGradient is { } gradient) Backend.Attention.RowsToSteps(new(Flat(gradient), OutputGradient, Lengths(Binding.Node.Output)));
        }

        private static Tensor Flat(Tensor x) => x.View(0, x.Shape[0], x.Shape[1]);
    }
}
