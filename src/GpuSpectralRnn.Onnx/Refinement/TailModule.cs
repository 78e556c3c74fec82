using System.Numerics.Tensors;

namespace GpuSpectralRnn.Onnx.Refinement;

/// <summary>A row-wise operator behind a recurrent node, with its forward and backward pass.</summary>
internal abstract class TailModule
{
    /// <summary>Row width of its output for inputs of row width <paramref name="before"/>.</summary>
    public virtual int Width(int before) => before;

    /// <summary>y [rows, M] of x [rows, U].</summary>
    public abstract void Forward(ReadOnlySpan<float> x, Span<float> y, int rows);

    /// <summary>dL/dx [rows, U] of dL/dy [rows, M], with the x and y of <see cref="Forward"/>.</summary>
    public abstract void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx, int rows);
}

/// <summary>y = W x + b.</summary>
/// <param name="weight">W [M, U], row-major.</param>
/// <param name="bias">b [M].</param>
internal sealed class LinearModule(float[] weight, float[] bias) : TailModule
{
    /// <inheritdoc/>
    public override int Width(int before) => bias.Length;

    /// <inheritdoc/>
    public override void Forward(ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        int width = weight.Length / bias.Length;
        for (int row = 0; row < rows; row++)
        {
            for (int m = 0; m < bias.Length; m++)
                y[row * bias.Length + m] = bias[m] + TensorPrimitives.Dot(weight.AsSpan(m * width, width), x.Slice(row * width, width));
        }
    }

    /// <inheritdoc/>
    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx, int rows)
    {
        int width = weight.Length / bias.Length;
        dx.Clear();
        for (int row = 0; row < rows; row++)
        {
            Span<float> target = dx.Slice(row * width, width);
            for (int m = 0; m < bias.Length; m++)
                TensorPrimitives.MultiplyAdd(weight.AsSpan(m * width, width), dy[row * bias.Length + m], target, target);
        }
    }
}

/// <summary>y_j = f(x_j).</summary>
/// <param name="function">f.</param>
/// <param name="slope">f', of x and y.</param>
internal sealed class PointwiseModule(Func<float, float> function, Func<float, float, float> slope) : TailModule
{
    /// <summary>max(x, 0).</summary>
    public static PointwiseModule Relu { get; } = new(x => Math.Max(x, 0), (x, _) => x > 0 ? 1 : 0);

    /// <summary>tanh.</summary>
    public static PointwiseModule Tanh { get; } = new(MathF.Tanh, (_, y) => 1 - y * y);

    /// <summary>1 / (1 + exp(-x)).</summary>
    public static PointwiseModule Sigmoid { get; } = new(x => 1 / (1 + MathF.Exp(-x)), (_, y) => y * (1 - y));

    /// <inheritdoc/>
    public override void Forward(ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        for (int i = 0; i < x.Length; i++) y[i] = function(x[i]);
    }

    /// <inheritdoc/>
    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx, int rows)
    {
        for (int i = 0; i < x.Length; i++) dx[i] = dy[i] * slope(x[i], y[i]);
    }
}

/// <summary>y = softmax(x) of every row.</summary>
internal sealed class SoftmaxModule : TailModule
{
    /// <inheritdoc/>
    public override void Forward(ReadOnlySpan<float> x, Span<float> y, int rows)
    {
        int width = x.Length / rows;
        for (int row = 0; row < rows; row++)
        {
            // Shifted by the largest, so that no exponential overflows.
            ReadOnlySpan<float> source = x.Slice(row * width, width);
            Span<float> target = y.Slice(row * width, width);
            TensorPrimitives.Subtract(source, TensorPrimitives.Max(source), target);
            TensorPrimitives.Exp(target, target);
            TensorPrimitives.Divide(target, TensorPrimitives.Sum<float>(target), target);
        }
    }

    /// <inheritdoc/>
    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> y, ReadOnlySpan<float> dy, Span<float> dx, int rows)
    {
        int width = x.Length / rows;
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> share = y.Slice(row * width, width), gradient = dy.Slice(row * width, width);
            float mean = TensorPrimitives.Dot(share, gradient);
            for (int j = 0; j < width; j++) dx[row * width + j] = share[j] * (gradient[j] - mean);
        }
    }
}
