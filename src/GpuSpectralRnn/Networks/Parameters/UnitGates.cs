using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// A number z_j for every unit of an axis, by which everyone who reads the unit sees it: W diag(z) on the columns of every matrix that reads the axis
/// linearly. A unit whose number is zero is gone for everybody, so that a network with gates and the one sliced to the units that are left, folded by
/// diag(z), are the same. No recurrent kernel knows of it. Made by <see cref="Parameters.AddGates(string)"/>; the parameters own it. Files keep
/// weights without gates.
/// <para>
/// Where modules read units one by one, or together with those of other axes (an attention, a highway), the gates may be those of all axes that are
/// tied: what such a module hands on has the same units, whose readers see them through the gates, and the weights by which it weighs a unit itself
/// are multiplied like a column.
/// </para>
/// </summary>
public sealed class UnitGates : WeightTransform
{
    private readonly Parameters parameters;
    private readonly List<GatedMatrix> matrices = [];
    private Tensor? gradients;

    internal UnitGates(Parameters parameters, UnitAxis axis, IReadOnlyList<UnitAxis> tied)
    {
        (this.parameters, Axis, Axes) = (parameters, axis, [axis, .. tied]);
        Values = parameters.Backend.Allocate(new Shape(axis.Size));
        parameters.Backend.Fill(Values, 1);
    }

    /// <summary>The axis.</summary>
    public UnitAxis Axis { get; }

    /// <summary>The axis, and those whose units have the same gates.</summary>
    public IReadOnlyList<UnitAxis> Axes { get; }

    /// <summary>z [units]; ones at first. The next forward pass sees what is written here.</summary>
    public Tensor Values { get; }

    /// <summary>
    /// dL/dz [units]: a backward pass adds to it; fill it with zero before a new step. Allocated (zero) when first asked for, and by the first
    /// backward pass.
    /// </summary>
    public Tensor Gradients => gradients ??= parameters.Backend.Allocate(Values.Shape);

    /// <inheritdoc/>
    public override Tensor? Formed(Node reader, string name) => Find(reader, name)?.Formed;

    /// <inheritdoc/>
    public override Tensor? FormedGradient(Node reader, string name) =>
        Find(reader, name) is { } matrix ? matrix.Gradient ??= parameters.Backend.Allocate(matrix.Formed.Shape) : null;

    /// <inheritdoc/>
    public override void Form()
    {
        foreach (GatedMatrix matrix in matrices)
        {
            parameters.Backend.Copy(matrix.Source, matrix.Formed);
            foreach (int column in matrix.Columns) parameters.Backend.Matrix.ScaleColumns(new(Rows(matrix.Source), column, Values, Rows(matrix.Formed)));
        }
    }

    /// <inheritdoc/>
    /// <remarks>dz_j is the sum of the inner products of the columns of W and dW', and dW = dW' diag(z).</remarks>
    public override void SpreadGradients()
    {
        IMatrixOps operations = parameters.Backend.Matrix;
        foreach (GatedMatrix matrix in matrices)
        {
            if (matrix.Gradient is not { } gradient) continue;
            foreach (int column in matrix.Columns)
            {
                operations.ColumnDots(new(Rows(matrix.Source), Rows(gradient), column, Gradients));
                operations.ScaleColumns(new(Rows(gradient), column, Values, Rows(gradient)));
            }

            Tensor below = Rows(parameters.FormedGradient(matrix.Readers[0], matrix.Name, this));
            operations.CopyColumns(new(Rows(gradient), 0, below, 0, below.Shape.Columns, Adds: true));
            parameters.Backend.Fill(gradient, 0);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Release();
        Values.Dispose();
        gradients?.Dispose();
    }

    /// <summary>For example <c>gates of 128 units of l0</c>.</summary>
    public override string ToString() => $"gates of {Axis.Size} units of {Axis.Name}";

    /// <summary>
    /// Finds the matrices that read the axis, as the transforms before this one form them. Modules that read the same numbers through the same
    /// columns have one matrix.
    /// </summary>
    internal void Connect(Graph graph)
    {
        Release();
        foreach (Node node in graph.Nodes)
        {
            foreach ((string name, int[] columns) in Columns(node, Axes))
            {
                Tensor source = parameters.Formed(node, name, this);
                GatedMatrix? known = matrices.Find(
                    matrix => matrix.Name == name && ReferenceEquals(matrix.Source, source) && matrix.Columns.SequenceEqual(columns));
                if (known is null) matrices.Add(known = new GatedMatrix(name, source, columns, parameters.Backend.Allocate(source.Shape)));
                known.Readers.Add(node);
            }
        }
    }

    /// <summary>
    /// The parameters through which a module reads the units of axes, each with the columns of the units of number 0; of a vector that weighs units
    /// its entries, as columns of a matrix of one row. A cell's peepholes weigh its own units before anybody reads them and are not among them.
    /// </summary>
    internal static IEnumerable<(string Parameter, int[] Columns)> Columns(Node node, IReadOnlyList<UnitAxis> axes) =>
        from read in node.Uses.OfType<ReadsLinearly>().Where(use => axes.Contains(use.Axis)).Select(use => (use.Parameter, use.FirstColumn))
            .Concat(
                from weighs in node.Uses.OfType<WeighsUnits>()
                where axes.Contains(weighs.Axis) && !node.Uses.OfType<Produces>().Any(made => made.Axis == weighs.Axis)
                from block in Enumerable.Range(0, weighs.Blocks)
                select (weighs.Parameter, FirstColumn: (block * (weighs.Stride == 0 ? weighs.Axis.Size : weighs.Stride)) + weighs.FirstRow))
        group read.FirstColumn by read.Parameter into columns
        select (columns.Key, (int[])[.. columns.Distinct().Order()]);

    private static Tensor Rows(Tensor weights) => weights.Shape.Rank == 1 ? weights.View(0, 1, (int)weights.Count) : weights;

    private GatedMatrix? Find(Node reader, string name) => matrices.Find(matrix => matrix.Name == name && matrix.Readers.Contains(reader));

    private void Release()
    {
        foreach (GatedMatrix matrix in matrices)
        {
            matrix.Formed.Dispose();
            matrix.Gradient?.Dispose();
        }

        matrices.Clear();
    }

    // W' = W diag(z) on the columns from each of some places on.
    private sealed record GatedMatrix(string Name, Tensor Source, int[] Columns, Tensor Formed)
    {
        public List<Node> Readers { get; } = [];

        public Tensor? Gradient { get; set; }
    }
}
