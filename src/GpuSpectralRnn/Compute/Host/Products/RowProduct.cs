using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// A single row a [k] times panels that come one by one, from wherever they stand. They are multiplied <see cref="GemmKernel.RowPanels"/> at a time: the
/// two sums of one alone would wait for their multiply-adds. The bits are those of <see cref="GemmKernel.Multiply"/> in steps of
/// <see cref="GemmKernel.Depth"/>.
/// </summary>
internal unsafe ref struct RowProduct(nint k, float* a)
{
    private Waiting waiting;
    private int count;

    /// <summary>c [columns] = a P + add for a panel P of all k rows; add [columns] may be null if it is for all panels.</summary>
    public void Add(float* panel, nint columns, float* c, float* add)
    {
        waiting[count] = new Panel { Whole = new RowPanel(panel, c, add), Columns = (int)columns };
        if (++count == GemmKernel.RowPanels) Finish();
    }

    /// <summary>Multiplies what is left.</summary>
    [SkipLocalsInit]
    public void Finish()
    {
        if (count == 0) return;
        int width = GemmKernel.PanelWidth;
        float* sums = stackalloc float[2 * GemmKernel.RowPanels * width]; // of panels that are not whole, and of none; and what is added
        float* addends = sums + GemmKernel.RowPanels * width;
        RowPanel* four = stackalloc RowPanel[GemmKernel.RowPanels];
        for (int i = 0; i < GemmKernel.RowPanels; i++)
        {
            // In the place of a missing panel the first once more, to no purpose.
            Panel own = waiting[i < count ? i : 0];
            four[i] = own.Whole;
            if (i < count && own.Columns == width) continue;
            float* add = own.Whole.Add;
            if (add != null) new ReadOnlySpan<float>(add, own.Columns).CopyTo(new Span<float>(addends + i * width, width));
            four[i] = new RowPanel(own.Whole.Values, sums + i * width, add == null ? null : addends + i * width);
        }

        GemmKernel.MultiplyRow(k, a, four);
        for (int i = 0; i < count; i++)
        {
            Panel own = waiting[i];
            if (own.Columns < width) new ReadOnlySpan<float>(sums + i * width, own.Columns).CopyTo(new Span<float>(own.Whole.C, own.Columns));
        }

        count = 0;
    }

    private struct Panel
    {
        public RowPanel Whole;
        public int Columns;
    }

    [InlineArray(GemmKernel.RowPanels)]
    private struct Waiting
    {
        private Panel first;
    }
}

/// <summary>A panel, where its sums go, and what is added to them, or null.</summary>
internal readonly unsafe struct RowPanel(float* values, float* c, float* add)
{
    public readonly float* Values = values;
    public readonly float* C = c;
    public readonly float* Add = add;
}
