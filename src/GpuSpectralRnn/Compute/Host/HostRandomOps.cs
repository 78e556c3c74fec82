using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>Counter-based random numbers on the processor.</summary>
internal sealed unsafe class HostRandomOps(HostBackend backend) : IRandomOps
{
    /// <inheritdoc/>
    public void Uniform(Tensor destination, ulong seed, ulong stream, float low, float high)
    {
        if (!(low < high)) throw new ArgumentOutOfRangeException(nameof(high), high, $"A uniform range ends above its start {low}.");
        long count = OperandChecks.Float(backend, destination);
        float* x = backend.Address(destination);
        float range = high - low;
        float largest = MathF.BitDecrement(high); // low + range u may round up to high
        for (long i = 0; i < count; i++) x[i] = MathF.Min(low + range * Philox.Uniform(seed, stream, (ulong)i), largest);
    }

    /// <inheritdoc/>
    public void Normal(Tensor destination, ulong seed, ulong stream, float mean, float deviation)
    {
        if (!(deviation >= 0)) throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "A standard deviation is zero or more.");
        long count = OperandChecks.Float(backend, destination);
        float* x = backend.Address(destination);
        for (long i = 0; i < count; i++)
        {
            Philox.Block block = Philox.Generate(seed, stream, (ulong)i >> 1);
            bool isEven = (i & 1) == 0;
            double radius = Math.Sqrt(-2 * Math.Log(1 - Philox.ToUniform(isEven ? block.X : block.Z)));
            double angle = 2 * Math.PI * Philox.ToUniform(isEven ? block.Y : block.W);
            x[i] = mean + deviation * (float)(radius * Math.Cos(angle));
        }
    }
}
