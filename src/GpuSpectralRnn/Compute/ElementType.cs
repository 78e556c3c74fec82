namespace GpuSpectralRnn.Compute;

/// <summary>Element type of a tensor.</summary>
public enum ElementType
{
    /// <summary>IEEE single precision: weights, activations, gradients.</summary>
    Float32,

    /// <summary>IEEE double precision: Gram matrices, eigenvalues. Not every device has it (see <see cref="DeviceInfo.HasFloat64"/>).</summary>
    Float64,

    /// <summary>32-bit signed integers: class labels, token numbers, lengths.</summary>
    Int32,
}

/// <summary>Sizes and names of element types.</summary>
public static class ElementTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this ElementType type) => type == ElementType.Float64 ? 8 : 4;

    /// <summary>The element type that stores <typeparamref name="T"/> (float, double or int).</summary>
    /// <exception cref="NotSupportedException">No element type stores <typeparamref name="T"/>.</exception>
    public static ElementType From<T>()
        where T : unmanaged =>
        typeof(T) == typeof(float) ? ElementType.Float32
        : typeof(T) == typeof(double) ? ElementType.Float64
        : typeof(T) == typeof(int) ? ElementType.Int32
        : throw new NotSupportedException($"Tensors hold float, double or int, not {typeof(T).Name}.");
}
