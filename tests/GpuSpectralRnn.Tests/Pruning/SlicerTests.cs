using CsCheck;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Pruning;

public sealed class SlicerTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    // Any architecture of one to three layers, and a plan of any kind for it.
    private static readonly Gen<(Architecture Architecture, int[] Keep, string Kind, int Seed)> Plans =
        from cell in Gen.Enum<Cell>()
        from readout in Gen.Enum<Readout>()
        from isBidirectional in Gen.Bool
        from layers in Gen.Select(Gen.Int[1, 8], Gen.Int[1, 8]).Array[1, 3]
        from inputs in Gen.Int[1, 4]
        from outputs in Gen.Int[1, 4]
        from kind in Gen.OneOf("selector", "fold", "offset", "refit", "mask", "factors")
        from seed in Gen.Int[0, 1000]
        let architecture = new Architecture
        {
            Cell = cell,
            Inputs = inputs,
            Hidden = [.. layers.Select(layer => Math.Max(layer.Item1, layer.Item2))],
            IsBidirectional = isBidirectional && kind != "factors", // which Architecture.Validate refuses
            Readout = readout,
            Outputs = outputs,
        }
        select (architecture, layers.Select(layer => Math.Min(layer.Item1, layer.Item2)).ToArray(), kind, seed);

    [Fact]
    public void The_sliced_network_gives_the_outputs_of_the_masked_one() => Plans.Sample(
        (architecture, keep, kind, seed) =>
        {
            using Network network = TestNetworks.Make(host, architecture, seed);
            PruningPlan plan = Make(network, keep, kind, seed);

            using Network sliced = Slicer.Slice(network, plan);
            Parity parity = Parity.OfPlan(network, sliced, plan, new NormalData(7, 4, architecture.Inputs), batchSize: 3);

            // Two orders of summing at most 16 products, 4 steps: some ten roundings of 6e-8 of the outputs' size.
            Assert.True(parity.Difference <= 5e-6 * Math.Max(1, parity.Largest), $"{parity}");
            Assert.Equal(7, parity.Sequences);
            Assert.Equal(kind is "mask" or "factors" ? architecture.Hidden : keep, sliced.Architecture.Hidden);
            using Network masked = MaskedNetwork.Create(network, plan);
            Assert.Equal(architecture, masked.Architecture);
        },
        iter: 400,
        threads: 1);

    [Fact]
    public void The_check_sees_a_plan_carried_out_wrongly()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [6], Readout.Last);
        PruningPlan plan = Make(network, [3], "fold"), other = plan with { Axes = [plan.Axes[0] with { Kept = [0, 1, 2] }] };
        using Network sliced = Slicer.Slice(network, other);

        Assert.True(Parity.OfPlan(network, sliced, plan, new NormalData(7, 4, 3)).Difference > 1e-3);
    }

    [Fact]
    public void Sliced_weights_are_those_of_the_definition()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4, 3], Readout.Last);
        NetworkWeights weights = NetworkWeights.Read(network);
        PruningPlan plan = Make(network, [2, 2], "fold");

        NetworkWeights sliced = Slicer.Slice(weights, plan);

        (int[] j, Matrix a) = (plan.Axes[0].Kept, plan.Axes[0].Fold!);
        (int[] above, Matrix b) = (plan.Axes[1].Kept, plan.Axes[1].Fold!);
        Assert.Equal((weights.Recurrences[0].Hidden.SelectRows(j) * a).Data, sliced.Recurrences[0].Hidden.Data);
        Assert.Equal(weights.Recurrences[0].Input.SelectRows(j).Data, sliced.Recurrences[0].Input.Data);
        Assert.Equal((weights.Recurrences[1].Input.SelectRows(above) * a).Data, sliced.Recurrences[1].Input.Data);
        Assert.Equal((weights.Readout.Weight * b).Data, sliced.Readout.Weight.Data);
        Assert.Equal(weights.Readout.Bias, sliced.Readout.Bias);
        Assert.Equal([.. above.Select(i => weights.Recurrences[1].HiddenBias[i])], sliced.Recurrences[1].HiddenBias);
    }

    [Fact]
    public void A_plan_of_another_network_is_refused()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4], Readout.Last);
        using Network other = TestNetworks.Make(host, Cell.RnnTanh, [5], Readout.Last);
        PruningPlan plan = Make(network, [2], "fold");

        Assert.Throws<ArgumentException>(() => Slicer.Slice(other, plan));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Axes = [plan.Axes[0], plan.Axes[0]] }));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Axes = [plan.Axes[0] with { Kept = [2, 1] }] }));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Axes = [plan.Axes[0] with { Fold = new Matrix(4, 3) }] }));
    }

    private static PruningPlan Make(Network network, int[] keep, string kind, int seed = 0)
    {
        Architecture architecture = network.Architecture;
        int gates = architecture.Cell.Gates();
        UnitPlan[] recurrences = new UnitPlan[architecture.Recurrences];
        for (int r = 0; r < recurrences.Length; r++)
        {
            int layer = r / architecture.Directions;
            (int m, int k, int inputs) = (
                architecture.Hidden[layer], keep[layer], layer == 0 ? architecture.Inputs : architecture.Directions * keep[layer - 1]);
            if (kind == "mask")
            {
                Matrix mask = new(gates * m, m);
                for (int i = 0; i < mask.Data.Length; i++) mask.Data[i] = (i + seed) % 3 == 0 ? 0 : 1;
                recurrences[r] = UnitPlan.Whole(m) with { Mask = mask };
                continue;
            }

            if (kind == "factors")
            {
                Matrix left = 0.5 * RandomMatrix.Uniform(gates * m, k, seed + r), right = 0.5 * RandomMatrix.Uniform(k, m, seed + r + 9);
                recurrences[r] = UnitPlan.Whole(m) with { Factors = new Factors(left, right) };
                continue;
            }

            int[] kept = [.. Enumerable.Range(0, m).OrderBy(j => (j * 5 + 3 + r + seed) % 7).Take(k).Order()];
            UnitPlan plan = new() { Units = m, Kept = kept, Fold = kind == "selector" ? null : 0.6 * RandomMatrix.Uniform(m, k, seed + r) };
            if (kind is "offset" or "refit") plan = plan with { Offset = RandomMatrix.Uniform(m, 1, seed + r + 3).Data };
            if (kind == "refit")
            {
                Matrix recurrent = 0.1 * RandomMatrix.Uniform(gates * k, k, seed + r);
                Matrix input = 0.1 * RandomMatrix.Uniform(gates * k, inputs, seed + r + 1);
                plan = plan with { Correction = new(recurrent, input, Bias(seed + r + 2), Bias(seed + r + 4)) };
                double[] Bias(int of) => RandomMatrix.Uniform(gates * k, 1, of).Data;
            }

            recurrences[r] = plan;
        }

        ReadoutWeights? readout = kind == "refit"
            ? new(
                RandomMatrix.Uniform(architecture.Outputs, architecture.Directions * keep[^1], 8),
                RandomMatrix.Uniform(architecture.Outputs, 1, 9).Data)
            : null;
        return new PruningPlan(kind, recurrences, readout);
    }
}
