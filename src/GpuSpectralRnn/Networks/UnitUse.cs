namespace GpuSpectralRnn.Networks;

/// <summary>How a module meets the units of an axis: the whole of what pruning must know of it.</summary>
/// <param name="Axis">The axis.</param>
public abstract record UnitUse(UnitAxis Axis);

/// <summary>
/// Rows of a parameter belong to units: those of unit j are g * <paramref name="Stride"/> + <paramref name="FirstRow"/> + j for every block g. They go
/// with the unit.
/// </summary>
/// <param name="Axis">The axis.</param>
/// <param name="Parameter">A parameter's name.</param>
/// <param name="Blocks">How many blocks are stacked: a cell's gates.</param>
/// <param name="FirstRow">The row of unit 0 in each block.</param>
/// <param name="Stride">Rows of a block; 0 for the axis' size.</param>
public abstract record RowsOfUnits(UnitAxis Axis, string Parameter, int Blocks = 1, int FirstRow = 0, int Stride = 0) : UnitUse(Axis);

/// <summary>The module makes the units by rows of a parameter.</summary>
public sealed record Produces(UnitAxis Axis, string Parameter, int Blocks = 1, int FirstRow = 0, int Stride = 0)
    : RowsOfUnits(Axis, Parameter, Blocks, FirstRow, Stride);

/// <summary>The module weighs every unit by entries of its own: a cell's peepholes, the weights of an attention.</summary>
public sealed record WeighsUnits(UnitAxis Axis, string Parameter, int Blocks = 1, int FirstRow = 0, int Stride = 0)
    : RowsOfUnits(Axis, Parameter, Blocks, FirstRow, Stride);

/// <summary>The module makes the units by columns of a parameter, as an embedding does.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Parameter">A parameter's name.</param>
public sealed record ProducesByColumns(UnitAxis Axis, string Parameter) : UnitUse(Axis);

/// <summary>
/// The module reads the units through columns of a parameter, W h: what stands for the units, A h_J + c, can be worked into W A and into the bias.
/// </summary>
/// <param name="Axis">The axis.</param>
/// <param name="Parameter">The name of W.</param>
/// <param name="FirstColumn">The column of unit 0.</param>
/// <param name="Bias">The name of the bias that takes W c; null where there is none.</param>
public sealed record ReadsLinearly(UnitAxis Axis, string Parameter, int FirstColumn, string? Bias) : UnitUse(Axis);

/// <summary>
/// The module reads every unit on its own (a product of two values, a nonlinearity, a highway): units can be taken away but not replaced by
/// combinations of others.
/// </summary>
/// <param name="Axis">The axis.</param>
/// <param name="TiedTo">Another axis of as many units that must keep the same ones; null for none.</param>
public sealed record ReadsByElement(UnitAxis Axis, UnitAxis? TiedTo = null) : UnitUse(Axis);

/// <summary>The units cannot be taken away: a field's features, the network's outputs.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Reason">Why, for the message.</param>
public sealed record Opaque(UnitAxis Axis, string Reason) : UnitUse(Axis);
