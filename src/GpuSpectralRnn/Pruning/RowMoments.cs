using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// The weighted second moments of a refit's rows: for each row i sum u_i z z^T and sum u_i r_i z with u_i = delta_i^2, and the same with weights of
/// one.
/// </summary>
internal sealed class RowMoments : IDisposable
{
    private readonly IBackend backend;
    private readonly int width;
    private readonly int[] rows;
    private readonly GramSums batchSums;
    private readonly Matrix plain;
    private readonly Matrix[] weighted;
    private readonly double[] weightSums;
    private readonly Matrix cross, plainCross; // [W, rows]
    private double rowCount;
    private float[][] squares = [];
    private int count;

    /// <summary>Empty sums.</summary>
    /// <param name="backend">Where z and r live.</param>
    /// <param name="width">Columns of z.</param>
    /// <param name="rows">The rows of the gradients that belong to the columns of r.</param>
    public RowMoments(IBackend backend, int width, int[] rows)
    {
        (this.backend, this.width, this.rows) = (backend, width, rows);
        batchSums = backend.Spectral.CreateGram(width);
        plain = new Matrix(width, width);
        weighted = [.. rows.Select(_ => new Matrix(width, width))];
        weightSums = new double[rows.Length];
        (cross, plainCross) = (new Matrix(width, rows.Length), new Matrix(width, rows.Length));
    }

    /// <summary>A batch of so many steps and sequences follows.</summary>
    public void BeginBatch(int size)
    {
        count = size;
        if (squares.Length == 0 || squares[0].Length != size) squares = [.. rows.Select(_ => new float[size])];
        foreach (float[] square in squares) Array.Clear(square);
    }

    /// <summary>Adds share delta^2 to the batch's weights; delta [N, G*H].</summary>
    public void AddGradients(float[] gradients, double share)
    {
        int all = gradients.Length / count;
        Parallel.For(0, rows.Length, i =>
        {
            for (int n = 0; n < count; n++)
            {
                float delta = gradients[n * all + rows[i]];
                squares[i][n] += (float)share * delta * delta;
            }
        });
    }

    /// <summary>Adds the batch: z [N, W] and r [N, rows].</summary>
    public void EndBatch(Tensor z, Tensor r)
    {
        rowCount += AddMoments(z, null, plain);
        float[] residuals = r.ToArray(), products = new float[residuals.Length];
        using Tensor weights = backend.Allocate(new Shape(count)), scaled = backend.Allocate(r.Shape);
        using Tensor sums = backend.Allocate(new Shape(width, rows.Length));
        for (int i = 0; i < rows.Length; i++)
        {
            weights.CopyFrom<float>(squares[i]);
            weightSums[i] += AddMoments(z, weights, weighted[i]);
            for (int n = 0; n < count; n++) products[n * rows.Length + i] = squares[i][n] * residuals[n * rows.Length + i];
        }

        scaled.CopyFrom<float>(products);
        AddCross(z, scaled, sums, cross);
        AddCross(z, r, sums, plainCross);
    }

    /// <summary>
    /// The correction [W] of row <paramref name="row"/>: (M + ridge) c = sum w r z with the weights w = delta^2 / mean + floor; null where the row
    /// never reaches the outputs or
    /// z has no spread.
    /// </summary>
    public double[]? Solve(int row, int kept, double floor, double relativeRidge)
    {
        double mean = weightSums[row] / rowCount;
        if (!(mean > 0) || !double.IsFinite(mean)) return null;
        Matrix moments = (1 / mean) * weighted[row] + floor * plain, right = new(width, 1);
        double square = 0;
        for (int j = 0; j < kept; j++) square += moments[j, j] / kept;
        for (int j = 0; j < width; j++)
        {
            right[j, 0] = cross[j, row] / mean + floor * plainCross[j, row];
            moments[j, j] += relativeRidge * square;
        }

        return moments.IsFinite() && right.IsFinite() && Cholesky.TryFactor(moments) is { } factor ? factor.Solve(right).Data : null;
    }

    /// <inheritdoc/>
    public void Dispose() => batchSums.Dispose();

    private double AddMoments(Tensor z, Tensor? weights, Matrix total)
    {
        batchSums.Reset();
        batchSums.Add(z, weights);
        (Matrix sums, double weight) = StatisticsCollector.Read(batchSums);
        VectorOps.AddScaled(1, sums.Data, total.Data);
        return weight;
    }

    private void AddCross(Tensor z, Tensor r, Tensor sums, Matrix total)
    {
        backend.Matrix.Gemm(true, false, 1, z, r, 0, sums);
        float[] batch = sums.ToArray();
        for (int i = 0; i < batch.Length; i++) total.Data[i] += batch[i];
    }
}
