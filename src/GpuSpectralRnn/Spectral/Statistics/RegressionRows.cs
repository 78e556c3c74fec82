using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// The rows z = sum_i P_i x_i + p of a least-squares problem, computed from several tensors on their device; the second moments of z are its normal
/// equations. With P_i of zeros and ones the tensors are concatenated exactly.
/// </summary>
internal sealed class RegressionRows : IDisposable
{
    private readonly IBackend backend;
    private readonly Tensor[] maps;
    private readonly Tensor constant;
    private readonly DisposableBag owned = new();
    private Tensor? memory;

    /// <summary>Uploads the maps; memory for the rows is allocated on first use.</summary>
    /// <param name="backend">Backend of the tensors.</param>
    /// <param name="constant">p [W].</param>
    /// <param name="maps">P_i [W, w_i].</param>
    public RegressionRows(IBackend backend, double[] constant, params ReadOnlySpan<Matrix> maps)
    {
        this.backend = backend;
        Width = constant.Length;
        this.constant = owned.Keep(StatisticsCollector.Upload(backend, Array.ConvertAll(constant, x => (float)x)));
        this.maps = new Tensor[maps.Length];
        for (int i = 0; i < maps.Length; i++)
            this.maps[i] = owned.Keep(StatisticsCollector.Upload(backend, maps[i].ToSingle(), maps[i].Rows, maps[i].Columns));
    }

    /// <summary>W.</summary>
    public int Width { get; }

    /// <summary>A map [W, w] that puts the rows <paramref name="block"/> [r, w] at row <paramref name="first"/> and zeros elsewhere.</summary>
    public static Matrix Place(int width, int first, Matrix block)
    {
        Matrix map = new(width, block.Columns);
        for (int i = 0; i < block.Rows; i++) block.Row(i).CopyTo(map.Row(first + i));
        return map;
    }

    /// <summary>The rows [N, W] of tensors [..., w_i] of N rows each; valid until the next call.</summary>
    public Tensor Join(params ReadOnlySpan<Tensor> parts)
    {
        int rows = parts[0].Shape.Rows;
        if (memory is null || memory.Count < (long)rows * Width)
        {
            memory?.Dispose();
            memory = backend.Allocate(new Shape(rows, Width));
        }

        Tensor joined = memory.View(0, rows, Width);
        backend.Matrix.Linear(new(parts[0], maps[0], constant, joined));
        for (int i = 1; i < parts.Length; i++) backend.Matrix.Gemm(new(false, true, 1, parts[i], maps[i], 1, joined));
        return joined;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        memory?.Dispose();
        owned.Dispose();
    }
}
