using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Spectral;

/// <summary>Second moments of rows that live on any backend: summed there where it can, else brought to the processor batch by batch.</summary>
internal static class StatisticsGram
{
    /// <summary>Empty sums for rows of <paramref name="units"/> numbers; the caller owns them.</summary>
    public static GramSums On(IBackend backend, int units) =>
        backend is HostBackend host ? host.Spectral.CreateGram(units) : new Downloaded(units);

    private sealed class Downloaded(int units) : GramSums
    {
        private static readonly Lazy<HostBackend> Processor = new(() => new HostBackend());

        private readonly HostGramSums sums = (HostGramSums)Processor.Value.Spectral.CreateGram(units);
        private float[] states = [], weights = [];

        public override int Units => sums.Units;

        public override void Add(Tensor states, Tensor? weights = null) =>
            sums.Add(Fetch(states, ref this.states), weights is null ? [] : Fetch(weights, ref this.weights));

        public override double Read(Span<double> sums) => this.sums.Read(sums);

        public override void Reset() => sums.Reset();

        public override void Dispose() => sums.Dispose();

        private static ReadOnlySpan<float> Fetch(Tensor tensor, ref float[] memory)
        {
            if (memory.Length < tensor.Count) memory = new float[tensor.Count];
            Span<float> values = memory.AsSpan(0, (int)tensor.Count);
            tensor.CopyTo(values);
            return values;
        }
    }
}
