using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Words as their characters, on the processor. Threads share out the words, and the filters where the sums over the words are taken.
/// </summary>
internal sealed unsafe class HostCharacterOps(HostBackend backend, HostParallel threads) : ICharacterOps, IDisposable
{
    private const int BlockWords = 256; // summed in single precision before they join the total

    private ThreadScratch? shared; // as large as all filters
    private ThreadScratch? own; // of each thread, as large as a word
    private long sharedCount, ownCount;

    /// <inheritdoc/>
    public void ConvolveMax(ConvolveMaxForward operands)
    {
        ConvolutionShape s = OperandChecks.ConvolveMax(backend, operands);
        float* x = backend.Read(operands.Characters), filters = backend.Read(operands.Filters), bias = backend.Read(operands.Bias);
        float* y = backend.Address(operands.Output);
        int* lengths = backend.Address<int>(operands.Lengths), places = backend.Address<int>(operands.Places);
        int weights = s.Width * s.Extent;
        float* transposed = Scratch(ref shared, ref sharedCount, 1, (long)s.Filters * weights).Of(0); // [K E, F]
        for (long f = 0; f < s.Filters; f++)
            for (long i = 0; i < weights; i++) transposed[i * s.Filters + f] = filters[f * weights + i];
        threads.Split(s.Words, 1, s.Words * (long)s.Filters * weights * s.Characters, (_, from, to) =>
        {
            for (long n = from; n < to; n++)
            {
                ConvolveMax word = new(s, x + n * s.Extent, lengths[n], transposed, bias, y + n * s.Filters, places + n * s.Filters);
                Elementwise.Run(word, 0, s.Filters);
            }
        });
    }

    /// <inheritdoc/>
    public void ConvolveMaxBackward(ConvolveMaxBackward operands)
    {
        ConvolutionShape s = OperandChecks.ConvolveMaxBackward(backend, operands);
        if (operands.CharacterGradient is not null) CharacterGradient(operands, s);
        float* x = backend.Address(operands.Forward.Characters), d = backend.Address(operands.OutputGradient);
        float* filterGradient = backend.Address(operands.FilterGradient), biasGradient = backend.Address(operands.BiasGradient);
        int* lengths = backend.Address<int>(operands.Forward.Lengths), places = backend.Address<int>(operands.Forward.Places);
        int weights = s.Width * s.Extent;
        float* block = Scratch(ref shared, ref sharedCount, 1, (long)s.Filters * weights).Of(0); // [F, K E]
        ThreadScratch words = Scratch(ref own, ref ownCount, threads.Count, (long)s.Characters * s.Extent);
        threads.Split(s.Filters, 1, s.Words * (long)s.Filters * weights, (part, from, to) =>
        {
            float* word = words.Of(part); // [W, E]
            for (long first = 0; first < s.Words; first += BlockWords)
            {
                for (long i = from * weights; i < to * weights; i++) block[i] = 0;
                for (long n = first; n < Math.Min(first + BlockWords, s.Words); n++)
                {
                    for (long c = 0; c < lengths[n]; c++) Copy(x + (c * s.Words + n) * s.Extent, word + c * s.Extent, s.Extent);
                    for (long f = from; f < to; f++)
                    {
                        int place = places[n * s.Filters + f];
                        if (place < 0) continue;
                        int seen = Math.Min(weights, (lengths[n] - place) * s.Extent);
                        Elementwise.Run(new AddScaled(d[n * s.Filters + f], word + place * s.Extent, block + f * weights), 0, seen);
                    }
                }

                Elementwise.Run(new AddTo(filterGradient, block), (nint)(from * weights), (nint)(to * weights));
            }

            for (long f = from; f < to; f++)
            {
                double sum = 0;
                for (long n = 0; n < s.Words; n++) sum += places[n * s.Filters + f] < 0 ? 0 : d[n * s.Filters + f];
                biasGradient[f] += (float)sum;
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        shared?.Dispose();
        own?.Dispose();
    }

    private void CharacterGradient(ConvolveMaxBackward operands, ConvolutionShape s)
    {
        float* filters = backend.Address(operands.Forward.Filters), d = backend.Address(operands.OutputGradient);
        float* gradient = backend.Address(operands.CharacterGradient!);
        int* lengths = backend.Address<int>(operands.Forward.Lengths), places = backend.Address<int>(operands.Forward.Places);
        int weights = s.Width * s.Extent;
        ThreadScratch words = Scratch(ref own, ref ownCount, threads.Count, (long)s.Characters * s.Extent);
        threads.Split(s.Words, 1, s.Words * (long)s.Filters * weights, (part, from, to) =>
        {
            float* word = words.Of(part); // [W, E]
            for (long n = from; n < to; n++)
            {
                new Span<float>(word, s.Characters * s.Extent).Clear();
                for (long f = 0; f < s.Filters; f++)
                {
                    int place = places[n * s.Filters + f];
                    if (place < 0) continue;
                    int seen = Math.Min(weights, (lengths[n] - place) * s.Extent);
                    Elementwise.Run(new AddScaled(d[n * s.Filters + f], filters + f * weights, word + place * s.Extent), 0, seen);
                }

                for (long c = 0; c < s.Characters; c++) Copy(word + c * s.Extent, gradient + (c * s.Words + n) * s.Extent, s.Extent);
            }
        });
    }

    private static void Copy(float* source, float* target, int count) => new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(target, count));

    private static ThreadScratch Scratch(ref ThreadScratch? kept, ref long room, int parts, long count)
    {
        if (kept is not null && room >= count) return kept;
        kept?.Dispose();
        room = count;
        return kept = new ThreadScratch(parts, count);
    }
}
