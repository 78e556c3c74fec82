using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>Rows of a table [V, E] for tokens: [T, B] to [T, B, E].</summary>
public sealed record Embedding : Module
{
    /// <summary>The bound of initial weights that are a read-out's too: as wide as those of tokens alone would be far too large for it.</summary>
    public const float TiedBound = 0.1f;

    /// <summary>The axis of its columns.</summary>
    public required string Axis { get; init; }

    /// <summary>The table's name; by default the module's with <c>.weight</c>.</summary>
    public string? Weight { get; init; }

    /// <summary>Whether a read-out has the same weights; they then start smaller.</summary>
    public bool IsTied { get; init; }

    /// <summary>Whether the table stays as it is given: no optimiser moves it.</summary>
    public bool IsFixed { get; init; }

    private string WeightName => Weight ?? $"{Name}.weight";

    internal override Value Infer(Scope scope) =>
        new(Name, ValueKind.Sequence, scope.Take(scope.Input, ValueKind.Tokens).Field, [scope.Axis(Axis)]);

    // Normal with deviation 1, as PyTorch: tokens that are told apart from the start are learned much sooner (docs/language-models.md).
    internal override IEnumerable<ParameterSpec> DeclareParameters(Scope scope) =>
    [
        new(WeightName, new Shape(scope.Input.Vocabulary, scope.Axis(Axis).Size))
        {
            Initializer = IsTied ? Initializer.Uniform(TiedBound) : Initializer.Normal(1),
            Group = IsFixed ? ParameterGroup.Fixed : ParameterGroup.Weights,
        },
    ];

    internal override IEnumerable<UnitUse> Uses(Scope scope) => [new ProducesByColumns(scope.Axis(Axis), WeightName)];

    internal override Module WithOwnParameters() => this with { Weight = null, IsTied = false };

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, WeightName, IsFixed);

    private sealed class Run(ModuleBinding binding, string weight, bool isFixed) : ModuleRun(binding)
    {
        private readonly Tensor table = binding.Formed(weight);
        private Tensor? tableGradient;

        public override void Forward() => Backend.Embedding.Forward(new(Input, table, Output));

        // A table that stays as it is has no gradient, which would count in the norm that steps are clipped by.
        public override void Backward()
        {
            if (!isFixed) Backend.Embedding.Backward(new(Input, tableGradient ??= Binding.FormedGradient(weight), OutputGradient));
        }
    }
}
