using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>Rows of a table chosen by tokens, output[n, j] = weights[tokens[n], j]; elements N E.</summary>
public readonly struct Embedding(
    ArrayView<int> tokens, // [N]
    ArrayView<float> weights, // [V, E]
    ArrayView<float> output, // [N, E]
    int extent) // E
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int n = element / extent;
        output[element] = weights[(long)tokens[n] * extent + (element - n * extent)];
    }
}

/// <summary>
/// Chains the places of each token in their order, for the gradient of the table; elements N. chains[0, n]: whether n is the first place of its
/// token; chains[1, n]: the next place of the same token, or N.
/// </summary>
public readonly struct EmbeddingChains(
    ArrayView<int> tokens, // [N]
    ArrayView<int> chains, // [2, N]
    int places) // N
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int token = tokens[element];
        int before = element - 1;
        while (before >= 0 && tokens[before] != token) before--;
        int next = element + 1;
        while (next < places && tokens[next] != token) next++;
        chains[element] = before < 0 ? 1 : 0;
        chains[places + element] = next;
    }
}

/// <summary>
/// Backward of <see cref="Embedding"/>, weightGradient[tokens[n], j] += gradient[n, j], without atomics: an element, of N E, walks the chain of a
/// token (<see cref="EmbeddingChains"/>) where its place is the first.
/// </summary>
public readonly struct EmbeddingBackward(
    ArrayView<int> tokens, // [N]
    ArrayView<int> chains, // [2, N]
    ArrayView<float> gradient, // [N, E]
    ArrayView<float> weightGradient, // [V, E]
    int places, // N
    int extent) // E
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int first = element / extent;
        if (chains[first] == 0) return;
        int column = element - first * extent;
        long place = (long)tokens[first] * extent + column;
        float sum = weightGradient[place];
        for (int n = first; n < places; n = chains[places + n]) sum += gradient[n * extent + column];
        weightGradient[place] = sum;
    }
}
