using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>Dropout of what flows on, where a training step asks for it (<see cref="DropoutMask"/>); nothing else.</summary>
public sealed record Dropout : Module
{
    /// <summary>Sets its random numbers apart from those of other places, 0 to 4095.</summary>
    public required int Stream { get; init; }

    internal override bool PassesOn => true;

    internal override Value Infer(Scope scope) => scope.Take(scope.Input, ValueKind.Sequence, ValueKind.Vector) with { Name = Name };

    internal override Placement Place(Scope scope, PassShape shape) => shape.Drops ? Placement.OverInput : Placement.Input;

    internal override bool GoesBackInPlace => true;

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, Stream);

    private sealed class Run(ModuleBinding binding, int place) : ModuleRun(binding)
    {
        public override void Forward() => Drop(Input, Output);

        public override void Backward()
        {
            if (InputGradient is { } gradient) Drop(OutputGradient, gradient);
        }

        private void Drop(Tensor x, Tensor y)
        {
            DropoutMask mask = Binding.Pass.Mask;
            int width = x.Shape.Columns, size = Binding.Pass.Batch.Size;
            Backend.Random.Dropout(new(x, mask.Rate, mask.Seed, mask.Stream(place), y)
            {
                Numbers = mask.Part.Whole > 0 ? NumberWindow.OfRows(mask.Part.First, size, mask.Part.Whole, width) : default,
            });
        }
    }
}
