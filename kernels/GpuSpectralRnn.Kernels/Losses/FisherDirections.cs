using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Random directions of a classifier's logits in its Fisher metric, row by row: u = diag(s) z - p (s . z) with p = softmax(logits), s = sqrt(p) and z
/// of N(0, I) has the covariance diag(p) - p p^T.
/// </summary>
public sealed class FisherDirections
{
    private const int MostGroups = 1024;

    private readonly Launcher<ByRows> byRows;
    private readonly Launcher<ByGroups>? byGroups;

    /// <summary>Loads the kernels.</summary>
    public FisherDirections(KernelLoader loader)
    {
        byRows = loader.Elements<ByRows>();
        if (loader.CanShare(GroupSums.Threads)) byGroups = loader.Groups<ByGroups>();
    }

    /// <summary>Replaces logits by u.</summary>
    /// <param name="stream">Where to run.</param>
    /// <param name="logits">[rows, classes].</param>
    /// <param name="normals">z [rows, classes].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="classes">Number of classes.</param>
    public void Run(AcceleratorStream stream, ArrayView<float> logits, ArrayView<float> normals, int rows, int classes)
    {
        int inGroups = byGroups is null ? 0 : SoftmaxGroups.GroupsFor(classes, Math.Min(rows, MostGroups));
        if (inGroups > 0) byGroups!(stream, inGroups, new(logits, normals, rows, classes, inGroups));
        else byRows(stream, rows, new(logits, normals, classes));
    }

    private static float Direction(float share, float normal, float inner)
    {
        float root = MathF.Sqrt(share);
        return root * (normal - root * inner);
    }

    /// <summary>An element is a row.</summary>
    [Kernel(GroupSize = 32)]
    internal readonly struct ByRows(
        ArrayView<float> logits, // [rows, classes]
        ArrayView<float> normals, // [rows, classes]
        int classes)
        : IElementKernel
    {
        public void Run(int element)
        {
            int first = element * classes;
            float largest = logits[first];
            for (int j = first + 1; j < first + classes; j++)
                if (logits[j] > largest) largest = logits[j];
            float sum = 0f;
            for (int j = first; j < first + classes; j++)
            {
                float share = Elementary.Exp(logits[j] - largest);
                logits[j] = share;
                sum += share;
            }

            float inner = 0f;
            for (int j = first; j < first + classes; j++) inner += MathF.Sqrt(logits[j] / sum) * normals[j];
            for (int j = first; j < first + classes; j++) logits[j] = Direction(logits[j] / sum, normals[j], inner);
        }
    }

    /// <summary>One group, every width-th row; a thread reads back only what it wrote.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct ByGroups(
        ArrayView<float> logits, // [rows, classes]
        ArrayView<float> normals, // [rows, classes]
        int rows,
        int classes,
        int width)
        : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> values = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<int> places = SharedMemory.Allocate<int>(GroupSums.Threads);
            int me = Group.IdxX;
            for (int row = Grid.IdxX; row < rows; row += width)
            {
                int first = row * classes;
                float largest = GroupSums.Best(values, places, Largest.Find(logits, first, classes)).Value;
                float mine = 0f;
                for (int j = me; j < classes; j += GroupSums.Threads)
                {
                    float share = Elementary.Exp(logits[first + j] - largest);
                    logits[first + j] = share;
                    mine += share;
                }

                float sum = GroupSums.Sum(values, mine);
                mine = 0f;
                for (int j = me; j < classes; j += GroupSums.Threads) mine += MathF.Sqrt(logits[first + j] / sum) * normals[first + j];
                float inner = GroupSums.Sum(values, mine);
                for (int j = me; j < classes; j += GroupSums.Threads) logits[first + j] = Direction(logits[first + j] / sum, normals[first + j], inner);
            }
        }
    }
}
