using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// A number z_j for every unit of an axis, by which everyone who reads the unit sees it: W diag(z) on the columns of every matrix that reads the axis
/// linearly. A unit whose number is zero is gone for everybody, so that a network with gates and the one sliced to the units that are left, folded by
/// diag(z), are the same. No recurrent kernel knows of it. Made by <see cref="Parameters.AddGates"/>; the parameters own it. Files keep weights without
/// gates.
/// </summary>
public sealed class UnitGates : WeightTransform
{
    private readonly Parameters parameters;
    private readonly List<GatedMatrix> matrices = [];
    private Tensor? gradients;

    internal UnitGates(Parameters parameters, UnitAxis axis)
    {
        (this.parameters, Axis) = (parameters, axis);
        Values = parameters.Backend.Allocate(new Shape(axis.Size));
        parameters.Backend.Fill(Values, 1);
    }

    /// <summary>The axis.</summary>
    public UnitAxis Axis { get; }

    /// <summary>z [units]; ones at first. The next forward pass sees what is written here.</summary>
    public Tensor Values { get; }

    /// <summary>
    /// dL/dz [units]: a backward pass adds to it; fill it with zero before a new step. Allocated (zero) when first asked for, and by the first backward
    /// pass.
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
            foreach (int column in matrix.Columns) parameters.Backend.Matrix.ScaleColumns(new(matrix.Source, column, Values, matrix.Formed));
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
                operations.ColumnDots(new(matrix.Source, gradient, column, Gradients));
                operations.ScaleColumns(new(gradient, column, Values, gradient));
            }

            Tensor below = parameters.FormedGradient(matrix.Readers[0], matrix.Name, this);
            operations.CopyColumns(new(gradient, 0, below, 0, gradient.Shape.Columns, Adds: true));
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
    /// Finds the matrices that read the axis, as the transforms before this one form them. Modules that read the same numbers through the same columns
    /// have one matrix.
    /// </summary>
    internal void Connect(Graph graph)
    {
        Release();
        foreach (Node node in graph.Nodes)
        {
            IEnumerable<ReadsLinearly> reads = node.Uses.OfType<ReadsLinearly>().Where(use => use.Axis == Axis);
            foreach (IGrouping<string, ReadsLinearly> uses in reads.GroupBy(use => use.Parameter))
            {
                int[] columns = [.. uses.Select(use => use.FirstColumn).Distinct().Order()];
                Tensor source = parameters.Formed(node, uses.Key, this);
                GatedMatrix? known = matrices.Find(
                    matrix => matrix.Name == uses.Key && ReferenceEquals(matrix.Source, source) && matrix.Columns.SequenceEqual(columns));
                if (known is null) matrices.Add(known = new GatedMatrix(uses.Key, source, columns, parameters.Backend.Allocate(source.Shape)));
                known.Readers.Add(node);
            }
        }
    }

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
