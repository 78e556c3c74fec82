using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>How long sequences of a batch are.</summary>
public readonly struct StepLengths(ArrayView<int>? lengths, int steps, int batch)
{
    /// <summary>T, the steps that there is room for.</summary>
    public readonly int Steps = steps;

    /// <summary>B.</summary>
    public readonly int Batch = batch;

    private readonly ArrayView<int> valid = lengths ?? default; // [B]
    private readonly int hasLengths = lengths is null ? 0 : 1;

    /// <summary>The valid steps of a sequence.</summary>
    public int Of(int sequence)
    {
        int count = Steps;
        if (hasLengths != 0) count = valid[sequence];
        return count;
    }
}

/// <summary>
/// Softmax over each sequence's valid steps: short sequences one item each, long ones a group of 256 each, where groups share memory. Sums have a fixed
/// order.
/// </summary>
public sealed class SoftmaxOverSteps
{
    private const int LeastSteps = 2 * GroupSums.Threads; // fewer leave too many threads idle

    private readonly bool canShare;
    private readonly Launcher<Items> items;
    private readonly Launcher<ItemsBackward> itemsBackward;
    private readonly Lazy<Launcher<Groups>> groups;
    private readonly Lazy<Launcher<GroupsBackward>> groupsBackward;

    /// <summary>Loads the kernels.</summary>
    public SoftmaxOverSteps(KernelLoader loader)
    {
        canShare = loader.CanShare(GroupSums.Threads);
        items = loader.Elements<Items>();
        itemsBackward = loader.Elements<ItemsBackward>();
        groups = new(() => loader.Groups<Groups>());
        groupsBackward = new(() => loader.Groups<GroupsBackward>());
    }

    /// <summary>y[t, b] = softmax of x[t, b] over t below L_b, zero beyond; x and y [T, B], may be the same.</summary>
    public void Run(AcceleratorStream stream, ArrayView<float> x, ArrayView<float> y, StepLengths lengths)
    {
        if (canShare && lengths.Steps >= LeastSteps) groups.Value(stream, lengths.Batch, new(x, y, lengths));
        else items(stream, lengths.Batch, new(x, y, lengths));
    }

    /// <summary>inputGradient[t, b] = y[t, b] (d[t, b] - sum_s y[s, b] d[s, b]), zero beyond L_b; all [T, B], inputGradient may be d.</summary>
    public void RunBackward(AcceleratorStream stream, ArrayView<float> y, ArrayView<float> d, ArrayView<float> inputGradient, StepLengths lengths)
    {
        if (canShare && lengths.Steps >= LeastSteps) groupsBackward.Value(stream, lengths.Batch, new(y, d, inputGradient, lengths));
        else itemsBackward(stream, lengths.Batch, new(y, d, inputGradient, lengths));
    }

    /// <summary>An element is a sequence.</summary>
    internal readonly struct Items(ArrayView<float> x, ArrayView<float> y, StepLengths lengths) : IElementKernel
    {
        public void Run(int element)
        {
            int batch = lengths.Batch;
            int end = lengths.Of(element) * batch;
            float largest = float.NegativeInfinity;
            for (int i = element; i < end; i += batch)
            {
                float value = x[i];
                if (value > largest) largest = value;
            }

            float sum = 0f;
            for (int i = element; i < end; i += batch)
            {
                float term = Elementary.Exp(x[i] - largest);
                y[i] = term;
                sum += term;
            }

            int place = element;
            for (; place < end; place += batch) y[place] /= sum;
            for (; place < lengths.Steps * batch; place += batch) y[place] = 0f;
        }
    }

    /// <summary>An element is a sequence.</summary>
    internal readonly struct ItemsBackward(ArrayView<float> y, ArrayView<float> d, ArrayView<float> inputGradient, StepLengths lengths) : IElementKernel
    {
        public void Run(int element)
        {
            int batch = lengths.Batch;
            int end = lengths.Of(element) * batch;
            float sum = 0f;
            for (int i = element; i < end; i += batch) sum += y[i] * d[i];
            int place = element;
            for (; place < end; place += batch) inputGradient[place] = y[place] * (d[place] - sum);
            for (; place < lengths.Steps * batch; place += batch) inputGradient[place] = 0f;
        }
    }

    /// <summary>A group is a sequence; a thread has every 256th step.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct Groups(ArrayView<float> x, ArrayView<float> y, StepLengths lengths) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> shared = SharedMemory.Allocate<float>(GroupSums.Threads);
            ArrayView<int> places = SharedMemory.Allocate<int>(GroupSums.Threads);
            int batch = lengths.Batch;
            int sequence = Grid.IdxX;
            int count = lengths.Of(sequence);
            Largest mine = new() { Value = float.NegativeInfinity, Place = 0 };
            for (int t = Group.IdxX; t < count; t += GroupSums.Threads)
            {
                float value = x[t * batch + sequence];
                if (value > mine.Value) mine.Value = value;
            }

            float largest = GroupSums.Best(shared, places, mine).Value;
            float part = 0f;
            for (int t = Group.IdxX; t < count; t += GroupSums.Threads)
            {
                float term = Elementary.Exp(x[t * batch + sequence] - largest);
                y[t * batch + sequence] = term;
                part += term;
            }

            float sum = GroupSums.Sum(shared, part);
            int step = Group.IdxX;
            for (; step < count; step += GroupSums.Threads) y[step * batch + sequence] /= sum;
            for (; step < lengths.Steps; step += GroupSums.Threads) y[step * batch + sequence] = 0f;
        }
    }

    /// <summary>A group is a sequence; a thread has every 256th step.</summary>
    [Kernel(GroupSize = GroupSums.Threads)]
    internal readonly struct GroupsBackward(ArrayView<float> y, ArrayView<float> d, ArrayView<float> inputGradient, StepLengths lengths) : IGroupKernel
    {
        public void Run()
        {
            ArrayView<float> shared = SharedMemory.Allocate<float>(GroupSums.Threads);
            int batch = lengths.Batch;
            int sequence = Grid.IdxX;
            int count = lengths.Of(sequence);
            float part = 0f;
            for (int t = Group.IdxX; t < count; t += GroupSums.Threads) part += y[t * batch + sequence] * d[t * batch + sequence];
            float sum = GroupSums.Sum(shared, part);
            int step = Group.IdxX;
            for (; step < count; step += GroupSums.Threads)
            {
                int place = step * batch + sequence;
                inputGradient[place] = y[place] * (d[place] - sum);
            }

            for (; step < lengths.Steps; step += GroupSums.Threads) inputGradient[step * batch + sequence] = 0f;
        }
    }
}
