namespace GpuSpectralRnn.Compute;

/// <summary>Nonlinearities that act on each number by itself.</summary>
public enum ActivationKind
{
    /// <summary>max(x, 0); its derivative at 0 is 0.</summary>
    Relu,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,

    /// <summary>The logistic function 1 / (1 + e^-x).</summary>
    Sigmoid,
}

/// <summary>Operands of the backward pass of <see cref="IElementwiseOps.Activate"/>, all of one count.</summary>
/// <param name="Kind">The nonlinearity.</param>
/// <param name="Output">y of the forward call; x is not needed.</param>
/// <param name="OutputGradient">dL/dy.</param>
/// <param name="InputGradient">Receives dL/dx (overwritten); may be one of the others.</param>
public readonly record struct ActivationBackward(ActivationKind Kind, Tensor Output, Tensor OutputGradient, Tensor InputGradient);

/// <summary>Operands of the backward pass of <see cref="IElementwiseOps.Multiply"/>, all of one count.</summary>
/// <param name="A">One factor.</param>
/// <param name="B">The other; may be the same.</param>
/// <param name="OutputGradient">dL/dy.</param>
/// <param name="AGradient">Receives dL/da = dL/dy b (overwritten), where wanted; may be one of the operands that are read.</param>
/// <param name="BGradient">Receives dL/db = dL/dy a (overwritten), where wanted; may be one of the operands that are read.</param>
public readonly record struct MultiplyBackward(Tensor A, Tensor B, Tensor OutputGradient, Tensor? AGradient, Tensor? BGradient);

/// <summary>Operands of a highway's forward pass, all of one count.</summary>
/// <param name="Gate">t, the gate before its sigmoid.</param>
/// <param name="Candidate">g, what the gate lets in, before its ReLU.</param>
/// <param name="Input">x, what passes where the gate is shut.</param>
/// <param name="Output">Receives y; may be one of the others.</param>
public readonly record struct HighwayForward(Tensor Gate, Tensor Candidate, Tensor Input, Tensor Output);

/// <summary>Operands of a highway's backward pass, all of one count. A gradient may be one of the operands that are read.</summary>
/// <param name="Gate">t of the forward call.</param>
/// <param name="Candidate">g of the forward call.</param>
/// <param name="Input">x of the forward call.</param>
/// <param name="OutputGradient">dL/dy.</param>
/// <param name="GateGradient">Receives dL/dt (overwritten).</param>
/// <param name="CandidateGradient">Receives dL/dg (overwritten).</param>
/// <param name="InputGradient">Receives dL/dx (overwritten), where wanted.</param>
public readonly record struct HighwayBackward(
    Tensor Gate,
    Tensor Candidate,
    Tensor Input,
    Tensor OutputGradient,
    Tensor GateGradient,
    Tensor CandidateGradient,
    Tensor? InputGradient);

/// <summary>Operands of the addition of a multiple whose factor is on the device.</summary>
/// <param name="Alpha">alpha.</param>
/// <param name="Number">k [1], apart from y.</param>
/// <param name="X">x, of y's count; null: ones.</param>
/// <param name="Y">y, added to; may be x.</param>
public readonly record struct AddMultipleOperands(float Alpha, Tensor Number, Tensor? X, Tensor Y);

/// <summary>
/// Operations on each number by itself. The operands of one call have one count, whatever their shapes. What is written may be the very memory of
/// something that is read, and is otherwise apart from it; two results are apart.
/// </summary>
public interface IElementwiseOps
{
    /// <summary>y = f(x).</summary>
    void Activate(ActivationKind kind, Tensor x, Tensor y);

    /// <summary>Backward of <see cref="Activate"/>: dL/dx = dL/dy f'(x), from y: [y > 0], 1 - y^2 or y (1 - y).</summary>
    void ActivateBackward(ActivationBackward operands);

    /// <summary>y = a b, number by number.</summary>
    void Multiply(Tensor a, Tensor b, Tensor y);

    /// <summary>Backward of <see cref="Multiply"/>.</summary>
    void MultiplyBackward(MultiplyBackward operands);

    /// <summary>y = s max(g, 0) + (1 - s) x with s = sigmoid(t) (Srivastava, Greff, Schmidhuber 2015).</summary>
    void Highway(HighwayForward operands);

    /// <summary>
    /// Backward of <see cref="Highway"/>: dL/dt = dL/dy (max(g, 0) - x) s (1 - s), dL/dg = dL/dy s [g > 0], dL/dx = dL/dy (1 - s).
    /// </summary>
    void HighwayBackward(HighwayBackward operands);

    /// <summary>y += alpha x.</summary>
    void AddScaled(float alpha, Tensor x, Tensor y);

    /// <summary>y += alpha k x with a number k on the device, or alpha k without x: products of sums and their gradients need not leave it.</summary>
    void AddMultiple(AddMultipleOperands operands);
}
