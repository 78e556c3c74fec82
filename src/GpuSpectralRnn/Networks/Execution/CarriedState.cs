using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks.Execution;

/// <summary>
/// The state of every recurrence of a network without reverse directions between two forward calls: where the last call started and where it ended, which change
/// places when the next one goes on.
/// </summary>
internal sealed class CarriedState : IDisposable
{
    private readonly (string Name, int Hidden, bool HasCell)[] recurrences;
    private readonly Dictionary<string, int> places = [];
    private readonly Tensor[][] memory; // two times, per recurrence h and then c where the cell has one: [capacity, H]
    private readonly int capacity;
    private RecurrentState[][] views; // two times, per recurrence [B, H]
    private bool startsAtZero = true;
    private int started; // 0 or 1: the start of the last call; the other is its end

    /// <summary>Room for up to <paramref name="batch"/> sequences.</summary>
    public CarriedState(Graph graph, IBackend backend, int batch)
    {
        capacity = batch;
        recurrences =
        [
            .. from node in graph.Nodes
               let module = node.Module as Recurrent
               where module is not null
               select (node.Module.Name, node.Output.Width, module.Cell.Spec().HasCellState),
        ];
        for (int i = 0; i < recurrences.Length; i++) places.Add(recurrences[i].Name, i);
        int[] extents = [.. recurrences.SelectMany(own => Enumerable.Repeat(own.Hidden, own.HasCell ? 2 : 1))];
        memory = [.. Enumerable.Range(0, 2).Select(_ => Array.ConvertAll(extents, hidden => backend.Allocate(new Shape(batch, hidden))))];
        views = [];
    }

    /// <summary>B of the last call; 0 before the first.</summary>
    public int Batch { get; private set; }

    /// <summary>Whether <paramref name="batch"/> sequences have room.</summary>
    public bool Serves(int batch) => batch <= capacity;

    /// <summary>Before a forward call over <paramref name="size"/> sequences: says where it starts from.</summary>
    /// <exception cref="InvalidCallException">It shall go on but the last call was over another number of sequences, or there was none.</exception>
    public void Begin(SequenceBatch batch, int size)
    {
        if ((batch.Continues || batch.IsAgain) && size != Batch)
            throw new InvalidCallException($"{size} sequences cannot go on from the state of {Batch}; start them from zero.");
        if (!batch.IsAgain)
        {
            startsAtZero = !batch.Continues;
            if (batch.Continues) started = 1 - started;
        }

        Resize(size);
    }

    /// <summary>A forward call kept no state: nothing can go on from it.</summary>
    public void Forget() => Batch = 0;

    /// <summary>Where a recurrent module starts; null for zero.</summary>
    public RecurrentState? Start(string module) => startsAtZero ? null : views[started][places[module]];

    /// <summary>Where a recurrent module ends.</summary>
    public RecurrentState End(string module) => views[1 - started][places[module]];

    /// <summary>Takes over an end state for the next call to go on from.</summary>
    public void Restore(int size, Func<string, float[]> values)
    {
        Resize(size);
        foreach ((string name, Tensor end) in Ends()) end.CopyFrom<float>(values(name));
    }

    /// <summary>The end of the last call: names (<c>h_l0</c>, <c>c_l0</c>) and tensors [B, H].</summary>
    public IEnumerable<(string Name, Tensor Values)> Ends() =>
        Batch == 0 ? [] : recurrences.SelectMany(own => Named(own.Name, End(own.Name)));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in memory.SelectMany(m => m)) tensor.Dispose();
    }

    private static IEnumerable<(string Name, Tensor Values)> Named(string module, RecurrentState state)
    {
        yield return ($"h_{module}", state.Hidden);
        if (state.Cell is not null) yield return ($"c_{module}", state.Cell);
    }

    private void Resize(int size)
    {
        if (size == Batch) return;
        Batch = size;
        views = Array.ConvertAll(memory, View);
    }

    private RecurrentState[] View(Tensor[] tensors)
    {
        int at = 0;
        return Array.ConvertAll(recurrences, own =>
        {
            Tensor hidden = tensors[at++].View(0, Batch, own.Hidden);
            return new RecurrentState(hidden, own.HasCell ? tensors[at++].View(0, Batch, own.Hidden) : null);
        });
    }
}
