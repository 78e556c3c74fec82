using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Words as their characters, and filters over them.</summary>
public struct WordFilters
{
    /// <summary>x [W, N, E].</summary>
    public ArrayView<float> Characters;

    /// <summary>[F, K E].</summary>
    public ArrayView<float> Filters;

    /// <summary>[F].</summary>
    public ArrayView<float> Bias;

    /// <summary>The characters of each word, [N].</summary>
    public ArrayView<int> Lengths;

    /// <summary>Where each maximum was found, [N, F]; -1 in empty words.</summary>
    public ArrayView<int> Places;

    /// <summary>N.</summary>
    public int Words;

    /// <summary>E.</summary>
    public int Extent;

    /// <summary>F.</summary>
    public int Count;

    /// <summary>K.</summary>
    public int Width;

    /// <summary>K E, the weights of a filter.</summary>
    public readonly int Weights => Width * Extent;
}

/// <summary>
/// Convolution over the characters of words with the maximum over each word: a filter starts at every character, those beyond the word count as zeros.
/// Sums have a fixed order; those over words are cut into slices, which are summed in turn.
/// </summary>
public sealed class ConvolveMax(KernelLoader loader, ColumnSums sums) : IDisposable
{
    private const int PartialCapacity = 1 << 18;

    private readonly Launcher<Transpose> transpose = loader.Elements<Transpose>();
    private readonly Launcher<Maxima> maxima = loader.Elements<Maxima>();
    private readonly Launcher<CharacterGradient> characterGradient = loader.Elements<CharacterGradient>();
    private readonly Launcher<FilterSlices> filterSlices = loader.Items<FilterSlices>();
    private readonly Launcher<BiasSlices> biasSlices = loader.Items<BiasSlices>();
    private readonly Scratch scratch = new(loader.Memory);

    /// <summary>y [N, F] and where the maxima are.</summary>
    public void Run(AcceleratorStream stream, in WordFilters a, ArrayView<float> y)
    {
        if (a.Words == 0) return;
        ArrayView<float> transposed = scratch.Of((long)a.Count * a.Weights);
        transpose(stream, a.Count * a.Weights, new(a.Filters, transposed, a.Count, a.Weights));
        maxima(stream, a.Words * a.Count, new(a, transposed, y));
    }

    /// <summary>
    /// From the gradient d [N, F] of y: that of the characters [W, N, E], where wanted; those of the filters [F, K E] and the bias [F] are added to what is
    /// there.
    /// </summary>
    public void RunBackward(
        AcceleratorStream stream,
        in WordFilters a,
        ArrayView<float> d,
        ArrayView<float>? characters,
        ArrayView<float> filters,
        ArrayView<float> bias)
    {
        if (a.Words == 0) return;
        if (characters is { } wanted) characterGradient(stream, (int)a.Characters.Length, new(a, d, wanted));
        int columns = a.Count * a.Weights;
        ArrayView<float> partial = Slice(columns, a.Words, out int slices, out int perSlice);
        filterSlices(stream, slices * columns, new(a, d, partial, perSlice));
        sums.Run(stream, new() { X = partial, Sums = filters, Rows = slices, Columns = columns, Alpha = 1, Beta = 1 });
        partial = Slice(a.Count, a.Words, out slices, out perSlice);
        biasSlices(stream, slices * a.Count, new(a, d, partial, perSlice));
        sums.Run(stream, new() { X = partial, Sums = bias, Rows = slices, Columns = a.Count, Alpha = 1, Beta = 1 });
    }

    /// <inheritdoc/>
    public void Dispose() => scratch.Dispose();

    // About sqrt(words) slices balance the two stages and keep rounding errors small.
    private ArrayView<float> Slice(int columns, int words, out int slices, out int perSlice)
    {
        slices = Math.Max(1, Math.Min((int)Math.Sqrt(words), PartialCapacity / columns));
        perSlice = (words + slices - 1) / slices;
        slices = (words + perSlice - 1) / perSlice;
        return scratch.Of((long)slices * columns);
    }

    /// <summary>An element is a filter's maximum over a word; four neighbouring places share the filter's weights. Elements N F.</summary>
    internal readonly struct Maxima(WordFilters a, ArrayView<float> transposed, ArrayView<float> y) : IElementKernel
    {
        public void Run(int element)
        {
            int word = element / a.Count;
            int filter = element - word * a.Count;
            int length = a.Lengths[word];
            float bias = a.Bias[filter];
            int step = a.Words * a.Extent; // from a character to the next
            int place = -1;
            float best = 0f;
            for (int p = 0; p < length; p += 4)
            {
                float first = bias;
                float second = bias;
                float third = bias;
                float fourth = bias;
                int end = length - p < a.Width ? length - p : a.Width;
                for (int k = 0; k < end; k++)
                {
                    int left = length - p - k; // characters from here on
                    int at = ((p + k) * a.Words + word) * a.Extent;
                    int row = k * a.Extent * a.Count + filter;
                    int toSecond = left > 1 ? step : 0;
                    int toThird = left > 2 ? 2 * step : 0;
                    int toFourth = left > 3 ? 3 * step : 0;
                    for (int e = 0; e < a.Extent; e++)
                    {
                        float weight = transposed[row + e * a.Count];
                        first += weight * a.Characters[at + e];
                        second += (left > 1 ? weight : 0f) * a.Characters[at + toSecond + e];
                        third += (left > 2 ? weight : 0f) * a.Characters[at + toThird + e];
                        fourth += (left > 3 ? weight : 0f) * a.Characters[at + toFourth + e];
                    }
                }

                if (place < 0 || first > best)
                {
                    best = first;
                    place = p;
                }

                if (p + 1 < length && second > best)
                {
                    best = second;
                    place = p + 1;
                }

                if (p + 2 < length && third > best)
                {
                    best = third;
                    place = p + 2;
                }

                if (p + 3 < length && fourth > best)
                {
                    best = fourth;
                    place = p + 3;
                }
            }

            y[element] = best;
            a.Places[element] = place;
        }
    }

    /// <summary>
    /// gradient[c, n, e] = sum over the filters f whose maximum sees the character, k = c - place of 0..K-1, of d[n, f] filters[f, k E + e]; elements W N E.
    /// </summary>
    internal readonly struct CharacterGradient(WordFilters a, ArrayView<float> d, ArrayView<float> gradient) : IElementKernel
    {
        public void Run(int element)
        {
            int row = element / a.Extent;
            int column = element - row * a.Extent;
            int character = row / a.Words;
            int word = row - character * a.Words;
            float sum = 0f;
            if (character < a.Lengths[word])
            {
                for (int f = 0; f < a.Count; f++)
                {
                    int k = character - a.Places[word * a.Count + f];
                    if (k >= 0 && k < a.Width) sum += d[word * a.Count + f] * a.Filters[(f * a.Width + k) * a.Extent + column];
                }
            }

            gradient[element] = sum;
        }
    }

    /// <summary>One item, one weight's gradient over a slice of the words.</summary>
    internal readonly struct FilterSlices(WordFilters a, ArrayView<float> d, ArrayView<float> partial, int perSlice) : IItemKernel
    {
        public void Run(int item)
        {
            int weights = a.Weights;
            int slice = item / (a.Count * weights);
            int weight = item - slice * a.Count * weights;
            int filter = weight / weights;
            weight -= filter * weights;
            int k = weight / a.Extent;
            int column = weight - k * a.Extent;
            int to = (slice + 1) * perSlice < a.Words ? (slice + 1) * perSlice : a.Words;
            float sum = 0f;
            for (int n = slice * perSlice; n < to; n++)
            {
                int place = a.Places[n * a.Count + filter];
                if (place >= 0 && place + k < a.Lengths[n]) sum += d[n * a.Count + filter] * a.Characters[((place + k) * a.Words + n) * a.Extent + column];
            }

            partial[item] = sum;
        }
    }

    /// <summary>One item, one filter's sum over a slice of the words.</summary>
    internal readonly struct BiasSlices(WordFilters a, ArrayView<float> d, ArrayView<float> partial, int perSlice) : IItemKernel
    {
        public void Run(int item)
        {
            int slice = item / a.Count;
            int filter = item - slice * a.Count;
            int to = (slice + 1) * perSlice < a.Words ? (slice + 1) * perSlice : a.Words;
            float sum = 0f;
            for (int n = slice * perSlice; n < to; n++)
            {
                if (a.Places[n * a.Count + filter] >= 0) sum += d[n * a.Count + filter];
            }

            partial[item] = sum;
        }
    }
}
