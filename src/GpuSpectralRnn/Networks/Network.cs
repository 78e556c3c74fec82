using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Execution;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// A graph of modules with parameters on one backend. Memory for values and gradients is kept between calls and shared by all batch sizes; what a
/// forward call returns belongs to the network and holds until the next one.
/// </summary>
public sealed class Network : IDisposable
{
    /// <summary>Shapes kept at hand: the full batch and the last partial one, in training and in inference.</summary>
    private const int KeptShapes = 8;

    private readonly List<BoundGraph> shapes = [];
    private readonly Pass pass = new();
    private readonly bool canDrop;
    private NetworkMemory? memory;
    private BoundGraph? current;
    private CarriedState? state;
    private bool canGoBack;
    private int boundVersion; // of the parameters

    /// <summary>A network whose parameters are all zero.</summary>
    /// <exception cref="InvalidCallException">The recipe is not valid.</exception>
    public Network(Recipe recipe, IBackend backend)
    {
        Recipe = recipe;
        Backend = backend;
        Graph = recipe.Build();
        Parameters = new Parameters(Graph, backend);
        canDrop = Graph.Nodes.Any(node => node.Module is Dropout);
    }

    /// <summary>What the network is, as files say it.</summary>
    public Recipe Recipe { get; }

    /// <summary>What the network is, as modules.</summary>
    public Graph Graph { get; }

    /// <summary>The recipe of a stack.</summary>
    /// <exception cref="InvalidCallException">The network is another graph.</exception>
    public Architecture Architecture => Recipe as Architecture
        ?? throw new InvalidCallException("This works on stacks of recurrent layers under one linear read-out, and the network is another graph.");

    /// <summary>
    /// The axes whose units a budget counts (<see cref="Recipe.GroupUnits"/>), with their places in <see cref="Graph.PrunableAxes"/>: of a stack those of
    /// its recurrences.
    /// </summary>
    public IReadOnlyList<(int Index, PrunableAxis Axis)> CountedAxes
    {
        get
        {
            HashSet<string> counted = [.. Recipe.GroupUnits(Graph).SelectMany(names => names)];
            return [.. Graph.PrunableAxes.Index().Where(pair => counted.Contains(pair.Item.Name))];
        }
    }

    /// <summary>Where it computes.</summary>
    public IBackend Backend { get; }

    /// <summary>Its weights and their gradients.</summary>
    public Parameters Parameters { get; }

    /// <summary>A network with initial weights (<see cref="Initialization"/>), or all of them uniform in +- <paramref name="range"/>.</summary>
    /// <exception cref="InvalidCallException">The recipe is not valid, or the range no number above zero.</exception>
    public static Network Create(Recipe recipe, IBackend backend, ulong seed, double? range = null)
    {
        Network network = new(recipe, backend);
        network.Parameters.Values.CopyFrom<float>(Initialization.Draw(network.Graph, seed, range));
        return network;
    }

    /// <summary>Runs the network over a single field, every sequence at its full length and from zero.</summary>
    /// <param name="input">[T, B, I], or tokens [T, B].</param>
    /// <param name="isTraining">Whether <see cref="Backward(Tensor, IBackwardObserver)"/> will follow; <paramref name="input"/> must then stay as it is
    /// until then.</param>
    /// <param name="dropout">What to drop in training; nothing by default.</param>
    /// <returns>The first output (<see cref="Output"/>).</returns>
    /// <exception cref="ArgumentException">The input is not [T, B, I] of this network.</exception>
    public Tensor Forward(Tensor input, bool isTraining = false, DropoutMask dropout = default) => Forward(new SequenceBatch(input), isTraining, dropout);

    /// <summary>Runs the network.</summary>
    /// <param name="batch">Fields, lengths, and where the rows start from.</param>
    /// <param name="isTraining">Whether <see cref="Backward(Tensor, IBackwardObserver)"/> will follow; what <paramref name="batch"/> holds must then stay
    /// as it is until then.</param>
    /// <param name="dropout">What to drop in training; nothing by default.</param>
    /// <returns>
    /// The first output: of a stack logits or predictions, [B, O], or [T, B, O] for a read-out of every step, whose rows beyond a sequence's length say
    /// nothing.
    /// </returns>
    /// <exception cref="ArgumentException">The fields are not those of this network.</exception>
    /// <exception cref="InvalidCallException">
    /// The batch goes on but the last call was over another number of sequences, or a recurrence walks from the end: it would have to know that
    /// first.
    /// </exception>
    public Tensor Forward(SequenceBatch batch, bool isTraining = false, DropoutMask dropout = default)
    {
        Check(batch);
        if (batch.Continues && Graph.HasReverse)
            throw new InvalidCallException("A bidirectional network cannot carry its state from batch to batch: it walks from the end as well.");
        bool drops = isTraining && dropout.Rate > 0 && canDrop;
        current = Prepare(batch, isTraining, drops);
        (pass.Batch, pass.Mask, canGoBack) = (batch, dropout, isTraining);
        pass.State = null;
        if (!Graph.HasReverse && !batch.IsWhole)
        {
            pass.State = PrepareState(batch.Size);
            pass.State.Begin(batch, batch.Size);
        }
        else
        {
            state?.Forget();
        }

        Parameters.Form();
        current.Forward();
        return current.Outputs[0];
    }

    /// <summary>An output of the last forward call, in the order of <see cref="Graph.Outputs"/>. It holds until the next one.</summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor Output(int index) => Current.Outputs[index];

    /// <summary>Goes back from the outputs, which a loss has overwritten with their gradients.</summary>
    /// <exception cref="InvalidOperationException">No forward call for training went before.</exception>
    public void BackwardFromOutputs(IBackwardObserver? observer = null) => Backward(Current.Outputs, observer);

    /// <summary>Goes back from the only output; see <see cref="Backward(ReadOnlySpan{Tensor}, IBackwardObserver)"/>.</summary>
    public void Backward(Tensor outputGradient, IBackwardObserver? observer = null) => Backward([outputGradient], observer);

    /// <summary>
    /// Backpropagation for the last <see cref="Forward(SequenceBatch, bool, DropoutMask)"/>, which was called for training. Adds to the gradients of
    /// <see cref="Parameters"/>; fill them with zero before a new step.
    /// </summary>
    /// <param name="outputGradients">dL/d outputs, of the outputs' shapes; may be the outputs themselves, overwritten by the loss.</param>
    /// <param name="observer">Sees the gradients of each value on the way, where given.</param>
    /// <exception cref="InvalidOperationException">No forward call for training went before.</exception>
    public void Backward(ReadOnlySpan<Tensor> outputGradients, IBackwardObserver? observer = null)
    {
        if (!canGoBack || current is null || boundVersion != Parameters.Version)
            throw new InvalidOperationException("Backward needs a Forward call with isTraining before it, and the same gates.");
        if (outputGradients.Length != Graph.Outputs.Count)
            throw new ArgumentException($"{outputGradients.Length} gradients do not fit {Graph.Outputs.Count} outputs.", nameof(outputGradients));
        pass.Observer = observer;
        current.Backward(outputGradients);
        pass.Observer = null;
        Parameters.SpreadGradients();
        canGoBack = false;
    }

    /// <summary>A value of the last forward call by its name: a field, or what a module gave. It holds until the next one.</summary>
    /// <exception cref="InvalidOperationException">There was no forward call yet.</exception>
    public Tensor Values(string value) => Current.Values(value);

    /// <summary>
    /// The state [B, H] from which a recurrent module started in the last forward call; null where that was zero. It holds until the next one.
    /// </summary>
    public RecurrentState? StartOf(string module) => pass.State?.Start(module);

    /// <summary>
    /// The state in which the last forward call ended, by name (<c>h_l0</c>, <c>c_l0</c>, ...), each [B, H]; empty before the first call and for a
    /// bidirectional network. They hold until the next one.
    /// </summary>
    public IEnumerable<(string Name, Tensor Values)> CarriedState => state?.Ends() ?? [];

    /// <summary>Puts a state of <see cref="CarriedState"/> back, for the next forward call to go on from.</summary>
    /// <param name="batch">B.</param>
    /// <param name="values">Gives the [B, H] numbers of a name.</param>
    /// <exception cref="ArgumentException">The numbers are not B H.</exception>
    public void RestoreState(int batch, Func<string, float[]> values) => PrepareState(batch).Restore(batch, values);

    /// <summary>
    /// Changes the state that the next call goes on from for another one, so that several streams take turns in one network. The caller owns what it gets,
    /// null where there was none.
    /// </summary>
    internal CarriedState? Exchange(CarriedState? other)
    {
        (CarriedState? before, state) = (state, other);
        return before;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ReleaseMemory();
        state?.Dispose();
        Parameters.Dispose();
    }

    /// <summary>For example <c>irnn 28-128-10 on host</c>.</summary>
    public override string ToString() => $"{Recipe.Title} on {Backend.Device.Id}";

    private BoundGraph Current => current ?? throw new InvalidOperationException("Values are there after a forward call.");

    private void Check(SequenceBatch batch)
    {
        if (batch.FieldCount != Graph.Fields.Count)
            throw new ArgumentException($"The batch has {batch.FieldCount} fields; this network takes {Graph.Fields.Count}.", nameof(batch));
        for (int i = 0; i < batch.FieldCount; i++)
        {
            Tensor input = batch[i].Values;
            Value field = Graph.Value(Graph.Fields[i].Name);
            if (field.Kind == ValueKind.Characters)
            {
                CheckCharacters(batch, i, Graph.FieldIndex(field));
                continue;
            }

            bool fits = field.Kind == ValueKind.Tokens
                ? input.Type == ElementType.Int32 && input.Shape.Rank == 2
                : input.Shape.Rank == 3 && input.Shape[2] == field.Width;
            if (fits && input.Count > 0 && input.Shape[1] == batch.Size) continue;
            string takes = field.Kind == ValueKind.Tokens ? "Int32 tokens [T, B]" : $"[T, B, {field.Width}]";
            throw new ArgumentException($"The input is {input}; this network takes {takes} with T and B of one or more.", nameof(batch));
        }
    }

    private static void CheckCharacters(SequenceBatch batch, int place, int words)
    {
        (Tensor input, Tensor? lengths) = batch[place];
        int steps = batch[words].Steps;
        bool fits = input.Type == ElementType.Int32 && input.Shape.Rank == 3 && input.Shape[0] > 0
            && (input.Shape[1], input.Shape[2]) == (steps, batch.Size)
            && lengths is { Type: ElementType.Int32, Shape.Rank: 2 } && (lengths.Shape[0], lengths.Shape[1]) == (steps, batch.Size);
        if (!fits)
            throw new ArgumentException(
                $"The characters are {input}, and of each word {lengths?.ToString() ?? "no number"}; "
                + $"they must be Int32 [W, {steps}, {batch.Size}] and Int32 [{steps}, {batch.Size}].",
                nameof(batch));
    }

    private CarriedState PrepareState(int batch)
    {
        if (state is not null && state.Serves(batch)) return state;
        state?.Dispose();
        return state = new CarriedState(Graph, Backend, batch);
    }

    private BoundGraph Prepare(SequenceBatch batch, bool isTraining, bool drops)
    {
        if (boundVersion != Parameters.Version) ReleaseShapes();
        boundVersion = Parameters.Version;
        for (int i = 0; i < shapes.Count; i++)
        {
            BoundGraph known = shapes[i];
            if (!known.Shape.IsOf(batch, isTraining, drops)) continue;
            shapes.RemoveAt(i);
            shapes.Add(known);
            return known;
        }

        MemoryPlan plan = new(Graph, new PassShape(batch, isTraining, drops));
        if (memory is null || !memory.Serves(plan))
        {
            NetworkMemory? before = memory;
            ReleaseMemory();
            memory = new NetworkMemory(Graph, Backend, plan, before);
        }

        if (shapes.Count == KeptShapes)
        {
            shapes[0].Dispose();
            shapes.RemoveAt(0);
        }

        BoundGraph bound = new(Graph, Backend, Parameters, memory, plan, pass);
        shapes.Add(bound);
        return bound;
    }

    private void ReleaseMemory()
    {
        ReleaseShapes();
        memory?.Dispose();
        memory = null;
    }

    private void ReleaseShapes()
    {
        foreach (BoundGraph shape in shapes) shape.Dispose();
        shapes.Clear();
        current = null;
    }
}
