using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>A batch for a graph of <see cref="ModuleGraph"/>, and a random linear functional of its outputs, which does not see padding.</summary>
internal sealed class ModuleBatch : IDisposable
{
    private static readonly int[] Lengths = [4, 0, 2], OtherLengths = [2, 3, 0];
    private readonly IBackend backend;
    private readonly Graph graph;
    private readonly bool hasLengths;
    private readonly List<Tensor> owned = [];

    /// <summary>Random fields.</summary>
    public ModuleBatch(IBackend backend, Graph graph, bool hasLengths, int padding = 0)
    {
        (this.backend, this.graph, this.hasLengths) = (backend, graph, hasLengths);
        SequenceField[] fields = [.. graph.Fields.Select(field => Make(field, padding))];
        Fields = new SequenceBatch(fields) { IsWhole = true };
        OutputGradients = [.. graph.Outputs.Select(Functional)];
    }

    /// <summary>What the network takes.</summary>
    public SequenceBatch Fields { get; }

    /// <summary>dL/d outputs.</summary>
    public float[][] OutputGradients { get; }

    /// <summary>The same with other numbers and tokens beyond the lengths.</summary>
    public ModuleBatch WithOtherPadding() => new(backend, graph, hasLengths, padding: 1);

    /// <summary>L.</summary>
    public double Loss(float[][] outputs) => outputs.Zip(OutputGradients).Sum(pair => pair.First.Zip(pair.Second).Sum(at => (double)at.First * at.Second));

    /// <summary>An output with zeros where nothing counts.</summary>
    public float[] Valid(int output, float[] values) => [.. values.Select((value, i) => Counts(graph.Outputs[output], i) ? value : 0)];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in owned) tensor.Dispose();
    }

    private static int StepsOf(string? field) => field == "y" ? ModuleGraph.OtherSteps : ModuleGraph.Steps;

    private bool Counts(Value value, int index)
    {
        if (!hasLengths || value.Kind == ValueKind.Vector) return true;
        if (value.Kind == ValueKind.Scores) return index % StepsOf(value.Field) < (value.Field == "y" ? OtherLengths : Lengths)[index / StepsOf(value.Field)];
        int cell = index / Math.Max(1, value.Width);
        return cell / ModuleGraph.Batch < (value.Field == "y" ? OtherLengths : Lengths)[cell % ModuleGraph.Batch];
    }

    private float[] Functional(Value output, int index)
    {
        int count = ModuleGraph.Batch * Math.Max(1, output.Width) * (output.Kind == ValueKind.Vector ? 1 : StepsOf(output.Field));
        return [.. Numbers.Normal(count, 70 + index).Select((value, i) => Counts(output, i) ? value : 0)];
    }

    // Words of 0 to W characters, whatever the sequences' lengths.
    private SequenceField MakeCharacters(int padding)
    {
        int words = ModuleGraph.Steps * ModuleGraph.Batch;
        int[] lengths = Numbers.Integers(words, 91, 0, ModuleGraph.Characters + 1);
        int[] characters = Numbers.Integers(ModuleGraph.Characters * words, 92, 1, ModuleGraph.Vocabulary);
        Tensor values = Keep(backend.Allocate(new Shape(ModuleGraph.Characters, ModuleGraph.Steps, ModuleGraph.Batch), ElementType.Int32));
        values.CopyFrom<int>([.. characters.Select((own, i) => i / words < lengths[i % words] ? own : padding * own)]);
        Tensor counts = Keep(backend.Allocate(new Shape(ModuleGraph.Steps, ModuleGraph.Batch), ElementType.Int32));
        counts.CopyFrom<int>(lengths);
        return new SequenceField(values, counts);
    }

    private SequenceField Make(Field field, int padding)
    {
        if (field.CharactersOf is not null) return MakeCharacters(padding);
        Value value = graph.Value(field.Name);
        int cells = StepsOf(field.Name) * ModuleGraph.Batch, seed = field.Name[0];
        Tensor values;
        if (field.Vocabulary > 0)
        {
            int[] tokens = Numbers.Integers(cells, seed, 0, ModuleGraph.Vocabulary);
            values = Keep(backend.Allocate(new Shape(StepsOf(field.Name), ModuleGraph.Batch), ElementType.Int32));
            values.CopyFrom<int>([.. tokens.Select((token, i) => Counts(value, i) ? token : padding * (i % ModuleGraph.Vocabulary))]);
        }
        else
        {
            float[] numbers = Numbers.Normal(cells * value.Width, seed);
            values = Keep(backend.Allocate(new Shape(StepsOf(field.Name), ModuleGraph.Batch, value.Width)));
            values.CopyFrom<float>([.. numbers.Select((number, i) => Counts(value, i) ? number : padding * (3 + number))]);
        }

        if (!hasLengths) return new SequenceField(values);
        Tensor lengths = Keep(backend.Allocate(new Shape(ModuleGraph.Batch), ElementType.Int32));
        lengths.CopyFrom<int>(field.Name == "y" ? OtherLengths : Lengths);
        return new SequenceField(values, lengths);
    }

    private Tensor Keep(Tensor tensor)
    {
        owned.Add(tensor);
        return tensor;
    }
}
