using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>
/// y = s max(g, 0) + (1 - s) x with s = sigmoid(t), of three values: the gate t, the candidate g and what passes, x (Srivastava, Greff, Schmidhuber
/// 2015). Gate and candidate are most often two linear modules' outputs of x, over as many axes of the same sizes.
/// </summary>
public sealed record Highway : Module
{
    internal override bool WritesAllGradients => true;

    internal override Value Infer(Scope scope)
    {
        if (scope.Inputs.Count != 3) throw scope.Refuse($"reads {scope.Inputs.Count} values and takes three: gate, candidate and what passes");
        Value through = scope.Take(scope.Inputs[2], ValueKind.Sequence, ValueKind.Vector);
        foreach (Value other in scope.Inputs.Take(2))
        {
            if ((other.Kind, other.Field, other.Width) != (through.Kind, through.Field, through.Width))
                throw scope.Refuse($"reads the {other} beside the {through}, which have other extents");
        }

        return through with { Name = Name, IsClear = false };
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) =>
        scope.Inputs.Take(2).SelectMany(other => scope.TieUnits(scope.Inputs[2], other));

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding);

    private sealed class Run(ModuleBinding binding) : ModuleRun(binding)
    {
        public override void Forward() => Backend.Elementwise.Highway(new(Read(0), Read(1), Read(2), Output));

        public override void Backward() => Backend.Elementwise.HighwayBackward(new(
            Read(0), Read(1), Read(2), OutputGradient, Binding.InputGradients[0]!, Binding.InputGradients[1]!, Binding.InputGradients[2]));
    }
}
