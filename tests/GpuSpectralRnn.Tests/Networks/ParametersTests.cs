using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Tests.Networks;

public class ParametersTests
{
    [Theory]
    [InlineData("3", 1)]
    [InlineData("16,17", 5)]
    [InlineData("1,2,31", 16)]
    public void Views_are_aligned_apart_and_named_as_in_PyTorch(string hidden, int inputs)
    {
        Architecture architecture = NetworkTests.Make(Cell.RnnTanh, hidden, Readout.Last, TaskKind.Classification, inputs, outputs: 3);
        using HostBackend backend = new();
        using Parameters parameters = new(architecture.Build(), backend);

        Assert.Equal(architecture.ParameterCount, parameters.Count);
        Assert.Equal((4 * architecture.Layers) + 2, parameters.Slots.Count);
        Assert.All(parameters.Slots, slot => Assert.Equal(0, slot.Offset % ParameterSpec.Alignment));
        foreach (ParameterSpec slot in parameters.Slots)
        {
            parameters[slot.Name].CopyFrom<float>([.. Enumerable.Repeat(1f, (int)slot.Shape.Count)]);
            backend.Fill(parameters.Gradient(slot.Name), 2f);
        }

        // Every view wrote its own elements: the ones add up, and the gaps are still zero.
        Assert.Equal(parameters.Count, parameters.Values.ToArray().Sum());
        Assert.Equal(2 * parameters.Count, parameters.Gradients.ToArray().Sum());
        Assert.Equal(new Shape(3, architecture.Hidden[^1]), parameters["readout.weight"].Shape);
        Assert.Equal(new Shape(architecture.Hidden[0], inputs), parameters.Recurrent("l0").InputWeights.Shape);
        Assert.Equal(parameters.Gradient("rnn.bias_hh_l0").Offset, parameters.RecurrentGradients("l0").HiddenBias.Offset);
    }

    [Fact]
    public void The_first_value_that_is_not_finite_is_named()
    {
        using HostBackend backend = new();
        using Parameters parameters = new(
            NetworkTests.Make(Cell.RnnTanh, "3", Readout.Last, TaskKind.Classification, inputs: 2, outputs: 3).Build(), backend);
        Assert.Null(parameters.FindNotFinite(parameters.Values.ToArray()));

        parameters.Write("rnn.weight_hh_l0", [0, 0, 0, 0, float.NegativeInfinity, 0, 0, 0, float.NaN]);

        Assert.Equal(("rnn.weight_hh_l0", 4L, float.NegativeInfinity), parameters.FindNotFinite(parameters.Values.ToArray()));
    }
}
