using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>
/// Each sequence's last valid step, [T, B, F] to [B, F]; of what a reverse recurrence gives, the first step, where its walk ends. Zero of a sequence
/// without steps.
/// </summary>
public sealed record LastStep : Module
{
    /// <summary>Whether the first step is taken.</summary>
    public bool IsReverse { get; init; }

    internal override bool PassesOn => true;

    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence);
        return new Value(Name, ValueKind.Vector, null, input.Units);
    }

    internal override Placement Place(Scope scope, PassShape shape)
    {
        bool hasLengths = shape.HasLengths(scope.FieldIndex(scope.Input));
        if (!IsReverse) return hasLengths ? Placement.Own : Placement.LastStep;
        return hasLengths && !scope.Input.IsClear ? Placement.Own : Placement.FirstStep; // of a sequence without steps it must be zero
    }

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, IsReverse);

    private sealed class Run(ModuleBinding binding, bool isReverse) : ModuleRun(binding)
    {
        private bool IsCopied => Binding.Placement == Placement.Own;

        public override void Forward()
        {
            if (!IsCopied) return;
            if (!isReverse && Lengths(Binding.Node.Inputs[0]) is { } lengths)
            {
                Backend.Matrix.LastSteps(new(Input, lengths, Output));
                return;
            }

            Backend.Matrix.CopyColumns(new(Input.Slice(Step(Input)), 0, Output, 0, Output.Shape.Columns));
            ClearEmpty(Output);
        }

        public override void Backward()
        {
            if (Binding.SharesGradient || InputGradient is not { } gradient) return;
            if (!isReverse && Lengths(Binding.Node.Inputs[0]) is { } lengths)
            {
                Backend.Matrix.SpreadToLastSteps(new(gradient, lengths, OutputGradient));
                return;
            }

            Backend.Fill(gradient, 0);
            Backend.Matrix.CopyColumns(new(OutputGradient, 0, gradient.Slice(Step(gradient)), 0, gradient.Shape.Columns));
            ClearEmpty(gradient.Slice(Step(gradient)));
        }

        // Of [B, F] the rows of sequences without steps.
        private void ClearEmpty(Tensor rows)
        {
            if (!IsCopied || Lengths(Binding.Node.Inputs[0]) is not { } lengths) return;
            Backend.Matrix.ClearPadding(new(rows.View(0, 1, rows.Shape.Rows, rows.Shape.Columns), lengths));
        }

        private int Step(Tensor sequence) => isReverse ? 0 : sequence.Shape[0] - 1;
    }
}
