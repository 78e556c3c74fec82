using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations, in double precision. A round rotates order / 2 pairs that share no row
/// at once; order - 1 rounds, a round-robin tournament over all pairs (Brent and Luk, SIAM J. Sci. Stat. Comput. 6, 1985), make a sweep.
/// </summary>
public sealed class Jacobi(KernelLoader loader)
{
    private const int MostSweeps = 40;

    private readonly Launcher<Angles> angles = loader.Items<Angles>();
    private readonly Launcher<Rotate> rotate = loader.Items<Rotate>();

    /// <summary>Diagonalises a matrix.</summary>
    /// <param name="stream">Where to run; the call waits for it.</param>
    /// <param name="order">An even number.</param>
    /// <param name="matrix">[order, order], symmetric; replaced by the diagonal of eigenvalues.</param>
    /// <param name="vectors">[order, order]; receives an eigenvector per row.</param>
    /// <param name="threshold">Off-diagonal elements of this magnitude or less count as zero.</param>
    /// <param name="graphs">Used to repeat the launches of a sweep, where the device supports it.</param>
    /// <returns>Whether all off-diagonal elements fell to the threshold within 40 sweeps.</returns>
    public bool Run(AcceleratorStream stream, int order, Span<double> matrix, Span<double> vectors, double threshold, LaunchGraphs graphs)
    {
        int half = order / 2;
        int count = order * order;
        vectors.Clear();
        for (int i = 0; i < order; i++) vectors[i * order + i] = 1;
        using MemoryBuffer matrixMemory = loader.Memory.Allocate(count, sizeof(double));
        using MemoryBuffer vectorMemory = loader.Memory.Allocate(count, sizeof(double));
        using MemoryBuffer rotationMemory = loader.Memory.Allocate(order, sizeof(double));
        using MemoryBuffer rotatedMemory = loader.Memory.Allocate(half, sizeof(int));
        ArrayView<double> a = matrixMemory.AsArrayView<double>(0, count);
        ArrayView<double> v = vectorMemory.AsArrayView<double>(0, count);
        ArrayView<double> rotations = rotationMemory.AsArrayView<double>(0, order); // [half, 2]: cosine and sine
        ArrayView<int> rotated = rotatedMemory.AsArrayView<int>(0, half);
        a.CopyFromCPU(stream, (ReadOnlySpan<double>)matrix);
        v.CopyFromCPU(stream, (ReadOnlySpan<double>)vectors);
        int[] counts = new int[half];
        bool isDone = false;
        LaunchGraph? graph = null;
        for (int sweep = 0; sweep < MostSweeps && !isDone; sweep++)
        {
            rotated.MemSetToZero(stream);
            if (sweep == 1) graph = graphs.Record(Sweep); // not the first: its kernels may not be loaded yet
            if (graph is null || !graphs.Launch(graph)) Sweep();
            rotated.CopyToCPU(stream, counts.AsSpan());
            isDone = counts.All(n => n == 0);
        }

        if (graph is not null) graphs.Release(graph);
        a.CopyToCPU(stream, matrix);
        v.CopyToCPU(stream, vectors);
        return isDone;

        void Sweep()
        {
            for (int round = 0; round < order - 1; round++)
            {
                angles(stream, half, new(a, rotations, rotated, order, round, threshold));
                rotate(stream, half * (half + order), new(a, v, rotations, order, round));
            }
        }
    }

    /// <summary>One item, the rotation that makes the element of one pair zero; none where it is small already.</summary>
    [Kernel(GroupSize = 32)]
    internal readonly struct Angles(
        ArrayView<double> a, // [order, order]
        ArrayView<double> rotations, // [half, 2]
        ArrayView<int> rotated, // [half]
        int order,
        int round,
        double threshold)
        : IItemKernel
    {
        public void Run(int item)
        {
            int p = First(item, round, order);
            int q = Second(item, round, order);
            double off = a[p * order + q];
            double c = 1.0;
            double s = 0.0;
            if (Math.Abs(off) > threshold)
            {
                double tau = (a[q * order + q] - a[p * order + p]) / (2.0 * off);
                double root = Math.Sqrt(1.0 + tau * tau);
                double t = tau < 0.0 ? -1.0 / (root - tau) : 1.0 / (root + tau);
                c = 1.0 / Math.Sqrt(1.0 + t * t);
                s = t * c;
                rotated[item]++;
            }

            rotations[2 * item] = c;
            rotations[2 * item + 1] = s;
        }
    }

    /// <summary>
    /// Applies all rotations of a round. The first half x half items: the 2 x 2 elements where the rows of one pair cross the columns of another,
    /// and their mirror image; the others: one column of the vectors, rows of one pair.
    /// </summary>
    internal readonly struct Rotate(
        ArrayView<double> a, // [order, order]
        ArrayView<double> vectors, // [order, order], a vector per row
        ArrayView<double> rotations, // [half, 2]
        int order,
        int round)
        : IItemKernel
    {
        public void Run(int item)
        {
            int half = order / 2;
            if (item >= half * half)
            {
                int place = item - half * half;
                int pair = place / order;
                int column = place % order;
                double cosine = rotations[2 * pair];
                double sine = rotations[2 * pair + 1];
                int first = First(pair, round, order) * order + column;
                int second = Second(pair, round, order) * order + column;
                double x = vectors[first];
                double y = vectors[second];
                vectors[first] = cosine * x - sine * y;
                vectors[second] = sine * x + cosine * y;
                return;
            }

            int left = item / half;
            int right = item % half;
            if (left > right) return;
            int p = First(left, round, order);
            int q = Second(left, round, order);
            int u = First(right, round, order);
            int v = Second(right, round, order);
            double c = rotations[2 * left];
            double s = rotations[2 * left + 1];
            double d = rotations[2 * right];
            double e = rotations[2 * right + 1];
            double pu = a[p * order + u];
            double pv = a[p * order + v];
            double qu = a[q * order + u];
            double qv = a[q * order + v];
            double pu1 = c * pu - s * qu;
            double pv1 = c * pv - s * qv;
            double qu1 = s * pu + c * qu;
            double qv1 = s * pv + c * qv;
            bool isZeroed = left == right && s != 0.0;
            pu = d * pu1 - e * pv1;
            pv = isZeroed ? 0.0 : e * pu1 + d * pv1;
            qu = isZeroed ? 0.0 : d * qu1 - e * qv1;
            qv = e * qu1 + d * qv1;
            a[p * order + u] = pu;
            a[p * order + v] = pv;
            a[q * order + u] = qu;
            a[q * order + v] = qv;
            a[u * order + p] = pu;
            a[v * order + p] = pv;
            a[u * order + q] = qu;
            a[v * order + q] = qv;
        }
    }

    // The tournament by the circle method: the last one stays in its place, the others move on by one place a round.
    private static int First(int pair, int round, int order) => pair == 0 ? order - 1 : (round + pair) % (order - 1);

    private static int Second(int pair, int round, int order) => pair == 0 ? round : (round + order - 1 - pair) % (order - 1);
}
