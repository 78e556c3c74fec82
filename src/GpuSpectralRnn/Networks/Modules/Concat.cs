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
        private readonly int[] widths = [.. binding.Inputs.Select(input => input.Value.Width)];

        public override void Forward()
        {
            int column = 0;
            for (int i = 0; i < widths.Length; i++)
            {
                Backend.Matrix.CopyColumns(new(Read(i), 0, Output, column, widths[i]));
                column += widths[i];
            }
        }

        public override void Backward()
        {
            int column = 0;
            for (int i = 0; i < widths.Length; i++)
            {
                if (Binding.InputGradients[i] is { } gradient) Backend.Matrix.CopyColumns(new(OutputGradient, column, gradient, 0, widths[i]));
                column += widths[i];
            }
        }
    }
}
