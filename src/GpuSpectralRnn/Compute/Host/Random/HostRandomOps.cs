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
        Split(count, 4, operands.Numbers, new Drop(backend.Address(x), backend.Address(y), rate, seed, stream));
    }

    /// <inheritdoc/>
    public void Normal(NormalOperands operands)
    {
        long count = OperandChecks.Normal(backend, operands);
        (Tensor destination, ulong seed, ulong stream, float mean, float deviation) = operands;
        Split(count, 2, operands.Numbers, new DrawNormal(backend.Address(destination), seed, stream, mean, deviation));
    }

    // Elements whose numbers follow each other go to the work together; threads begin at multiples of a block.
    private void Split<TWork>(long count, int block, NumberWindow window, TWork work)
        where TWork : struct, IStretchWork
    {
        (long first, int given, long gap) = window;
        long period = given == 0 ? Math.Max(1, count) : given;
        threads.Split(count, block, count * OperationsPerNumber, (_, from, to) =>
        {
            while (from < to)
            {
                (long turn, long at) = Math.DivRem(from, period);
                long end = Math.Min(to, from + period - at);
                work.Run(from, end, (ulong)(first + from + (turn * gap)));
                from = end;
            }
        });
    }

    // Work on elements from i to end, the first of which takes this number and the others those after it.
    private interface IStretchWork
    {
        void Run(long i, long end, ulong number);
    }

    private readonly struct Drop(float* source, float* target, float rate, ulong seed, ulong stream) : IStretchWork
    {
        private readonly float* source = source, target = target;
        private readonly float rate = rate, scale = 1 / (1 - rate);

        // Four numbers are drawn at a time.
        public void Run(long i, long end, ulong number)
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

        private void Put(long i, uint word) => target[i] = Philox.ToUniform(word) < rate ? 0 : scale * source[i];
    }

    private readonly struct DrawNormal(float* target, ulong seed, ulong stream, float mean, float deviation) : IStretchWork
    {
        private readonly float* target = target;

        // Two numbers are drawn at a time.
        public void Run(long i, long end, ulong number)
        {
            for (; i < end; number += 2 - (number & 1))
            {
                Philox.Block block = Philox.Generate(seed, stream, number >> 1);
                if ((number & 1) == 0) Put(i++, block.X, block.Y);
                if (i < end) Put(i++, block.Z, block.W);
            }
        }

        private void Put(long i, uint first, uint second)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - Philox.ToUniform(first)));
            target[i] = mean + deviation * (float)(radius * Math.Cos(2 * Math.PI * Philox.ToUniform(second)));
        }
    }
}
