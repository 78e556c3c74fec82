using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Counter-based random numbers on the processor.</summary>
internal sealed unsafe class HostRandomOps(HostBackend backend, HostParallel threads) : IRandomOps
{
    private const int OperationsPerNumber = 16;

    /// <inheritdoc/>
    public void Uniform(UniformOperands operands)
    {
        long count = OperandChecks.Uniform(backend, operands);
        (Tensor destination, ulong seed, ulong stream, float low, float high) = operands;
        float* x = backend.Address(destination);
        float range = high - low;
        float largest = MathF.BitDecrement(high); // low + range u may round up to high
        threads.Split(count, 4, count * OperationsPerNumber, (_, from, to) =>
        {
            for (long i = from; i < to; i += 4)
            {
                Philox.Block block = Philox.Generate(seed, stream, (ulong)i >> 2);
                Put(i, block.X);
                if (i + 1 < to) Put(i + 1, block.Y);
                if (i + 2 < to) Put(i + 2, block.Z);
                if (i + 3 < to) Put(i + 3, block.W);
            }
        });

        void Put(long i, uint word) => x[i] = MathF.Min(low + range * Philox.ToUniform(word), largest);
    }

    /// <inheritdoc/>
    public void Dropout(DropoutOperands operands)
    {
        long count = OperandChecks.Dropout(backend, operands);
        (Tensor x, float rate, ulong seed, ulong stream, Tensor y) = operands;
        float* source = backend.Address(x);
        float* target = backend.Address(y);
        float scale = 1 / (1 - rate);
        Split(count, 4, operands.Numbers, Drop);

        // Four numbers are drawn at a time.
        void Drop(long i, long end, ulong number)
        {
            for (; i < end; number += 4 - (number & 3))
            {
                Philox.Block block = Philox.Generate(seed, stream, number >> 2);
                if ((number & 3) == 0) Put(i++, block.X);
                if ((number & 3) <= 1 && i < end) Put(i++, block.Y);
                if ((number & 3) <= 2 && i < end) Put(i++, block.Z);
                if (i < end) Put(i++, block.W);
            }
        }

        void Put(long i, uint word) => target[i] = Philox.ToUniform(word) < rate ? 0 : scale * source[i];
    }

    /// <inheritdoc/>
    public void Normal(NormalOperands operands)
    {
        long count = OperandChecks.Normal(backend, operands);
        (Tensor destination, ulong seed, ulong stream, float mean, float deviation) = operands;
        float* x = backend.Address(destination);
        Split(count, 2, operands.Numbers, Draw);

        // Two numbers are drawn at a time.
        void Draw(long i, long end, ulong number)
        {
            for (; i < end; number += 2 - (number & 1))
            {
                Philox.Block block = Philox.Generate(seed, stream, number >> 1);
                if ((number & 1) == 0) Put(i++, block.X, block.Y);
                if (i < end) Put(i++, block.Z, block.W);
            }
        }

        void Put(long i, uint first, uint second)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - Philox.ToUniform(first)));
            x[i] = mean + deviation * (float)(radius * Math.Cos(2 * Math.PI * Philox.ToUniform(second)));
        }
    }

    // Work on elements from i to end whose numbers follow each other, the first of them this one; threads begin at multiples of a block.
    private void Split(long count, int block, NumberWindow window, Action<long, long, ulong> work)
    {
        (long first, int given, long gap) = window;
        long period = given == 0 ? Math.Max(1, count) : given;
        threads.Split(count, block, count * OperationsPerNumber, (_, from, to) =>
        {
            while (from < to)
            {
                (long turn, long at) = Math.DivRem(from, period);
                long end = Math.Min(to, from + period - at);
                work(from, end, (ulong)(first + from + (turn * gap)));
                from = end;
            }
        });
    }
}
