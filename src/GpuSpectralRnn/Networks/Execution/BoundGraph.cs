using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks.Execution;

/// <summary>A graph with its operands for one shape of passes: windows on the network's memory, and the backend's workspaces.</summary>
internal sealed class BoundGraph : IDisposable
{
    private readonly Graph graph;
    private readonly IBackend backend;
    private readonly MemoryPlan plan;
    private readonly Pass pass;
    private readonly Dictionary<string, ValueSlot> slots = [];
    private readonly ValueSlot[] fieldSlots;
    private readonly ValueSlot[] outputSlots;
    private readonly Tensor[] outputs;
    private readonly ModuleRun?[] runs;
    private readonly List<(Tensor From, ValueSlot To)>[] sums; // what is added to a gradient after a module went back
    private readonly bool[] hasExternalGradient;
    private readonly bool[] addsGradient; // to that of an output before, which is the same value

    /// <summary>Binds all modules; memory that is not there yet is taken.</summary>
    public BoundGraph(Graph graph, IBackend backend, Parameters parameters, NetworkMemory memory, MemoryPlan plan, Pass pass)
    {
        (this.graph, this.backend, this.plan, this.pass) = (graph, backend, plan, pass);
        runs = new ModuleRun?[graph.Nodes.Count];
        sums = new List<(Tensor, ValueSlot)>[graph.Nodes.Count];
        fieldSlots = [.. graph.Fields.Select(field => slots[field.Name] = new ValueSlot { Value = graph.Value(field.Name) })];
        Tensor?[][] inputGradients = [.. graph.Nodes.Select(node => new Tensor?[node.Inputs.Count])];
        try
        {
            foreach (Node node in graph.Nodes) Bind(node, parameters, memory, inputGradients[node.Index]);
        }
        catch
        {
            Dispose();
            throw;
        }

        outputSlots = [.. graph.Outputs.Select(output => slots[output.Name])];
        outputs = [.. outputSlots.Select((slot, i) => plan.OutputSizes[i] > 0 ? View(memory.Output(i), slot.Value) : slot.Values)];
        addsGradient = [.. outputSlots.Select((slot, i) => outputSlots.AsSpan(0, i).Contains(slot))];
        hasExternalGradient = [.. outputSlots.Select(slot => !plan.Gradients.ContainsKey(plan.Root(slot.Value.Name)))];
        if (plan.Shape.IsTraining) BindGradients(memory, inputGradients);
    }

    /// <summary>What it serves.</summary>
    public PassShape Shape => plan.Shape;

    /// <summary>The numbers of a value.</summary>
    public Tensor Values(string value) => slots[value].Values;

    /// <summary>The numbers of the outputs.</summary>
    public ReadOnlySpan<Tensor> Outputs => outputs;

    /// <summary>Runs all modules.</summary>
    public void Forward()
    {
        for (int i = 0; i < fieldSlots.Length; i++) fieldSlots[i].Values = pass.Batch[i].Values;
        foreach (ModuleRun? run in runs) run?.Forward();
        for (int i = 0; i < outputs.Length; i++)
            if (plan.OutputSizes[i] > 0) backend.Copy(outputSlots[i].Values, outputs[i]);
    }

    /// <summary>Runs all modules back.</summary>
    /// <param name="outputGradients">dL/d outputs, which may be used up.</param>
    public void Backward(ReadOnlySpan<Tensor> outputGradients)
    {
        for (int i = 0; i < outputSlots.Length; i++)
        {
            if (addsGradient[i]) Add(outputGradients[i], outputSlots[i].Gradient!);
            else if (hasExternalGradient[i]) outputSlots[i].Gradient = outputGradients[i];
            else backend.Copy(outputGradients[i], outputSlots[i].Gradient!);
        }

        for (int i = runs.Length - 1; i >= 0; i--)
        {
            if (runs[i] is not { } run || !plan.IsDifferentiable(graph.Nodes[i].Output)) continue;
            ValueSlot output = slots[graph.Nodes[i].Output.Name];
            if (output.Gradient is null) continue;
            pass.Observer?.Gradient(graph.Nodes[i].Output, output.Gradient, output.GradientFrom);
            run.Backward();
            foreach ((Tensor from, ValueSlot to) in sums[i]) Add(from, to.Gradient!);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ModuleRun? run in runs) run?.Dispose();
    }

    private void Bind(Node node, Parameters parameters, NetworkMemory memory, Tensor?[] inputGradients)
    {
        Placement placement = plan.Placements[node.Index];
        sums[node.Index] = [];
        if (placement == Placement.Input)
        {
            slots.Add(node.Output.Name, slots[node.Inputs[0].Name]);
            return;
        }

        ValueSlot output = new() { Value = node.Output };
        ValueSlot[] inputs = [.. node.Inputs.Select(input => slots[input.Name])];
        slots.Add(node.Output.Name, output);
        runs[node.Index] = node.Module.Bind(new ModuleBinding
        {
            Backend = backend,
            Parameters = parameters,
            Node = node,
            Shape = plan.Shape,
            Pass = pass,
            Inputs = inputs,
            Output = output,
            InputGradients = inputGradients,
            Memory = memory.Reserved(node.Index),
            Placement = placement,
            SharesGradient = plan.SharesGradient[node.Index],
            TakeOutput = () => View(memory.Value(node.Index), node.Output),
        });
        output.Values ??= placement switch
        {
            Placement.OverInput => inputs[0].Values,
            Placement.LastStep => inputs[0].Values.Slice(inputs[0].Values.Shape[0] - 1),
            Placement.FirstStep => inputs[0].Values.Slice(0),
            _ => View(memory.Value(node.Index), node.Output),
        };
    }

    private void BindGradients(NetworkMemory memory, Tensor?[][] inputGradients)
    {
        foreach ((string name, int block) in plan.Gradients) slots[name].Gradient = View(memory.Gradient(block), slots[name].Value);
        foreach (Node node in graph.Nodes)
        {
            int[] edges = plan.Edges[node.Index];
            for (int i = 0; i < edges.Length; i++)
            {
                ValueSlot input = slots[node.Inputs[i].Name];
                if (edges[i] == MemoryPlan.NoGradient) continue;
                if (edges[i] >= 0)
                {
                    Tensor part = View(memory.Gradient(edges[i]), input.Value);
                    inputGradients[node.Index][i] = part;
                    if (plan.IsDifferentiable(input.Value)) sums[node.Index].Add((part, input));
                    continue;
                }

                inputGradients[node.Index][i] = input.Gradient;
                if (!plan.SharesGradient[node.Index]) continue;

                // One step of the input's gradient is the output's; the steps walked before it have none.
                int steps = input.Gradient!.Shape[0];
                input.GradientFrom = steps - 1;
                slots[node.Output.Name].Gradient = input.Gradient.Slice(plan.Placements[node.Index] == Placement.LastStep ? steps - 1 : 0);
            }
        }
    }

    private void Add(Tensor from, Tensor to) => backend.Matrix.CopyColumns(new(from, 0, to, 0, from.Shape.Columns, Adds: true));

    private Tensor View(Tensor block, Value value) => value.Kind switch
    {
        ValueKind.Vector => block.View(0, plan.Shape.Batch, value.Width),
        ValueKind.Scores => block.View(0, plan.Shape.Batch, plan.Shape.Steps(graph.FieldIndex(value))),
        _ => block.View(0, plan.Shape.Steps(graph.FieldIndex(value)), plan.Shape.Batch, value.Width),
    };
}
