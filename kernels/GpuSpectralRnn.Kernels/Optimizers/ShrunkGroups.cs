using ILGPU;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// The proximal step of a trimmed group lasso: the factor by which every group of weights shrinks, 1 - amount penalty / sqrt(squares + 1e-8), 0 where that
/// is not above 0 or the norm below the threshold; 1 for the <c>least</c> largest of the open groups. A group that is closed stays so. Item 0 counts the
/// groups that were open.
/// </summary>
public readonly struct ShrunkGroups(
    ArrayView<float> squares, // [groups]
    ArrayView<float> before, // [groups], factors of the step before; 0: closed
    ArrayView<float> penalty, // [1]
    ArrayView<float> scale, // [1], of the threshold
    ArrayView<float> factors, // [groups]
    ArrayView<float> count, // [1]
    float amount,
    float threshold,
    int least,
    int groups)
    : IElementKernel
{
    /// <inheritdoc/>
    public void Run(int element)
    {
        int open = 0;
        int rank = 0; // open groups that are larger
        float square = squares[element];
        for (int i = 0; i < groups; i++)
        {
            int isOpen = before[i] != 0f ? 1 : 0;
            bool isLarger = squares[i] > square || (squares[i] == square && i < element);
            open += isOpen;
            rank += isLarger ? isOpen : 0;
        }

        if (element == 0) count[0] = open;
        float norm = MathF.Sqrt(square + 1e-8f);
        float factor = 1f - amount * penalty[0] / norm;
        if (factor <= 0f || norm < threshold * scale[0]) factor = 0f;
        if (rank < least) factor = 1f;
        factors[element] = before[element] != 0f ? factor : 0f;
    }
}
