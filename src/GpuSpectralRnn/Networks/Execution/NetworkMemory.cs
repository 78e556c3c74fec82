using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks.Execution;

/// <summary>The memory behind all passes of a network: blocks as large as the largest of them needs, taken when first asked for.</summary>
internal sealed class NetworkMemory : IDisposable
{
    private readonly Graph graph;
    private readonly IBackend backend;
    private readonly Reservation reservation;
    private readonly long[] valueSizes;
    private readonly long[] outputSizes;
    private readonly List<long> gradientSizes;
    private readonly Tensor?[] values;
    private readonly Tensor?[] outputs;
    private readonly Tensor?[] gradients;
    private readonly IDisposable?[] reserved;

    /// <summary>For passes of a plan, and for those that <paramref name="before"/> served.</summary>
    public NetworkMemory(Graph graph, IBackend backend, MemoryPlan plan, NetworkMemory? before)
    {
        (this.graph, this.backend) = (graph, backend);
        reservation = Reserve(plan.Shape).Max(before?.reservation ?? default);
        valueSizes = [.. plan.ValueSizes.Select((size, i) => Math.Max(size, before?.valueSizes[i] ?? 0))];
        outputSizes = [.. plan.OutputSizes.Select((size, i) => Math.Max(size, before?.outputSizes[i] ?? 0))];
        gradientSizes = [.. plan.GradientSizes];
        for (int i = 0; before is not null && i < before.gradientSizes.Count; i++)
        {
            if (i < gradientSizes.Count) gradientSizes[i] = Math.Max(gradientSizes[i], before.gradientSizes[i]);
            else gradientSizes.Add(before.gradientSizes[i]);
        }

        values = new Tensor?[valueSizes.Length];
        outputs = new Tensor?[outputSizes.Length];
        gradients = new Tensor?[gradientSizes.Count];
        reserved = [.. graph.Nodes.Select(node => node.Module.Reserve(node.Scope, backend, reservation))];
    }

    /// <summary>Whether there is room for a plan's passes.</summary>
    public bool Serves(MemoryPlan plan) =>
        reservation.Max(Reserve(plan.Shape)) == reservation
        && plan.ValueSizes.Zip(valueSizes).All(pair => pair.First <= pair.Second)
        && plan.OutputSizes.Zip(outputSizes).All(pair => pair.First <= pair.Second)
        && plan.GradientSizes.Count <= gradientSizes.Count
        && plan.GradientSizes.Zip(gradientSizes).All(pair => pair.First <= pair.Second);

    /// <summary>What a module reserved.</summary>
    public IDisposable? Reserved(int node) => reserved[node];

    /// <summary>The block of a module's output.</summary>
    public Tensor Value(int node) => values[node] ??= Allocate(valueSizes[node], graph.Nodes[node].Output.Name);

    /// <summary>The copy of an output.</summary>
    public Tensor Output(int index) => outputs[index] ??= Allocate(outputSizes[index], graph.Outputs[index].Name);

    /// <summary>A block of gradients.</summary>
    public Tensor Gradient(int block) => gradients[block] ??= Allocate(gradientSizes[block], "a gradient");

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDisposable? memory in reserved) memory?.Dispose();
        foreach (Tensor? tensor in values) tensor?.Dispose();
        foreach (Tensor? tensor in outputs) tensor?.Dispose();
        foreach (Tensor? tensor in gradients) tensor?.Dispose();
    }

    private static Reservation Reserve(PassShape shape) => new((long)shape.MostSteps * shape.Batch, shape.Batch, shape.IsTraining);

    private Tensor Allocate(long count, string what) => count <= int.MaxValue
        ? backend.Allocate(new Shape((int)count))
        : throw new InvalidCallException(
            $"{reservation.Cells} steps x sequences need {count} activations for {what}, more than {int.MaxValue}; choose a smaller batch.");
}
