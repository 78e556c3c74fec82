using GpuSpectralRnn.Onnx.Protos;

namespace GpuSpectralRnn.Onnx.Folding;

/// <summary>
/// A result of an If through which units leave a branch. What reads it outside sees the units of either branch, so that it can take them in only where
/// all branches give the same.
/// </summary>
/// <param name="Owner">The If.</param>
/// <param name="Index">Of the result.</param>
/// <param name="Body">The branch.</param>
/// <param name="Layout">Of the units in the result.</param>
internal sealed record BranchExit(NodeProto Owner, int Index, GraphProto Body, UnitLayout Layout)
{
    /// <summary>
    /// Drops paths that leave an If whose other branch does not give the same units in the same places; then those that counted on the dropped ones.
    /// </summary>
    public static void DropUnpaired(IReadOnlyList<OutputFold> folds)
    {
        while (folds.Sum(fold => fold.Paths.RemoveAll(path => !path.Exits.All(exit => exit.IsPaired(folds, fold)))) > 0)
        {
        }
    }

    private bool IsPaired(IReadOnlyList<OutputFold> folds, OutputFold own) => Graphs.GraphWalk.Bodies(Owner).All(body =>
        folds.Any(fold => fold.IsLike(own) && fold.Paths.Any(path => path.Exits.Any(exit =>
            ReferenceEquals(exit.Owner, Owner) && ReferenceEquals(exit.Body, body) && exit.Index == Index && exit.Layout.IsLike(Layout)))));
}
