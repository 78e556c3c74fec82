using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute;

/// <summary>Properties of a device.</summary>
/// <param name="Id">How it is asked for: <c>host</c>, <c>ilgpu-cpu</c>, <c>cuda:0</c>, <c>opencl:0</c>.</param>
/// <param name="Name">Its maker's name.</param>
/// <param name="MemoryBytes">Memory it can use, in bytes.</param>
/// <param name="HasFloat64">Whether it computes in double precision.</param>
public sealed record DeviceInfo(string Id, string Name, long MemoryBytes, bool HasFloat64);

/// <summary>
/// A device that runs the project's operations. Operations are coarse. Work may be asynchronous:
/// only <see cref="Download"/>, <see cref="Synchronize"/> and reading a <see cref="LossTotals"/> wait for it. One thread at a time.
/// </summary>
public interface IBackend : IDisposable
{
    /// <summary>The device behind this backend.</summary>
    DeviceInfo Device { get; }

    /// <summary>Products, biases, sums.</summary>
    IMatrixOps Matrix { get; }

    /// <summary>Operations on each number by itself.</summary>
    IElementwiseOps Elementwise { get; }

    /// <summary>Hard-concrete gates.</summary>
    IGateOps Gates { get; }

    /// <summary>Embedding of tokens.</summary>
    IEmbeddingOps Embedding { get; }

    /// <summary>Words as their characters.</summary>
    ICharacterOps Character { get; }

    /// <summary>Softmax over time, and the attention of two sequences to each other.</summary>
    IAttentionOps Attention { get; }

    /// <summary>Recurrent layers over whole sequences.</summary>
    IRecurrentOps Recurrent { get; }

    /// <summary>Losses and their gradients.</summary>
    ILossOps Loss { get; }

    /// <summary>Optimiser steps and gradient clipping.</summary>
    IOptimizerOps Optimizer { get; }

    /// <summary>Counter-based random numbers.</summary>
    IRandomOps Random { get; }

    /// <summary>Second moments and eigenvalues.</summary>
    ISpectralOps Spectral { get; }

    /// <summary>A queue of uploads beside the work; null where copies from host memory wait for the device in any case.</summary>
    IUploadLane? Uploads => null;

    /// <summary>Memory for a tensor, filled with zeros; the caller owns it.</summary>
    Tensor Allocate(Shape shape, ElementType type = ElementType.Float32);

    /// <summary>Copies host memory to the device; the counts must agree.</summary>
    void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged;

    /// <summary>Copies device memory to the host once all work before it is done; the counts must agree.</summary>
    void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged;

    /// <summary>Copies on the device; type and count must agree.</summary>
    void Copy(Tensor source, Tensor destination);

    /// <summary>Sets every element of a Float32 tensor.</summary>
    void Fill(Tensor tensor, float value);

    /// <summary>Waits until all work is done.</summary>
    void Synchronize();
}
