using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>The product of two values, number by number.</summary>
public sealed record Multiply : Module
{
    internal override Value Infer(Scope scope)
    {
        if (scope.Inputs.Count != 2) throw scope.Refuse($"reads {scope.Inputs.Count} values and takes two");
        Value first = scope.Take(scope.Inputs[0], ValueKind.Sequence, ValueKind.Vector), second = scope.Inputs[1];
        return (first.Kind, first.Field, first.Width) == (second.Kind, second.Field, second.Width)
            ? first with { Name = Name, IsClear = first.IsClear || second.IsClear }
            : throw scope.Refuse($"multiplies the {first} and the {second}, which have other extents");
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) => scope.TieUnits(scope.Inputs[0], scope.Inputs[1]);

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding);

    private sealed class Run(ModuleBinding binding) : ModuleRun(binding)
    {
        public override void Forward() => Backend.Elementwise.Multiply(Read(0), Read(1), Output);

        public override void Backward() => Backend.Elementwise.MultiplyBackward(
            new(Read(0), Read(1), OutputGradient, Binding.InputGradients[0], Binding.InputGradients[1]));
    }
}
