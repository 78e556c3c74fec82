using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>Words as their characters, as ILGPU kernels.</summary>
internal sealed class IlgpuCharacterOps : ICharacterOps, IDisposable
{
    private readonly IlgpuBackend backend;
    private readonly ColumnSums columnSums;
    private readonly ConvolveMax convolveMax;

    /// <summary>Loads the kernels.</summary>
    public IlgpuCharacterOps(IlgpuBackend backend)
    {
        this.backend = backend;
        columnSums = new ColumnSums(backend.Loader);
        convolveMax = new ConvolveMax(backend.Loader, columnSums);
    }

    /// <inheritdoc/>
    public void ConvolveMax(ConvolveMaxForward operands)
    {
        ConvolutionShape shape = OperandChecks.ConvolveMax(backend, operands);
        convolveMax.Run(backend.Stream, Filters(operands, shape), backend.View(operands.Output));
    }

    /// <inheritdoc/>
    public void ConvolveMaxBackward(ConvolveMaxBackward operands)
    {
        ConvolutionShape shape = OperandChecks.ConvolveMaxBackward(backend, operands);
        convolveMax.RunBackward(
            backend.Stream,
            Filters(operands.Forward, shape),
            backend.View(operands.OutputGradient),
            backend.ViewOrNull(operands.CharacterGradient),
            backend.View(operands.FilterGradient),
            backend.View(operands.BiasGradient));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        convolveMax.Dispose();
        columnSums.Dispose();
    }

    private WordFilters Filters(ConvolveMaxForward o, ConvolutionShape shape)
    {
        backend.Count(o.Characters);
        backend.Count(o.Filters);
        backend.Count(o.Output);
        return new()
        {
            Characters = backend.View(o.Characters),
            Filters = backend.View(o.Filters),
            Bias = backend.View(o.Bias),
            Lengths = backend.View<int>(o.Lengths),
            Places = backend.View<int>(o.Places),
            Words = shape.Words,
            Extent = shape.Extent,
            Count = shape.Filters,
            Width = shape.Width,
        };
    }
}
