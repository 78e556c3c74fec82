using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>y = x W^T + b for every step or for a vector; W [O, I], b [O].</summary>
public sealed record Linear : Module
{
    /// <summary>The axis of its outputs.</summary>
    public required string Axis { get; init; }

    /// <summary>The name of W; by default the module's with <c>.weight</c>. Another module's parameter of this shape is shared.</summary>
    public string? Weight { get; init; }

    /// <summary>The name of b; by default the module's with <c>.bias</c>.</summary>
    public string? Bias { get; init; }

    internal string WeightName => Weight ?? $"{Name}.weight";

    internal string BiasName => Bias ?? $"{Name}.bias";

    internal override Value Infer(Scope scope)
    {
        Value input = scope.Take(scope.Input, ValueKind.Sequence, ValueKind.Vector);
        return new Value(Name, input.Kind, input.Field, [scope.Axis(Axis)]);
    }

    // Uniform in +-1/sqrt(inputs), as PyTorch.
    internal override IEnumerable<ParameterSpec> DeclareParameters(Scope scope)
    {
        int outputs = scope.Axis(Axis).Size;
        Initializer initializer = Initializer.Uniform(1f / MathF.Sqrt(scope.Input.Width));
        return
        [
            new(WeightName, new Shape(outputs, scope.Input.Width)) { Initializer = initializer },
            new(BiasName, new Shape(outputs)) { Initializer = initializer },
        ];
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) =>
    [
        .. Scope.ReadColumns(scope.Input, WeightName, BiasName),
        new Produces(scope.Axis(Axis), WeightName),
        new Produces(scope.Axis(Axis), BiasName),
    ];

    internal override Module WithOwnParameters() => this with { Weight = null, Bias = null };

    internal override long MultiplyAdds(Scope scope) => (long)scope.Input.Width * scope.Axis(Axis).Size;

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, WeightName, BiasName);

    private sealed class Run(ModuleBinding binding, string weight, string bias) : ModuleRun(binding)
    {
        private readonly Tensor weights = binding.Parameters.Formed(weight);
        private readonly Tensor offsets = binding.Parameters.Formed(bias);

        public override void Forward() => Backend.Matrix.Linear(Input, weights, offsets, Output);

        public override void Backward() => Backend.Matrix.LinearBackward(
            Input, weights, OutputGradient, InputGradient, Binding.Parameters.FormedGradient(weight), Binding.Parameters.FormedGradient(bias));
    }
}
