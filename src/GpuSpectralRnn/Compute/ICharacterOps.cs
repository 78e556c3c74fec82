namespace GpuSpectralRnn.Compute;

/// <summary>
/// Operands of a convolution over the characters of words with the maximum over each word. E is the width of a character, F the number of filters, K
/// how many characters a filter sees: the width of the filters over E.
/// </summary>
/// <param name="Characters">x [W, N, E]: W characters of each of N words; not read beyond a word's length.</param>
/// <param name="Filters">[F, K E]: of each filter the weights of its first character, then of its second, ...</param>
/// <param name="Bias">[F].</param>
/// <param name="Lengths">Int32 [N]: the characters of each word, 0..W.</param>
/// <param name="Output">Receives y [N, F] (overwritten).</param>
/// <param name="Places">Int32 [N, F]: receives where each maximum was found, for the backward pass; -1 in words of length 0.</param>
public readonly record struct ConvolveMaxForward(Tensor Characters, Tensor Filters, Tensor Bias, Tensor Lengths, Tensor Output, Tensor Places);

/// <summary>Operands of the backward pass of <see cref="ICharacterOps.ConvolveMax"/>.</summary>
/// <param name="Forward">The operands of the forward call; its output is not read.</param>
/// <param name="OutputGradient">dL/dy [N, F].</param>
/// <param name="CharacterGradient">Receives dL/dx [W, N, E] (overwritten), where wanted; zero beyond a word's length.</param>
/// <param name="FilterGradient">Receives the filters' gradient [F, K E], added to what is there.</param>
/// <param name="BiasGradient">Receives the bias's gradient [F], added to what is there.</param>
public readonly record struct ConvolveMaxBackward(
    ConvolveMaxForward Forward, Tensor OutputGradient, Tensor? CharacterGradient, Tensor FilterGradient, Tensor BiasGradient);

/// <summary>Words as their characters.</summary>
public interface ICharacterOps
{
    /// <summary>
    /// y[n, f] = max over p below L_n of bias[f] + sum_k sum_e filters[f, k E + e] x[p + k, n, e], where characters from L_n on count as zeros: a filter
    /// starts at every character of the word, and a word shorter than K fits too. Of equals the first place is kept. A word of length 0 gives zeros.
    /// </summary>
    void ConvolveMax(ConvolveMaxForward operands);

    /// <summary>
    /// Backward of <see cref="ConvolveMax"/>: a gradient goes to the place of its maximum alone; words of length 0 take none. The order of the
    /// additions is fixed.
    /// </summary>
    void ConvolveMaxBackward(ConvolveMaxBackward operands);
}
