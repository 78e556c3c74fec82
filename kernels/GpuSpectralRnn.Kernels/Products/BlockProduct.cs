using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// A product Y [rows, outputs] = X [rows, terms] W with a W [terms, outputs] many of whose blocks are zero: which are not is found on the device
/// (<see cref="Find"/>), the product skips the others. A block is <see cref="Extent"/> terms of a strip of as many outputs. Of a strip the list holds
/// the number of blocks and the first term of each, ascending, so that the order of additions is fixed.
/// </summary>
public sealed class BlockProduct(KernelLoader loader)
{
    /// <summary>Terms and outputs of a block.</summary>
    public const int Extent = 8;

    /// <summary>Rows that a thread computes.</summary>
    private const int Rows = 4;

    private readonly Launcher<Flags> flags = loader.Elements<Flags>();
    private readonly Launcher<List> list = loader.Items<List>();
    private readonly Launcher<Product> product = loader.Elements<Product>();

    /// <summary>Numbers of the list for W [terms, outputs].</summary>
    public static int ListCount(int terms, int outputs) => Strips(outputs) * Stride(terms);

    /// <summary>Lists the blocks of W that are not zero.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="weights">W [terms, outputs].</param>
    /// <param name="blocks">Receives the list, <see cref="ListCount"/> numbers.</param>
    /// <param name="terms">Rows of W.</param>
    /// <param name="outputs">Columns of W.</param>
    public void Find(AcceleratorStream stream, ArrayView<float> weights, ArrayView<int> blocks, int terms, int outputs)
    {
        flags(stream, Strips(outputs) * (Stride(terms) - 1), new(weights, blocks, terms, outputs));
        list(stream, Strips(outputs), new(blocks, Stride(terms)));
    }

    /// <summary>Multiplies by the blocks that <see cref="Find"/> listed.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="left">X [rows, terms].</param>
    /// <param name="weights">W [terms, outputs].</param>
    /// <param name="blocks">The list.</param>
    /// <param name="result">Receives Y [rows, outputs].</param>
    /// <param name="rows">Rows of X.</param>
    /// <param name="terms">Columns of X.</param>
    /// <param name="outputs">Columns of W.</param>
    /// <param name="summed">Only so many terms count: terms, or 0 where X is zero.</param>
    public void Run(
        AcceleratorStream stream, ArrayView<float> left, ArrayView<float> weights, ArrayView<int> blocks, ArrayView<float> result, int rows,
            int terms, int outputs, int summed) =>
        product(stream, (rows + Rows - 1) / Rows * outputs, new(left, weights, blocks, result, rows, terms, outputs, summed));

    private static int Strips(int outputs) => (outputs + Extent - 1) / Extent;

    private static int Stride(int terms) => ((terms + Extent - 1) / Extent) + 1;

    /// <summary>A 1 for each block that is not zero, behind the place of the number of blocks.</summary>
    internal readonly struct Flags(
        ArrayView<float> weights, // [terms, outputs]
        ArrayView<int> blocks, // [strips, 1 + blocks]
        int terms,
        int outputs)
        : IElementKernel
    {
        public void Run(int element)
        {
            int across = (terms + Extent - 1) / Extent;
            int strip = element / across;
            int block = element - strip * across;
            int toTerm = block * Extent + Extent < terms ? block * Extent + Extent : terms;
            int toOutput = strip * Extent + Extent < outputs ? strip * Extent + Extent : outputs;
            int isThere = 0;
            for (int term = block * Extent; term < toTerm; term++)
            {
                for (int output = strip * Extent; output < toOutput; output++)
                    if (weights[term * outputs + output] != 0f) isThere = 1;
            }

            blocks[strip * (across + 1) + 1 + block] = isThere;
        }
    }

    /// <summary>One strip's flags turn into its list, in place.</summary>
    internal readonly struct List(
        ArrayView<int> blocks, // [strips, stride]
        int stride)
        : IItemKernel
    {
        public void Run(int item)
        {
            int start = item * stride;
            int count = 0;
            for (int block = 0; block < stride - 1; block++)
            {
                if (blocks[start + 1 + block] == 0) continue;
                blocks[start + 1 + count] = block * Extent;
                count++;
            }

            blocks[start] = count;
        }
    }

    /// <summary>One element, one output of four rows; neighbouring threads have neighbouring outputs.</summary>
    internal readonly struct Product(
        ArrayView<float> left, // [rows, terms]
        ArrayView<float> weights, // [terms, outputs]
        ArrayView<int> blocks, // [strips, 1 + blocks]
        ArrayView<float> result, // [rows, outputs]
        int rows,
        int terms,
        int outputs,
        int summed)
        : IElementKernel
    {
        public void Run(int element)
        {
            int quad = element / outputs;
            int output = element - quad * outputs;
            int row = quad * Rows;
            int last = rows - 1;
            int left0 = row * terms;
            int left1 = (row + 1 < last ? row + 1 : last) * terms;
            int left2 = (row + 2 < last ? row + 2 : last) * terms;
            int left3 = (row + 3 < last ? row + 3 : last) * terms;
            int start = output / Extent * ((terms + Extent - 1) / Extent + 1);
            int count = summed > 0 ? blocks[start] : 0;
            float sum0 = 0f;
            float sum1 = 0f;
            float sum2 = 0f;
            float sum3 = 0f;
            for (int i = 1; i <= count; i++)
            {
                int term = blocks[start + i];
                int to = term + Extent < terms ? term + Extent : terms;
                for (; term < to; term++)
                {
                    float w = weights[term * outputs + output];
                    sum0 += left[left0 + term] * w;
                    sum1 += left[left1 + term] * w;
                    sum2 += left[left2 + term] * w;
                    sum3 += left[left3 + term] * w;
                }
            }

            int place = row * outputs + output;
            result[place] = sum0;
            if (row + 1 < rows) result[place + outputs] = sum1;
            if (row + 2 < rows) result[place + 2 * outputs] = sum2;
            if (row + 3 < rows) result[place + 3 * outputs] = sum3;
        }
    }
}
