using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Rows of a table chosen by tokens, and the gradient of the table. Without atomics: the places of each token are chained in their order, and one
/// item for each first place and column walks the chain.
/// </summary>
public sealed class Embedding(KernelLoader loader)
{
    private readonly Action<AcceleratorStream, Index1D, ArrayView<int>, ArrayView<float>, ArrayView<float>, EmbeddingExtents> forward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<int>, ArrayView<float>, ArrayView<float>, EmbeddingExtents>>(Gather);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<int>, ArrayView<int>, EmbeddingExtents> chain =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<int>, ArrayView<int>, EmbeddingExtents>>(Chain);

    private readonly Action<AcceleratorStream, Index1D, ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<float>, EmbeddingExtents> backward =
        loader.Load<Action<AcceleratorStream, Index1D, ArrayView<int>, ArrayView<int>, ArrayView<float>, ArrayView<float>, EmbeddingExtents>>(AddRows);

    /// <summary>output[n, j] = weights[tokens[n], j]; tokens [N], weights [V, E], output [N, E].</summary>
    public void Forward(AcceleratorStream stream, ArrayView<int> tokens, ArrayView<float> weights, ArrayView<float> output, int places, int extent)
    {
        if (places == 0 || extent == 0) return;
        int width = loader.WidthFor((long)places * extent);
        forward(stream, width, tokens, weights, output, new() { Places = places, Extent = extent, Width = width });
    }

    /// <summary>weightGradient[tokens[n], j] += gradient[n, j]; chains [2, N] is scratch memory.</summary>
    public void Backward(
        AcceleratorStream stream,
        ArrayView<int> tokens,
        ArrayView<float> gradient,
        ArrayView<float> weightGradient,
        ArrayView<int> chains,
        int places,
        int extent)
    {
        if (places == 0 || extent == 0) return;
        int width = loader.WidthFor(places);
        chain(stream, width, tokens, chains, new() { Places = places, Extent = extent, Width = width });
        width = loader.WidthFor((long)places * extent);
        backward(stream, width, tokens, chains, gradient, weightGradient, new() { Places = places, Extent = extent, Width = width });
    }

    [KernelEntry]
    internal static void Gather(
        Index1D index,
        ArrayView<int> tokens, // [N]
        ArrayView<float> weights, // [V, E]
        ArrayView<float> output, // [N, E]
        EmbeddingExtents e)
    {
        for (int i = index; i < e.Places * e.Extent; i += e.Width)
        {
            int n = i / e.Extent;
            output[i] = weights[(long)tokens[n] * e.Extent + (i - n * e.Extent)];
        }
    }

    // chains[0, n]: whether n is the first place of its token; chains[1, n]: the next place of the same token, or N.
    [KernelEntry]
    internal static void Chain(
        Index1D index,
        ArrayView<int> tokens, // [N]
        ArrayView<int> chains, // [2, N]
        EmbeddingExtents e)
    {
        for (int n = index; n < e.Places; n += e.Width)
        {
            int token = tokens[n];
            int before = n - 1;
            while (before >= 0 && tokens[before] != token) before--;
            int next = n + 1;
            while (next < e.Places && tokens[next] != token) next++;
            chains[n] = before < 0 ? 1 : 0;
            chains[e.Places + n] = next;
        }
    }

    [KernelEntry]
    internal static void AddRows(
        Index1D index,
        ArrayView<int> tokens, // [N]
        ArrayView<int> chains, // [2, N]
        ArrayView<float> gradient, // [N, E]
        ArrayView<float> weightGradient, // [V, E]
        EmbeddingExtents e)
    {
        for (int i = index; i < e.Places * e.Extent; i += e.Width)
        {
            int first = i / e.Extent;
            if (chains[first] == 0) continue;
            int column = i - first * e.Extent;
            long place = (long)tokens[first] * e.Extent + column;
            float sum = weightGradient[place];
            for (int n = first; n < e.Places; n = chains[e.Places + n]) sum += gradient[n * e.Extent + column];
            weightGradient[place] = sum;
        }
    }
}

/// <summary>Extents of an embedding's launch.</summary>
public struct EmbeddingExtents
{
    /// <summary>N, tokens.</summary>
    public int Places;

    /// <summary>E.</summary>
    public int Extent;

    /// <summary>Items launched.</summary>
    public int Width;
}
