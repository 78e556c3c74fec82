namespace GpuSpectralRnn.Spectral;

/// <summary>An algorithm that selects the units to keep.</summary>
public interface ISelector
{
    /// <summary>Name in tables and charts, for example <c>greedy</c>.</summary>
    string Name { get; }

    /// <summary>Selects <paramref name="keep"/> units.</summary>
    /// <exception cref="InvalidCallException">The number is not 1 to m, or the ridge is too small for the units to be told apart.</exception>
    Selection Select(SelectionProblem problem, int keep);
}

/// <summary>The loss of a set of units.</summary>
/// <param name="Kept">Number of units kept.</param>
/// <param name="Loss">L_M.</param>
public readonly record struct LossPoint(int Kept, double Loss);

/// <summary>The selected units, and the path of the selection.</summary>
/// <param name="Kept">J, ascending.</param>
/// <param name="Loss">L_M(J), from the definition.</param>
/// <param name="Order">The units in the order of selection (backward elimination: of removal); empty for selectors without an order.</param>
/// <param name="Path">The loss after each step of <paramref name="Order"/>, and before the first.</param>
public sealed record Selection(int[] Kept, double Loss, IReadOnlyList<int> Order, IReadOnlyList<LossPoint> Path);
