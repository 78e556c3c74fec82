using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Sees the gradients of a backward pass layer by layer, from the top down. The tensors belong to the network and hold during the call only.
/// </summary>
public interface IBackwardObserver
{
    /// <summary>Before a layer goes back through time.</summary>
    /// <param name="layer">0-based.</param>
    /// <param name="consumerGradient">dL/dh [T, B, H] by way of the read-out or the layer above, without the layer's own recurrence.</param>
    /// <param name="from">Steps before this one have no such gradient: their rows hold anything.</param>
    void Enter(int layer, Tensor consumerGradient, int from);

    /// <summary>After a layer went back through time.</summary>
    /// <param name="layer">0-based.</param>
    /// <param name="productGradient">The gradient at the output of the recurrent product W_hh h_{t-1}, [T, B, G*H]; of an Elman layer that of its
    /// pre-activation.</param>
    void Leave(int layer, Tensor productGradient);
}
