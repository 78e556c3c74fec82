using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// Sees the gradients of a backward pass recurrence by recurrence (<see cref="Architecture.Recurrences"/>), from the top down. The tensors belong to
/// the network and hold during the call only.
/// </summary>
public interface IBackwardObserver
{
    /// <summary>Before a recurrence goes back through time.</summary>
    /// <param name="recurrence">0-based.</param>
    /// <param name="consumerGradient">dL/dh [T, B, H] by way of the read-out or the layer above, without the recurrence itself.</param>
    /// <param name="from">
    /// The steps walked before this one (0-based, in the order of walking) have no such gradient: their rows hold anything.
    /// </param>
    void Enter(int recurrence, Tensor consumerGradient, int from);

    /// <summary>After a recurrence went back through time.</summary>
    /// <param name="recurrence">0-based.</param>
    /// <param name="productGradient">The gradient at the output of the recurrent product W_hh h_{t-1}, [T, B, G*H], h_{t-1} the state of the step
    /// walked before; of an Elman layer that of its pre-activation.</param>
    void Leave(int recurrence, Tensor productGradient);

    /// <summary>After the first layer went back, in a network with an embedding.</summary>
    /// <param name="gradient">dL/d(embedded tokens) [T, B, E]; zero where there is padding.</param>
    void Inputs(Tensor gradient);
}
