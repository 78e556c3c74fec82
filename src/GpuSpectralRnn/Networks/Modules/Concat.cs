using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>Values of one kind side by side: [T, B, F1 + F2 + ...], or [B, F1 + F2 + ...].</summary>
public sealed record Concat : Module
{
    internal override bool PassesOn => true;

    internal override Value Infer(Scope scope)
    {
        if (scope.Inputs.Count == 0) throw scope.Refuse("puts nothing side by side; give it one value or more");
        Value first = scope.Take(scope.Inputs[0], ValueKind.Sequence, ValueKind.Vector);
        if (scope.Inputs.FirstOrDefault(input => (input.Kind, input.Field) != (first.Kind, first.Field)) is { } other)
            throw scope.Refuse($"puts the {other} beside the {first}, which have other steps");
        return new Value(Name, first.Kind, first.Field, [.. scope.Inputs.SelectMany(input => input.Units)])
        {
            IsClear = scope.Inputs.All(input => input.IsClear),
        };
    }

    internal override Placement Place(Scope scope, PassShape shape) => scope.Inputs.Count == 1 ? Placement.Input : Placement.Own;

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding);

    private sealed class Run(ModuleBinding binding) : ModuleRun(binding)
    {
        public override void Forward()
        {
            int column = 0;
            foreach (ValueSlot input in Binding.Inputs)
            {
                int width = input.Value.Width;
                Backend.Matrix.CopyColumns(input.Values, 0, Output, column, width);
                column += width;
            }
        }

        public override void Backward()
        {
            int column = 0;
            for (int i = 0; i < Binding.Inputs.Count; i++)
            {
                int width = Binding.Inputs[i].Value.Width;
                if (Binding.InputGradients[i] is { } gradient) Backend.Matrix.CopyColumns(OutputGradient, column, gradient, 0, width);
                column += width;
            }
        }
    }
}
