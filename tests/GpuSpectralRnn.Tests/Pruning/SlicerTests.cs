using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Models;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Pruning;

public sealed class SlicerTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    public static TheoryData<Cell, string, string, Readout, string, bool> Plans()
    {
        TheoryData<Cell, string, string, Readout, string, bool> data = new();
        foreach (Cell cell in Enum.GetValues<Cell>())
        {
            foreach (Readout readout in Enum.GetValues<Readout>())
            {
                foreach (string kind in (string[])["selector", "fold", "offset", "refit"])
                {
                    data.Add(cell, "5", "3", readout, kind, false);
                    data.Add(cell, "7,4", "1,3", readout, kind, false);
                    data.Add(cell, "6,5,4", "4,2,4", readout, kind, false);
                    data.Add(cell, "5", "3", readout, kind, true);
                    data.Add(cell, "6,4", "2,3", readout, kind, true);
                }

                data.Add(cell, "5,3", "5,3", readout, "mask", false);
                data.Add(cell, "5,3", "5,3", readout, "mask", true);
                data.Add(cell, "5,3", "2,3", readout, "factors", false);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Plans))]
    public void The_sliced_network_gives_the_outputs_of_the_masked_one(
        Cell cell, string hidden, string keep, Readout readout, string kind, bool isBidirectional)
    {
        using Network network = TestNetworks.Make(host, cell, Sizes(hidden), readout, isBidirectional: isBidirectional);
        PruningPlan plan = Make(network, Sizes(keep), kind);

        using Network sliced = Slicer.Slice(network, plan);
        Parity parity = Parity.OfPlan(network, sliced, plan, new NormalData(7, 4, 3), batchSize: 3);

        // Two orders of summing at most 7 products, 4 steps: some ten roundings of 6e-8 of the outputs' size.
        Assert.True(parity.Difference <= 5e-6 * Math.Max(1, parity.Largest), $"{parity}");
        Assert.Equal(7, parity.Sequences);
        Assert.Equal(kind is "mask" or "factors" ? Sizes(hidden) : Sizes(keep), sliced.Architecture.Hidden);
        using Network masked = MaskedNetwork.Of(network, plan);
        Assert.Equal(network.Architecture, masked.Architecture);
    }

    [Fact]
    public void The_check_sees_a_plan_carried_out_wrongly()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [6], Readout.Last);
        PruningPlan plan = Make(network, [3], "fold"), other = plan with { Recurrences = [plan.Recurrences[0] with { Kept = [0, 1, 2] }] };
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

        (int[] j, Matrix a) = (plan.Recurrences[0].Kept, plan.Recurrences[0].Fold!);
        (int[] above, Matrix b) = (plan.Recurrences[1].Kept, plan.Recurrences[1].Fold!);
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
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Recurrences = [plan.Recurrences[0], plan.Recurrences[0]] }));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Recurrences = [plan.Recurrences[0] with { Kept = [2, 1] }] }));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Recurrences = [plan.Recurrences[0] with { Fold = new Matrix(4, 3) }] }));
    }

    private static int[] Sizes(string sizes) => [.. sizes.Split(',').Select(int.Parse)];

    private static PruningPlan Make(Network network, int[] keep, string kind)
    {
        Architecture architecture = network.Architecture;
        int gates = architecture.Cell.Gates();
        LayerPlan[] recurrences = new LayerPlan[architecture.Recurrences];
        for (int r = 0; r < recurrences.Length; r++)
        {
            int layer = r / architecture.Directions;
            (int m, int k, int inputs) = (
                architecture.Hidden[layer], keep[layer], layer == 0 ? architecture.Inputs : architecture.Directions * keep[layer - 1]);
            if (kind == "mask")
            {
                Matrix mask = new(gates * m, m);
                for (int i = 0; i < mask.Data.Length; i++) mask.Data[i] = i % 3 == 0 ? 0 : 1;
                recurrences[r] = LayerPlan.Whole(m) with { Mask = mask };
                continue;
            }

            if (kind == "factors")
            {
                Factors factors = new(0.5 * RandomMatrix.Uniform(gates * m, k, r), 0.5 * RandomMatrix.Uniform(k, m, r + 9));
                recurrences[r] = LayerPlan.Whole(m) with { Factors = factors };
                continue;
            }

            int[] kept = [.. Enumerable.Range(0, m).OrderBy(j => (j * 5 + 3 + r) % 7).Take(k).Order()];
            LayerPlan plan = new() { Units = m, Kept = kept, Fold = kind == "selector" ? null : 0.6 * RandomMatrix.Uniform(m, k, r) };
            if (kind is "offset" or "refit") plan = plan with { Offset = RandomMatrix.Uniform(m, 1, r + 3).Data };
            if (kind == "refit")
            {
                Matrix recurrent = 0.1 * RandomMatrix.Uniform(gates * k, k, r), input = 0.1 * RandomMatrix.Uniform(gates * k, inputs, r + 1);
                plan = plan with { Correction = new(recurrent, input, Bias(r + 2), Bias(r + 4)) };
                double[] Bias(int seed) => RandomMatrix.Uniform(gates * k, 1, seed).Data;
            }

            recurrences[r] = plan;
        }

        ReadoutWeights? readout = kind == "refit"
            ? new(RandomMatrix.Uniform(architecture.Outputs, architecture.Directions * keep[^1], 8), RandomMatrix.Uniform(architecture.Outputs, 1, 9).Data)
            : null;
        return new PruningPlan(kind, recurrences, readout);
    }
}
