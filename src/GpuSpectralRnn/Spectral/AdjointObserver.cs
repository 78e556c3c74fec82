using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Models;

namespace GpuSpectralRnn.Spectral;

/// <summary>
/// Forms g_t = consumers' gradient + W_hh^T (gradient at the next step's recurrent product) during backward passes, and sums g g^T and ||g_t||^2.
/// </summary>
internal sealed class AdjointObserver : IBackwardObserver, IDisposable
{
    private readonly Network network;
    private readonly int steps;
    private readonly Disposables owned = new();
    private readonly Tensor memory;
    private readonly Tensor zeros;
    private readonly GramSums[] grams;
    private readonly LossTotals[][] squares;
    private int batch;

    /// <summary>Makes room for batches of up to <paramref name="capacity"/> sequences.</summary>
    public AdjointObserver(Network network, int steps, int capacity)
    {
        (this.network, this.steps) = (network, steps);
        IBackend backend = network.Backend;
        int widest = network.Architecture.Hidden.Max();
        memory = owned.Keep(backend.Allocate(new Shape(steps * capacity * widest)));
        zeros = owned.Keep(backend.Allocate(new Shape(capacity * widest)));
        grams = [.. network.Architecture.Hidden.Select(m => owned.Keep(backend.Spectral.CreateGram(m)))];
        squares = [.. network.Architecture.Hidden.Select(
            _ => Enumerable.Range(0, steps).Select(_ => owned.Keep(backend.Loss.CreateTotals())).ToArray())];
    }

    /// <summary>A backward pass of so many sequences follows.</summary>
    public void Begin(int size) => batch = size;

    /// <inheritdoc/>
    public void Enter(int layer, Tensor consumerGradient, int from)
    {
        int row = batch * network.Architecture.Hidden[layer];
        if (from > 0) network.Backend.Fill(memory.View(0, from * row), 0);
        network.Backend.Copy(consumerGradient.View((long)from * row, (steps - from) * row), memory.View((long)from * row, (steps - from) * row));
    }

    /// <inheritdoc/>
    public void Leave(int layer, Tensor productGradient)
    {
        IBackend backend = network.Backend;
        int hidden = network.Architecture.Hidden[layer], width = productGradient.Shape.Columns, rows = (steps - 1) * batch;
        if (rows > 0)
        {
            Tensor next = productGradient.View((long)batch * width, rows, width); // [(T-1) B, G*H]
            backend.Matrix.Gemm(false, false, 1, next, network.Parameters.Layer(layer).HiddenWeights, 1, memory.View(0, rows, hidden));
        }

        Tensor g = memory.View(0, steps, batch, hidden);
        grams[layer].Add(g);
        Tensor nothing = zeros.View(0, batch, hidden);
        for (int t = 0; t < steps; t++) backend.Loss.MeanSquaredError(g.Slice(t), nothing, 1, null, squares[layer][t]);
    }

    /// <summary>The means over everything seen.</summary>
    /// <exception cref="RunFailedException">A gradient is NaN or infinite.</exception>
    public AdjointStatistics[] Read()
    {
        AdjointStatistics[] result = new AdjointStatistics[grams.Length];
        for (int layer = 0; layer < grams.Length; layer++)
        {
            (Matrix sums, double count) = StatisticsCollector.Read(grams[layer]);
            if (!sums.IsFinite())
                throw new RunFailedException($"The gradients of layer {layer} explode to NaN or infinity over {steps} steps; use --criterion paper.");
            int hidden = network.Architecture.Hidden[layer];
            double[] weights = Array.ConvertAll(squares[layer], totals => totals.Read() is var s && s.Rows > 0 ? s.Loss * hidden / s.Rows : 0);
            result[layer] = new AdjointStatistics(1 / Math.Max(1, count) * sums, weights);
        }

        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => owned.Dispose();
}
