using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// All weights of each unit of an axis as one group, or of axes that must keep the same units: the rows that make the unit, the entries that weigh it and
/// the columns that read it, of every module; biases apart. A weight from a unit to itself is in its row and in its column, and counts in both.
/// </summary>
internal sealed class UnitGroups : IDisposable
{
    private readonly IBackend backend;
    private readonly RowGroups[] rows;
    private readonly (Tensor Weights, int From)[] columns;
    private readonly Tensor squares, factors, count;

    /// <summary>Finds the weights; every group is open.</summary>
    public UnitGroups(Network network, IReadOnlyList<string> axes)
    {
        (backend, Axes) = (network.Backend, axes);
        Units = network.Graph.Axis(axes[0]).Size;
        (squares, factors, Before) = (Allocate(Units), Allocate(Units), Allocate(Units));
        (count, Penalty, Scale) = (Allocate(1), Allocate(1), Allocate(1));
        backend.Fill(Before, 1);
        List<RowGroups> ofRows = [];
        List<(Tensor, int)> ofColumns = [];
        HashSet<(string, bool, int)> seen = []; // modules that share weights meet them alike
        foreach (Node node in network.Graph.Nodes)
        {
            foreach (UnitUse use in node.Uses.Where(use => axes.Contains(use.Axis.Name)))
            {
                switch (use)
                {
                    case RowsOfUnits made when (made is not Produces || !node.Vectors.Contains(made.Parameter)) && seen.Add((made.Parameter, true, made.FirstRow)):
                        Tensor matrix = network.Parameters[made.Parameter];
                        if (matrix.Shape.Rank == 1) matrix = matrix.View(0, (int)matrix.Count, 1);
                        ofRows.Add(new(matrix, squares, made.Blocks, made.FirstRow, made.Stride == 0 ? Units : made.Stride));
                        break;
                    case ProducesByColumns table when seen.Add((table.Parameter, false, 0)):
                        ofColumns.Add((network.Parameters[table.Parameter], 0));
                        break;
                    case ReadsLinearly read when seen.Add((read.Parameter, false, read.FirstColumn)):
                        ofColumns.Add((network.Parameters[read.Parameter], read.FirstColumn));
                        break;
                }
            }
        }

        (rows, columns) = ([.. ofRows], [.. ofColumns]);
    }

    /// <summary>The axes.</summary>
    public IReadOnlyList<string> Axes { get; }

    /// <summary>m, the number of groups.</summary>
    public int Units { get; }

    /// <summary>The factors of the last step [m], ones at first; 0: closed for good.</summary>
    public Tensor Before { get; }

    /// <summary>What a step's amount is multiplied by [1].</summary>
    public Tensor Penalty { get; }

    /// <summary>The mean norm of a group at the start [1].</summary>
    public Tensor Scale { get; }

    /// <summary>Sums up the squares of every group.</summary>
    public void SumSquares()
    {
        backend.Fill(squares, 0);
        foreach (RowGroups part in rows) backend.Matrix.AddRowSquares(part);
        foreach ((Tensor weights, int from) in columns) backend.Matrix.ColumnDots(new(weights, weights, from, squares));
    }

    /// <summary>The norm of every group; reads the device.</summary>
    public float[] ReadNorms()
    {
        SumSquares();
        return Array.ConvertAll(squares.ToArray(), MathF.Sqrt);
    }

    /// <summary>The groups that are open; reads the device.</summary>
    public int CountOpen() => Before.ToArray().Count(factor => factor != 0);

    /// <summary>Shrinks all groups by their squares as they were summed up last.</summary>
    public void Shrink(GroupShrinkNumbers numbers)
    {
        backend.Optimizer.ShrinkGroups(new(squares, Before, Penalty, Scale, factors, count, numbers));
        foreach (RowGroups part in rows) backend.Matrix.ScaleRows(part with { Units = factors });
        foreach ((Tensor weights, int from) in columns) backend.Matrix.ScaleColumns(new(weights, from, factors, weights));
        backend.Copy(factors, Before);
    }

    /// <summary>penalty += gain scale (open groups before the last step - wanted), at least 0.</summary>
    public void MovePenalty(float gain, float wanted)
    {
        backend.Elementwise.AddMultiple(new(gain, count, Scale, Penalty));
        backend.Elementwise.AddMultiple(new(-gain * wanted, Scale, null, Penalty));
        backend.Elementwise.Activate(ActivationKind.Relu, Penalty, Penalty);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in (Tensor[])[squares, factors, count, Before, Penalty, Scale]) tensor.Dispose();
    }

    private Tensor Allocate(int extent) => backend.Allocate(new Shape(extent));
}
