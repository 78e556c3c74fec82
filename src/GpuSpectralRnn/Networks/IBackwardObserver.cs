using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// Sees the gradients of a backward pass, from the outputs to the fields. The tensors belong to the network and hold during the call only.
/// </summary>
public interface IBackwardObserver
{
    /// <summary>The gradient of a value is complete, and the module that gave it goes back next.</summary>
    /// <param name="value">The value.</param>
    /// <param name="gradient">
    /// dL/d value by way of everything that reads it, [T, B, F] or [B, F]; of a recurrence's states without the recurrence itself.
    /// </param>
    /// <param name="from">
    /// The steps walked before this one (0-based, in the order of walking) have no gradient: their rows hold anything.
    /// </param>
    void Gradient(Value value, Tensor gradient, int from);

    /// <summary>After a recurrence went back through time.</summary>
    /// <param name="states">Its hidden states.</param>
    /// <param name="gradient">The gradient at the output of the recurrent product W_hh h_{t-1}, [T, B, G*H], h_{t-1} the state of the step walked
    /// before; of an Elman layer that of its pre-activation.</param>
    void Products(Value states, Tensor gradient);
}
