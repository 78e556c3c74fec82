using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Extending;

/// <summary>Baseline: the units whose mean square is largest, with the others reconstructed from them.</summary>
public sealed class PowerUnits : IPruningMethod
{
    public string Name => "power";

    public PruningPlan Plan(Calibration calibration, IReadOnlyList<int> keep) =>
        AxisPlans.Plan(Name, calibration, keep, (axis, i, k, tied) =>
        {
            Matrix gram = calibration.Gram(i); // S [m, m]
            int[] kept = tied ?? [.. Enumerable.Range(0, axis.Units).OrderByDescending(j => gram[j, j]).Take(k).Order()];
            return axis.IsFoldable
                ? UnitFold.Reconstructed(gram, calibration.DefaultRidge(axis), kept)
                : UnitFold.None(axis.Units, kept);
        });
}

public sealed class PowerUnitsTests : IDisposable
{
    private static readonly SpectralSettings Plain = new();

    private readonly HostBackend host = new(threads: 2);

    public void Dispose() => host.Dispose();

    [Fact]
    public void Its_line_in_the_table_makes_a_smaller_network()
    {
        MethodSpec line =
            new("power", "units with the largest mean square", Plain, _ => new PowerUnits());
        NormalData data = new(60, 4, 3);
        foreach (Cell cell in Enum.GetValues<Cell>())
        {
            using Network network = TestNetworks.Make(host, cell, [7, 5], Readout.Last);
            PruningPlan plan = line.Create!(line.Settings).Plan(new Calibration(network, data), [4, 3]);
            using Network sliced = Slicer.Slice(network, plan);

            Parity parity = Parity.OfPlan(network, sliced, plan, data);

            Assert.Equal([4, 3], sliced.Architecture.Hidden);
            Assert.True(parity.Difference <= 1e-4 * Math.Max(1, parity.Largest), $"{cell}: {parity}");
        }
    }
}
