using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>A matrix that is stored as two factors, W = L R, L [M, r] and R [r, N].</summary>
/// <param name="parameters">Which holds the factors.</param>
/// <param name="name">The name of W.</param>
/// <param name="left">The name of L.</param>
/// <param name="right">The name of R.</param>
internal sealed class LowRankWeight(Parameters parameters, string name, string left, string right) : WeightTransform
{
    private readonly Tensor product = parameters.Backend.Allocate(new Shape(parameters[left].Shape.Rows, parameters[right].Shape.Columns));
    private Tensor? gradient;

    public override Tensor? Formed(Node reader, string parameter) => IsMine(reader, parameter) ? product : null;

    public override Tensor? FormedGradient(Node reader, string parameter) =>
        IsMine(reader, parameter) ? gradient ??= parameters.Backend.Allocate(product.Shape) : null;

    public override void Form() => parameters.Backend.Matrix.Gemm(new(false, false, 1, parameters[left], parameters[right], 0, product));

    // dL += dW R^T, dR += L^T dW.
    public override void SpreadGradients()
    {
        if (gradient is null) return;
        IMatrixOps matrix = parameters.Backend.Matrix;
        matrix.Gemm(new(false, true, 1, gradient, parameters[right], 1, parameters.Gradient(left)));
        matrix.Gemm(new(true, false, 1, parameters[left], gradient, 1, parameters.Gradient(right)));
        parameters.Backend.Fill(gradient, 0);
    }

    public override void Dispose()
    {
        product.Dispose();
        gradient?.Dispose();
    }

    private bool IsMine(Node reader, string parameter) => parameter == name && reader.Module is Recurrent { Rank: > 0 };
}
