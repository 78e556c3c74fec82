using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>Networks whose recurrent matrices are kept as two factors.</summary>
public sealed class FactoredNetworkTests : IDisposable
{
    private readonly HostBackend host = new(2);

    public void Dispose() => host.Dispose();

    private static Architecture Factored => new() { Cell = Cell.RnnTanh, Inputs = 3, Hidden = [5, 4], RecurrentRank = [2, 0], Outputs = 2 };

    [Fact]
    public void Sizes_are_those_of_the_factors()
    {
        Architecture whole = Factored with { RecurrentRank = null };

        Assert.Equal(whole.ParameterCount - 25 + 20, Factored.ParameterCount);
        Assert.Equal(whole.MultiplyAddsPerStep - 25 + 20, Factored.MultiplyAddsPerStep);
        Assert.NotEqual(whole, Factored);
        Assert.Equal(Factored, Architecture.FromJson(Factored.ToJson()));
        Assert.Throws<InvalidCallException>((Factored with { RecurrentRank = [2] }).Validate);
        Assert.Throws<InvalidCallException>((Factored with { RecurrentRank = [6, 0] }).Validate);
    }

    [Fact]
    public void Gradients_of_the_factors_agree_with_finite_differences()
    {
        using Network network = Make();
        const int Steps = 4, Batch = 3;
        double[] input = Numbers.Normal(Steps * Batch * 3, 7).ToDoubles(), v = Numbers.Normal(Batch * 2, 8).ToDoubles();
        Dictionary<string, double[]> parameters =
            network.Parameters.Slots.ToDictionary(slot => slot.Name, slot => network.Parameters.Read(slot.Name).ToDoubles());
        using Tensor x = host.Allocate(new Shape(Steps, Batch, 3));
        x.CopyFrom<float>(Array.ConvertAll(input, value => (float)value));

        // Twice: what a first backward pass left behind must not count again.
        for (int pass = 0; pass < 2; pass++)
        {
            Tensor outputs = network.Forward(x, isTraining: true);
            Close.Equal(Outputs(parameters, input, Steps, Batch), outputs, 1e-5, 1e-6, "outputs"); // some ten roundings
            host.Fill(network.Parameters.Gradients, 0);
            outputs.CopyFrom<float>(Array.ConvertAll(v, value => (float)value));
            network.Backward(outputs);
        }

        foreach (string name in parameters.Keys)
        {
            double[] expected =
                FiniteDifferences.Gradient(() => Outputs(parameters, input, Steps, Batch).Zip(v, (f, d) => f * d).Sum(), parameters[name]);
            Close.Equal(expected, network.Parameters.Gradient(name), 1e-5, 3e-6, name); // single precision through 4 steps and 2 layers
        }
    }

    [Fact]
    public void Files_keep_the_factors()
    {
        using Network network = Make();
        string path = Path.Combine(Path.GetTempPath(), $"factored-{Guid.NewGuid():N}.safetensors");
        try
        {
            ModelFile.Save(path, network);
            using Network loaded = ModelFile.Load(path, host);
            Assert.Equal(network.Parameters.Values.ToArray(), loaded.Parameters.Values.ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(Cell.Irnn)]
    [InlineData(Cell.RnnTanh)]
    public void Initial_factors_are_drawn(Cell cell)
    {
        using Network network = Network.Create(Factored with { Cell = cell }, host, 3);
        Assert.Contains(network.Parameters.Read("rnn.weight_hh_left_l0"), w => w != 0);
        Assert.Contains(network.Parameters.Read("rnn.weight_hh_right_l0"), w => w != 0);
    }

    private Network Make()
    {
        Network network = new(Factored, host);
        int seed = 20;
        foreach (ParameterSpec slot in network.Parameters.Slots) network.Parameters.Write(slot.Name, Numbers.Normal(slot.Shape.Count, seed++, 0.5));
        return network;
    }

    // The reference knows whole matrices only: it gets the product.
    private static double[] Outputs(Dictionary<string, double[]> parameters, double[] input, int steps, int batch)
    {
        Dictionary<string, double[]> whole = new(parameters)
        {
            ["rnn.weight_hh_l0"] =
                ReferenceMatrix.Gemm(5, 5, 2, 1, parameters["rnn.weight_hh_left_l0"], false, parameters["rnn.weight_hh_right_l0"], false),
        };
        return new ReferenceNetwork(Factored with { RecurrentRank = null }, whole).Forward(input, steps, batch);
    }
}
