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

    public static TheoryData<Cell, string, string, Readout, string> Plans()
    {
        TheoryData<Cell, string, string, Readout, string> data = new();
        foreach (Cell cell in Enum.GetValues<Cell>())
        {
            foreach (Readout readout in Enum.GetValues<Readout>())
            {
                foreach (string kind in (string[])["selector", "fold", "offset", "refit"])
                {
                    data.Add(cell, "5", "3", readout, kind);
                    data.Add(cell, "7,4", "1,3", readout, kind);
                    data.Add(cell, "6,5,4", "4,2,4", readout, kind);
                }

                data.Add(cell, "5,3", "5,3", readout, "mask");
                data.Add(cell, "5,3", "2,3", readout, "factors");
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Plans))]
    public void The_sliced_network_gives_the_outputs_of_the_masked_one(Cell cell, string hidden, string keep, Readout readout, string kind)
    {
        using Network network = TestNetworks.Make(host, cell, Sizes(hidden), readout);
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
        PruningPlan plan = Make(network, [3], "fold"), other = plan with { Layers = [plan.Layers[0] with { Kept = [0, 1, 2] }] };
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

        (int[] j, Matrix a) = (plan.Layers[0].Kept, plan.Layers[0].Fold!);
        (int[] above, Matrix b) = (plan.Layers[1].Kept, plan.Layers[1].Fold!);
        Assert.Equal((weights.Layers[0].Hidden.SelectRows(j) * a).Data, sliced.Layers[0].Hidden.Data);
        Assert.Equal(weights.Layers[0].Input.SelectRows(j).Data, sliced.Layers[0].Input.Data);
        Assert.Equal((weights.Layers[1].Input.SelectRows(above) * a).Data, sliced.Layers[1].Input.Data);
        Assert.Equal((weights.Readout.Weight * b).Data, sliced.Readout.Weight.Data);
        Assert.Equal(weights.Readout.Bias, sliced.Readout.Bias);
        Assert.Equal([.. above.Select(i => weights.Layers[1].HiddenBias[i])], sliced.Layers[1].HiddenBias);
    }

    [Fact]
    public void A_plan_of_another_network_is_refused()
    {
        using Network network = TestNetworks.Make(host, Cell.RnnTanh, [4], Readout.Last);
        using Network other = TestNetworks.Make(host, Cell.RnnTanh, [5], Readout.Last);
        PruningPlan plan = Make(network, [2], "fold");

        Assert.Throws<ArgumentException>(() => Slicer.Slice(other, plan));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Layers = [plan.Layers[0], plan.Layers[0]] }));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Layers = [plan.Layers[0] with { Kept = [2, 1] }] }));
        Assert.Throws<ArgumentException>(() => Slicer.Slice(network, plan with { Layers = [plan.Layers[0] with { Fold = new Matrix(4, 3) }] }));
    }

    private static int[] Sizes(string sizes) => [.. sizes.Split(',').Select(int.Parse)];

    private static PruningPlan Make(Network network, int[] keep, string kind)
    {
        Architecture architecture = network.Architecture;
        int gates = architecture.Cell.Gates();
        LayerPlan[] layers = new LayerPlan[keep.Length];
        for (int l = 0; l < keep.Length; l++)
        {
            (int m, int k, int inputs) = (architecture.Hidden[l], keep[l], l == 0 ? architecture.Inputs : keep[l - 1]);
            if (kind == "mask")
            {
                Matrix mask = new(gates * m, m);
                for (int i = 0; i < mask.Data.Length; i++) mask.Data[i] = i % 3 == 0 ? 0 : 1;
                layers[l] = LayerPlan.Whole(m) with { Mask = mask };
                continue;
            }

            if (kind == "factors")
            {
                Factors factors = new(0.5 * RandomMatrix.Uniform(gates * m, k, l), 0.5 * RandomMatrix.Uniform(k, m, l + 9));
                layers[l] = LayerPlan.Whole(m) with { Factors = factors };
                continue;
            }

            int[] kept = [.. Enumerable.Range(0, m).OrderBy(j => (j * 5 + 3) % 7).Take(k).Order()];
            layers[l] = new LayerPlan { Units = m, Kept = kept, Fold = kind == "selector" ? null : 0.6 * RandomMatrix.Uniform(m, k, l) };
            if (kind is "offset" or "refit") layers[l] = layers[l] with { Offset = RandomMatrix.Uniform(m, 1, l + 3).Data };
            if (kind != "refit") continue;
            Matrix recurrent = 0.1 * RandomMatrix.Uniform(gates * k, k, l), input = 0.1 * RandomMatrix.Uniform(gates * k, inputs, l + 1);
            layers[l] = layers[l] with { Correction = new(recurrent, input, RandomMatrix.Uniform(gates * k, 1, l + 2).Data) };
        }

        ReadoutWeights? readout = kind == "refit"
            ? new(RandomMatrix.Uniform(architecture.Outputs, keep[^1], 8), RandomMatrix.Uniform(architecture.Outputs, 1, 9).Data)
            : null;
        return new PruningPlan(kind, layers, readout);
    }
}
