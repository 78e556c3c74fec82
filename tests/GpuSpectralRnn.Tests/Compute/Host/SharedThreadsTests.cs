using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Host;

public sealed class SharedThreadsTests
{
    [Fact]
    public void The_number_of_threads_changes_no_bit_of_what_the_processor_does_for_all_devices()
    {
        int before = Devices.ProcessorThreads;
        try
        {
            List<double[]> results = [];
            foreach (int threads in (int[])[1, 2, 5])
            {
                Devices.ProcessorThreads = threads;
                Assert.Equal(threads, Devices.ProcessorThreads);
                results.Add(Work());
            }

            Assert.All(results, result => Assert.Equal(results[0], result));
            Assert.Contains("0 threads", Assert.Throws<InvalidCallException>(() => Devices.ProcessorThreads = 0).Message);
        }
        finally
        {
            Devices.ProcessorThreads = before;
        }
    }

    [Fact]
    public async Task Two_flows_of_control_have_different_numbers_of_threads_at_the_same_time()
    {
        int before = Devices.ProcessorThreads;
        using Barrier bothHaveChosen = new(2);

        int[] seen = await Task.WhenAll(Task.Run(() => Choose(3)), Task.Run(() => Choose(5)));

        Assert.Equal([3, 5], seen);
        Assert.Equal(before, Devices.ProcessorThreads);

        int Choose(int threads)
        {
            Devices.ProcessorThreads = threads;
            Assert.True(bothHaveChosen.SignalAndWait(TimeSpan.FromSeconds(60)));
            return Task.Run(() => Devices.ProcessorThreads).Result; // what it starts inherits the choice
        }
    }

    // A product, an eigendecomposition and a selection, large enough for several threads.
    private static double[] Work()
    {
        Matrix states = Matrix.From(300, 200, Numbers.Normal(300 * 200, 1)), gram = Matrix.Product(states, states, transposeA: true);
        SelectionProblem problem = new(gram, Ridge.Uniform(gram, 1e-4), Matrix.Identity(200));
        Selection chosen = new GreedySelector().Select(problem, 20);
        return [.. gram.Data, .. SymmetricEigen.Compute(gram).Values, .. chosen.Path.Select(point => point.Loss)];
    }
}
