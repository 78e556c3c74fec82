namespace GpuSpectralRnn.Networks;

/// <summary>How a module meets the units of an axis: the whole of what pruning must know of it.</summary>
/// <param name="Axis">The axis.</param>
public abstract record UnitUse(UnitAxis Axis);

/// <summary>The module makes the units: unit j is entry <c>g * Size + j</c> of the parameter's rows, or of its columns, for every block g.</summary>
/// <param name="Axis">The axis.</param>
/// <param name="Parameter">A parameter's name.</param>
/// <param name="Blocks">How many blocks of the axis' size are stacked: a cell's gates.</param>
/// <param name="IsColumns">Whether units are columns of the parameter, as an embedding's are.</param>
public sealed record Produces(UnitAxis Axis, string Parameter, int Blocks = 1, bool IsColumns = false) : UnitUse(Axis);

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
