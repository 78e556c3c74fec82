using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>
/// Attention of a context h [T, B, F] and a question u [J, B, F] to each other (<see cref="IAttentionOps.Forward"/>): [T, B, 4F], h, what of the
/// question matters to each step, and their products. Its weights [3F] score pairs of steps.
/// </summary>
public sealed record Attention : Module
{
    /// <summary>The name of its weights; by default the module's with <c>.weight</c>.</summary>
    public string? Weight { get; init; }

    private string WeightName => Weight ?? $"{Name}.weight";

    internal override bool KeepsOutput => true;

    internal override bool WritesAllGradients => true;

    internal override Value Infer(Scope scope)
    {
        if (scope.Inputs.Count != 2) throw scope.Refuse($"reads {scope.Inputs.Count} values and takes two: a context and a question");
        Value context = scope.Take(scope.Inputs[0], ValueKind.Sequence), question = scope.Take(scope.Inputs[1], ValueKind.Sequence);
        if (context.Width != question.Width) throw scope.Refuse($"reads the {context} and the {question}, which have other widths");
        return context with { Name = Name, IsClear = true, Units = [.. context.Units, .. context.Units, .. context.Units, .. context.Units] };
    }

    internal override IEnumerable<ParameterSpec> DeclareParameters(Scope scope)
    {
        // With ones on h * u the scores begin as the product of h and u: words that both texts share find each other from the first step on.
        int width = scope.Inputs[0].Width, count = 3 * width;
        return [new(WeightName, new Shape(count)) { Initializer = Initializer.UniformAndOnes(1f / MathF.Sqrt(count), ones: width) }];
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) =>
    [
        .. scope.TieUnits(scope.Inputs[0], scope.Inputs[1]),
        .. scope.Inputs[0].Parts.Select(part => new WeighsUnits(part.Axis, WeightName, 3, part.First, scope.Inputs[0].Width)),
    ];

    internal override Module WithOwnParameters() => this with { Weight = null };

    // The scores take 2 F for each pair of steps and F for each step of both; then each pair moves F numbers, and each step F more.
    internal override long MultiplyAdds(Scope scope, SequenceLayout layout)
    {
        (long t, long j, long width) = (scope.Steps(scope.Inputs[0], layout), scope.Steps(scope.Inputs[1], layout), scope.Inputs[0].Width);
        return width * ((2 * t * j) + (2 * t) + j);
    }

    // T and J vary apart, so that the largest workspace is known only once it is met.
    internal override IDisposable Reserve(Scope scope, IBackend backend, Reservation size) => new GrowingTensor(backend);

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, WeightName);

    private sealed class Run : ModuleRun
    {
        private readonly Tensor weights;
        private readonly string weight;
        private readonly long workspace;
        private Tensor? weightGradient;

        public Run(ModuleBinding binding, string weight)
            : base(binding)
        {
            (this.weight, weights) = (weight, binding.Formed(weight));
            (Value context, Value question) = (binding.Node.Inputs[0], binding.Node.Inputs[1]);
            AttentionShape shape = new(
                binding.Steps(context), binding.Steps(question), binding.Shape.Batch, context.Width);
            workspace = shape.WorkspaceFor(binding.Shape.IsTraining);
            Memory.Take(workspace);
        }

        private GrowingTensor Memory => (GrowingTensor)Binding.Memory!;

        private AttentionForward Operands => new(
            Read(0),
            Read(1),
            weights,
            Output,
            Memory.Take(workspace),
            Lengths(Binding.Node.Inputs[0]),
            Lengths(Binding.Node.Inputs[1]));

        public override void Forward() => Backend.Attention.Forward(Operands);

        public override void Backward() => Backend.Attention.Backward(new(
            Operands, OutputGradient, Binding.InputGradients[0]!, Binding.InputGradients[1]!, weightGradient ??= Binding.FormedGradient(weight)));
    }
}
