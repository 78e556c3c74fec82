using GpuSpectralRnn.Compute;
using Xunit;

namespace GpuSpectralRnn.Tests.Support;

public class ReferenceElmanTests
{
    [Theory]
    [InlineData(CellKind.RnnTanh)]
    [InlineData(CellKind.RnnRelu)]
    public void Backward_agrees_with_finite_differences(CellKind cell)
    {
        ReferenceElman problem = new(new RecurrentShape(cell, 4, 3, 2, 5), seed: 1, hasInitial: true);
        ElmanGradients expected = problem.Differentiate(1);
        ElmanGradients gradients = problem.Backward(1);
        // 1e-8: a hundred times the error of the central differences.
        Close.Equal(expected.InputWeights, gradients.InputWeights, 1e-8, 1e-8, "weight_ih");
        Close.Equal(expected.HiddenWeights, gradients.HiddenWeights, 1e-8, 1e-8, "weight_hh");
        Close.Equal(expected.InputBias, gradients.InputBias, 1e-8, 1e-8, "bias_ih");
        Close.Equal(expected.HiddenBias, gradients.HiddenBias, 1e-8, 1e-8, "bias_hh");
        Close.Equal(expected.Input, gradients.Input, 1e-8, 1e-8, "input");
        Close.Equal(expected.Initial, gradients.Initial, 1e-8, 1e-8, "initial");
    }
}
