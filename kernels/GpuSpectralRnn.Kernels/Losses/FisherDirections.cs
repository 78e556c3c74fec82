using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>Arguments of Fisher directions. As <see cref="GramRows"/>, without padding.</summary>
public readonly struct FisherArguments(ArrayView<float> logits, ArrayView<float> normals, int rows, int classes)
{
    /// <summary>[rows, classes]; becomes u.</summary>
    public readonly ArrayView<float> Logits = logits;

    /// <summary>z [rows, classes].</summary>
    public readonly ArrayView<float> Normals = normals;

    /// <summary>Number of rows.</summary>
    public readonly int Rows = rows;

    /// <summary>Number of classes.</summary>
    public readonly int Classes = classes;
}

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
    public void Run(AcceleratorStream stream, in FisherArguments arguments)
    {
        int rows = arguments.Rows;
        int inGroups = byGroups is null ? 0 : SoftmaxGroups.GroupsFor(arguments.Classes, Math.Min(rows, MostGroups));
        if (inGroups > 0) byGroups!(stream, inGroups, new(arguments, inGroups));
        else byRows(stream, rows, new(arguments));
    }

    private static float Direction(float share, float normal, float inner)
    {
        float root = MathF.Sqrt(share);
        return root * (normal - root * inner);
    }

    /// <summary>An element is a row.</summary>
    [Kernel(GroupSize = 32)]
    internal readonly struct ByRows(FisherArguments a) : IElementKernel
    {
        public void Run(int element)
        {
            int first = element * a.Classes;
            float largest = a.Logits[first];
            for (int j = first + 1; j < first + a.Classes; j++)
                if (a.Logits[j] > largest) largest = a.Logits[j];
            float sum = 0f;
            for (int j = first; j < first + a.Classes; j++)
            {
                float share = Elementary.Exp(a.Logits[j] - largest);
                a.Logits[j] = share;
                sum += share;
            }

            float inner = 0f;
            for (int j = first; j < first + a.Classes; j++) inner += MathF.Sqrt(a.Logits[j] / sum) * a.Normals[j];
            for (int j = first; j < first + a.Classes; j++) a.Logits[j] = Direction(a.Logits[j] / sum, a.Normals[j], inner);
        }
    }

    /// <summary>One group, every width-th row; a thread reads back only what it wrote.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct ByGroups(FisherArguments a, int width) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> values = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<int> places = SharedMemory.Allocate<int>(GroupSums.Threads);
            int me = Group.IdxX;
            for (int row = Grid.IdxX; row < a.Rows; row += width)
            {
                int first = row * a.Classes;
                float largest = GroupSums.Best(values, places, Largest.Find(a.Logits, first, a.Classes)).Value;
                float mine = 0f;
                for (int j = me; j < a.Classes; j += GroupSums.Threads)
                {
                    float share = Elementary.Exp(a.Logits[first + j] - largest);
                    a.Logits[first + j] = share;
                    mine += share;
                }

                float sum = GroupSums.Sum(values, mine);
                mine = 0f;
                for (int j = me; j < a.Classes; j += GroupSums.Threads) mine += MathF.Sqrt(a.Logits[first + j] / sum) * a.Normals[first + j];
                float inner = GroupSums.Sum(values, mine);
                for (int j = me; j < a.Classes; j += GroupSums.Threads)
                    a.Logits[first + j] = Direction(a.Logits[first + j] / sum, a.Normals[first + j], inner);
            }
        }
    }
}
