using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Models;

/// <summary>
/// The state of every layer of a network of one direction between two forward calls: where the last call started and where it ended, which change
/// places when the next one goes on.
/// </summary>
internal sealed class CarriedState : IDisposable
{
    private readonly Architecture architecture;
    private readonly Tensor[][] memory; // two times, per layer h and then c where the cell has one: [capacity, H]
    private readonly int capacity;
    private RecurrentState[][] views; // two times, per layer [B, H]
    private bool startsAtZero = true;
    private int started; // 0 or 1: the start of the last call; the other is its end

    /// <summary>Room for up to <paramref name="batch"/> sequences.</summary>
    public CarriedState(Architecture architecture, IBackend backend, int batch)
    {
        (this.architecture, capacity) = (architecture, batch);
        int[] extents = [.. architecture.Hidden.SelectMany(hidden => Enumerable.Repeat(hidden, HasCells ? 2 : 1))];
        memory = [.. Enumerable.Range(0, 2).Select(_ => Array.ConvertAll(extents, hidden => backend.Allocate(new Shape(batch, hidden))))];
        views = [];
    }

    /// <summary>B of the last call; 0 before the first.</summary>
    public int Batch { get; private set; }

    private bool HasCells => architecture.Cell.Spec().HasCellState;

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

    /// <summary>Where layer <paramref name="layer"/> starts; null for zero.</summary>
    public RecurrentState? Start(int layer) => startsAtZero ? null : views[started][layer];

    /// <summary>Where layer <paramref name="layer"/> ends.</summary>
    public RecurrentState End(int layer) => views[1 - started][layer];

    /// <summary>Takes over an end state for the next call to go on from.</summary>
    public void Restore(int size, Func<string, float[]> values)
    {
        Resize(size);
        foreach ((string name, Tensor end) in Ends()) end.CopyFrom<float>(values(name));
    }

    /// <summary>The end of the last call: names (<c>h_l0</c>, <c>c_l0</c>) and tensors [B, H].</summary>
    public IEnumerable<(string Name, Tensor Values)> Ends() =>
        Batch == 0 ? [] : Enumerable.Range(0, architecture.Layers).SelectMany(layer => Named(layer, End(layer)));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in memory.SelectMany(m => m)) tensor.Dispose();
    }

    private static IEnumerable<(string Name, Tensor Values)> Named(int layer, RecurrentState state)
    {
        yield return ($"h_l{layer}", state.Hidden);
        if (state.Cell is not null) yield return ($"c_l{layer}", state.Cell);
    }

    private void Resize(int size)
    {
        if (size == Batch) return;
        Batch = size;
        views = Array.ConvertAll(memory, tensors => Enumerable.Range(0, architecture.Layers).Select(layer => View(tensors, layer)).ToArray());
    }

    private RecurrentState View(Tensor[] tensors, int layer)
    {
        int hidden = architecture.Hidden[layer];
        return HasCells
            ? new RecurrentState(tensors[2 * layer].View(0, Batch, hidden), tensors[2 * layer + 1].View(0, Batch, hidden))
            : new RecurrentState(tensors[layer].View(0, Batch, hidden));
    }
}
