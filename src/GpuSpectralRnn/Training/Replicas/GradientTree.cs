using System.Numerics;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>
/// Adds the gradients of a batch's shards by a balanced tree, ((0 + 1) + (2 + 3)) + ...: those of this member on its device, one after another, then those
/// of the group. Holds log2 of the member's shards times the gradients.
/// </summary>
/// <param name="network">Whose gradients they are.</param>
/// <param name="plan">The shards.</param>
internal sealed class GradientTree(Network network, ReplicaPlan plan) : IDisposable
{
    private readonly Parameters parameters = network.Parameters;
    private readonly int count = plan.OwnSlices.Count;
    private readonly List<Tensor[]> levels = []; // sums of 1, 2, 4, ... shards that wait for their neighbours
    private float[] staging = [];

    /// <summary>Takes the gradients of a shard; after the last one they are the sums of all members' shards.</summary>
    /// <param name="shard">0, 1, ... of this member.</param>
    public void Add(int shard)
    {
        Tensor[] gradients = parameters.AllGradients;
        int done = BitOperations.TrailingZeroCount(shard + 1); // the levels that this shard completes
        for (int level = 0; level < done; level++)
        {
            for (int i = 0; i < gradients.Length; i++) network.Backend.Elementwise.AddScaled(1, levels[level][i], gradients[i]);
        }

        if (shard + 1 < count)
        {
            if (levels.Count == done) levels.Add([.. gradients.Select(gradient => network.Backend.Allocate(gradient.Shape))]);
            for (int i = 0; i < gradients.Length; i++) network.Backend.Copy(gradients[i], levels[done][i]);
        }
        else
        {
            foreach (Tensor gradient in gradients) SumOverMembers(gradient);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in levels.SelectMany(level => level)) tensor.Dispose();
    }

    private void SumOverMembers(Tensor gradient)
    {
        if (plan.Replicas.Size == 1) return;
        if (network.Backend is HostBackend host)
        {
            plan.Replicas.Sum(host.Values(gradient));
            return;
        }

        // Pinned, so that the device's copies are not copied once more.
        if (staging.Length < gradient.Count) staging = GC.AllocateUninitializedArray<float>((int)gradient.Count, pinned: true);
        Span<float> values = staging.AsSpan(0, (int)gradient.Count);
        gradient.CopyTo(values);
        plan.Replicas.Sum(values);
        gradient.CopyFrom<float>(values);
    }
}
