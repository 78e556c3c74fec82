using GpuSpectralRnn.Compute;
using Xunit;

namespace GpuSpectralRnn.Tests.Support;

public class ReferenceLayerTests
{
    [Theory]
    [InlineData(CellKind.RnnTanh, false)]
    [InlineData(CellKind.RnnRelu, true)]
    [InlineData(CellKind.Lstm, false)]
    [InlineData(CellKind.Lstm, true)]
    [InlineData(CellKind.Gru, false)]
    [InlineData(CellKind.Gru, true)]
    [InlineData(CellKind.GruResetBefore, false)]
    [InlineData(CellKind.GruResetBefore, true)]
    [InlineData(CellKind.LstmPeephole, false)]
    [InlineData(CellKind.LstmPeephole, true)]
    public void Backward_agrees_with_finite_differences(CellKind cell, bool isReverse)
    {
        foreach (bool hasLengths in new[] { false, true })
        {
            ReferenceLayer problem = new(new RecurrentShape(cell, 4, 3, 2, 5) { IsReverse = isReverse }, seed: 1, hasInitial: true, hasLengths);
            LayerGradients exact = problem.Backward(1);
            LayerGradients numerical = problem.Differentiate(1);
            const double Tolerance = 1e-8; // see FiniteDifferences
            Close.Equal(exact.InputWeights, numerical.InputWeights, Tolerance, Tolerance);
            Close.Equal(exact.HiddenWeights, numerical.HiddenWeights, Tolerance, Tolerance);
            Close.Equal(exact.InputBias, numerical.InputBias, Tolerance, Tolerance);
            Close.Equal(exact.HiddenBias, numerical.HiddenBias, Tolerance, Tolerance);
            Close.Equal(exact.Peepholes, numerical.Peepholes, Tolerance, Tolerance);
            Close.Equal(exact.Input, numerical.Input, Tolerance, Tolerance);
            Close.Equal(exact.Initial, numerical.Initial, Tolerance, Tolerance);
            if (CellSpec.From(cell).HasCellState) Close.Equal(exact.InitialCell, numerical.InitialCell, Tolerance, Tolerance);
        }
    }
}
