using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Products for OpenCL on the processor. An item adds four terms at a time to a panel of C, 4 rows of up to 128 columns, in place: the compiler
/// vectorises the loop over columns, the panel stays in the level-1 cache, and each number read from it takes part in four multiply-adds.
/// </summary>
internal sealed class GemmPanels(KernelLoader loader)
{
    /// <summary>Rows of a panel.</summary>
    public const int Rows = 4;

    private const int Widest = 128;
    private const int Narrowest = 32;
    private const int PanelsPerMultiprocessor = 4;
    private const int CachedNumbers = 1 << 16; // of B: all items with the same columns read them, out of the second cache

    private readonly Launcher<Panels> multiply = loader.Groups<Panels>();

    /// <summary>C = alpha op(A) B + beta C.</summary>
    public void Run(AcceleratorStream stream, GemmArguments arguments)
    {
        int down = (arguments.M + Rows - 1) / Rows;
        int across = (arguments.N + Widest - 1) / Widest;
        while (down * across < PanelsPerMultiprocessor * loader.Multiprocessors && arguments.N > across * Narrowest) across *= 2;

        // Equal panels of whole vectors.
        int width = ((arguments.N + across - 1) / across + 15) / 16 * 16;
        across = (arguments.N + width - 1) / width;
        int terms = CachedNumbers / width;
        for (int from = 0; from == 0 || from < arguments.K; from += terms)
        {
            multiply(stream, down * across, new(Terms(arguments, from, Math.Min(terms, arguments.K - from)), width));
            arguments.Beta = 1f;
        }
    }

    // Some of K's terms only.
    private static GemmArguments Terms(GemmArguments arguments, int from, int count)
    {
        long left = (long)from * arguments.A.Step;
        long right = (long)from * arguments.B.Step;
        arguments.Left = arguments.Left.SubView(left, arguments.Left.Length - left);
        arguments.Right = arguments.Right.SubView(right, arguments.Right.Length - right);
        arguments.K = count;
        return arguments;
    }

    /// <summary>
    /// One item, 4 rows of a number of columns. Neighbouring items have the same columns: what they need of B stays in the caches.
    /// </summary>
    [Kernel(GroupSize = 1)]
    internal readonly struct Panels(GemmArguments e, int width) : IGroupKernel
    {
        public void Run()
        {
            int down = (e.M + Rows - 1) / Rows;
            int row = Grid.IdxX % down * Rows;
            int from = Grid.IdxX / down * width;
            int columns = from + width < e.N ? width : e.N - from;
            int rows = row + Rows < e.M ? Rows : e.M - row;
            int place = row * e.N + from;
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++) e.C[place + i * e.N + j] = e.Beta == 0f ? 0f : e.Beta * e.C[place + i * e.N + j];
            }

            int k = 0;
            if (rows == Rows)
            {
                QuadIndices lines = QuadIndices.Create(row, 1, e.M, e.A.LineStride);
                for (; k + 4 <= e.K; k += 4)
                {
                    RegisterTile factors = default; // [k, row]
                    factors.Row0 = lines.Load(e.Left, k * e.A.Step).Times(e.Alpha);
                    factors.Row1 = lines.Load(e.Left, (k + 1) * e.A.Step).Times(e.Alpha);
                    factors.Row2 = lines.Load(e.Left, (k + 2) * e.A.Step).Times(e.Alpha);
                    factors.Row3 = lines.Load(e.Left, (k + 3) * e.A.Step).Times(e.Alpha);
                    Add(factors, e.Right, k * e.N + from, e.C, place, e.N, columns);
                }
            }

            for (int i = 0; i < rows; i++)
            {
                for (int rest = k; rest < e.K; rest++)
                {
                    float factor = e.Alpha * e.Left[(row + i) * e.A.LineStride + rest * e.A.Step];
                    for (int j = 0; j < columns; j++) e.C[place + i * e.N + j] += factor * e.Right[rest * e.N + from + j];
                }
            }
        }
    }

    // Four terms of four rows.
    private static void Add(RegisterTile factors, ArrayView<float> b, int term, ArrayView<float> c, int row, int pitch, int columns)
    {
        for (int j = 0; j < columns; j++)
        {
            float b0 = b[term + j];
            float b1 = b[term + pitch + j];
            float b2 = b[term + 2 * pitch + j];
            float b3 = b[term + 3 * pitch + j];
            c[row + j] = c[row + j] + factors.Row0.X * b0 + factors.Row1.X * b1 + factors.Row2.X * b2 + factors.Row3.X * b3;
            c[row + pitch + j] = c[row + pitch + j] + factors.Row0.Y * b0 + factors.Row1.Y * b1 + factors.Row2.Y * b2 + factors.Row3.Y * b3;
            c[row + 2 * pitch + j] = c[row + 2 * pitch + j] + factors.Row0.Z * b0 + factors.Row1.Z * b1 + factors.Row2.Z * b2 + factors.Row3.Z * b3;
            c[row + 3 * pitch + j] = c[row + 3 * pitch + j] + factors.Row0.W * b0 + factors.Row1.W * b1 + factors.Row2.W * b2 + factors.Row3.W * b3;
        }
    }
}
