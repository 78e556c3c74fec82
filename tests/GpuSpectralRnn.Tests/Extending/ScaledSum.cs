using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Execution;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Extending;

/// <summary>y = a + s b of two values, number by number: a residual connection.</summary>
public sealed record ScaledSum : Module
{
    /// <summary>s.</summary>
    public float Factor { get; init; } = 1;

    internal override Value Infer(Scope scope)
    {
        if (scope.Inputs.Count != 2) throw scope.Refuse($"reads {scope.Inputs.Count} values and takes two");
        Value first = scope.Take(scope.Inputs[0], ValueKind.Sequence, ValueKind.Vector), second = scope.Inputs[1];
        return (first.Kind, first.Field, first.Width) == (second.Kind, second.Field, second.Width)
            ? first with { Name = Name }
            : throw scope.Refuse($"adds the {first} and the {second}, which have other extents");
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope) => scope.TieUnits(scope.Inputs[0], scope.Inputs[1]);

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, Factor);

    private sealed class Run(ModuleBinding binding, float factor) : ModuleRun(binding)
    {
        public override void Forward()
        {
            Backend.Copy(Read(0), Output);
            Backend.Elementwise.AddScaled(factor, Read(1), Output);
        }

        public override void Backward()
        {
            if (Binding.InputGradients[0] is { } first) Backend.Copy(OutputGradient, first);
            if (Binding.InputGradients[1] is not { } second) return;
            Backend.Fill(second, 0);
            Backend.Elementwise.AddScaled(factor, OutputGradient, second);
        }
    }
}

public sealed class ScaledSumTests : IDisposable
{
    private const int Steps = 4, Batch = 3, Features = 3;

    private readonly HostBackend host = new(threads: 2);

    private static readonly GraphRecipe Recipe = new()
    {
        Fields = [new Field { Name = "x", Axis = "x" }],
        Axes = new Dictionary<string, int> { ["x"] = Features, ["u"] = 6, ["v"] = 6, ["y"] = 2 },
        Modules =
        [
            new Linear { Name = "u", Inputs = ["x"], Axes = ["u"] },
            new Linear { Name = "v", Inputs = ["u"], Axes = ["v"] },
            new ScaledSum { Name = "sum", Inputs = ["u", "v"], Factor = 0.5f },
            new Linear { Name = "y", Inputs = ["sum"], Axes = ["y"] },
        ],
        Outputs = ["y"],
    };

    public void Dispose() => host.Dispose();

    [Fact]
    public void Its_gradients_are_those_of_differences()
    {
        using Network network = Network.Create(Recipe, host, seed: 1);
        using Tensor input = host.Allocate(new Shape(Steps, Batch, Features)), ones = host.Allocate(new Shape(Steps, Batch, 2));
        input.CopyFrom<float>([.. Enumerable.Range(0, Steps * Batch * Features).Select(i => MathF.Sin(i))]);
        host.Fill(ones, 1);
        network.Forward(input, isTraining: true);
        network.Backward(ones);
        float[] gradients = network.Parameters.Gradients.ToArray(), weights = network.Parameters.Values.ToArray();
        foreach (ParameterSpec spec in network.Graph.Parameters)
        {
            for (long i = spec.Offset; i < spec.Offset + spec.Shape.Count; i++)
            {
                // The sum of the outputs is linear in each single weight: steps of one leave only rounding, a few 1e-7 of sums near 10.
                Assert.Equal((Sum(i, 1) - Sum(i, -1)) / 2, gradients[i], 1e-4);
            }
        }

        double Sum(long place, float step)
        {
            float[] moved = [.. weights];
            moved[place] += step;
            network.Parameters.Values.CopyFrom<float>(moved);
            return network.Forward(input).ToArray().Sum(y => (double)y);
        }
    }

    [Fact]
    public void Both_values_lose_the_same_units()
    {
        using Network network = Network.Create(Recipe, host, seed: 2);
        NormalData data = new(30, Steps, Features);
        Calibration calibration = new(network, data);

        PruningPlan plan = new MagnitudeUnits().Plan(calibration, [4]);
        using Network sliced = Slicer.Slice(network, plan);

        Assert.Equal([4, 4], sliced.Graph.PrunableAxes.Select(axis => axis.Units));
        Assert.True(Parity.OfPlan(network, sliced, plan, data).Difference <= 1e-5);
    }
}
