using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>y = x W^T + b for every step or for a vector; W [O, I], b [O].</summary>
public sealed record Linear : Module
{
    /// <summary>The axes of its outputs, side by side; most often one.</summary>
    public required IReadOnlyList<string> Axes { get; init; }

    /// <summary>The name of W; by default the module's with <c>.weight</c>. Another module's parameter of this shape is shared.</summary>
    public string? Weight { get; init; }

    /// <summary>The name of b; by default the module's with <c>.bias</c>.</summary>
    public string? Bias { get; init; }

    internal string WeightName => Weight ?? $"{Name}.weight";

    internal string BiasName => Bias ?? $"{Name}.bias";

    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence, ValueKind.Vector);
        return new Value(Name, input.Kind, input.Field, Outputs(scope));
    }

    // Uniform in +-1/sqrt(inputs), as PyTorch.
    internal override IEnumerable<ParameterSpec> DeclareParameters(Scope scope)
    {
        int outputs = scope.Output.Width;
        Initializer initializer = Initializer.Uniform(1f / MathF.Sqrt(scope.Input.Width));
        return
        [
            new(WeightName, new Shape(outputs, scope.Input.Width)) { Initializer = initializer },
            new(BiasName, new Shape(outputs)) { Initializer = initializer },
        ];
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope)
    {
        foreach (UnitUse use in Scope.ReadColumns(scope.Input, WeightName, BiasName)) yield return use;
        foreach ((UnitAxis axis, int row) in scope.Output.Parts)
        {
            yield return new Produces(axis, WeightName, 1, row);
            yield return new Produces(axis, BiasName, 1, row);
        }
    }

    internal override Module WithOwnParameters() => this with { Weight = null, Bias = null };

    internal override long MultiplyAdds(Scope scope, SequenceLayout layout) => scope.Steps(scope.Output, layout) * scope.Input.Width * scope.Output.Width;

    private UnitAxis[] Outputs(Scope scope) => [.. Axes.Select(scope.Axis)];

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, WeightName, BiasName);

    private sealed class Run(ModuleBinding binding, string weight, string bias) : ModuleRun(binding)
    {
        private readonly Tensor weights = binding.Formed(weight);
        private readonly Tensor offsets = binding.Formed(bias);
        private Tensor? weightGradient, biasGradient;

        public override void Forward() => Backend.Matrix.Linear(new(Input, weights, offsets, Output));

        public override void Backward() => Backend.Matrix.LinearBackward(
            new(Input, weights, OutputGradient, InputGradient, weightGradient ??= Binding.FormedGradient(weight), biasGradient ??= Binding.FormedGradient(bias)));
    }
}
