using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>The table of cells against the enumerations that name its lines.</summary>
public class CellSpecTests
{
    [Fact]
    public void Every_recurrence_has_its_line_and_every_cell_its_recurrence()
    {
        Assert.Equal(Enum.GetValues<CellKind>(), CellSpec.All.Select(spec => spec.Kind));
        Assert.Equal(CellKind.RnnRelu, Cell.Irnn.Kind());
        Assert.All(Enum.GetValues<Cell>().Where(cell => cell != Cell.Irnn), cell => Assert.Equal(cell.ToString(), cell.Kind().ToString()));
        Assert.All(Enum.GetValues<CellKind>(), kind => Assert.Equal(kind, Cells.From(kind).Kind()));
        Assert.Throws<ArgumentOutOfRangeException>(() => CellSpec.From((CellKind)99));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((Cell)99).Kind());
    }

    [Fact]
    public void Orders_of_gates_name_every_block_once()
    {
        foreach (CellSpec spec in CellSpec.All)
        {
            int[] blocks = [.. Enumerable.Range(0, spec.Gates)];
            Assert.Equal(blocks, spec.Onnx.Order.Order());
            Assert.Equal(blocks, (spec.KerasOrder ?? blocks).Order());
            float[] values = Numbers.Normal(spec.Gates * 3, 1);
            Assert.Equal(values, CellSpec.PutBlocks(spec.Onnx.Order, CellSpec.TakeBlocks(spec.Onnx.Order, values)));
        }
    }
}
