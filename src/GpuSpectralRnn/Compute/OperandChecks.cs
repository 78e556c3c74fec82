using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace GpuSpectralRnn.Compute;

/// <summary>
/// What every operation asks of its operands, once for all backends: alive, on this backend, of the right type and shape, and apart where they must
/// be. Each method throws
/// <see cref="ArgumentException"/>, <see cref="ObjectDisposedException"/> or <see cref="InvalidOperationException"/> and names the operand; it
/// returns the extents.
/// </summary>
internal static partial class OperandChecks
{
    /// <summary>What a backend keeps for its caller, as that backend's own kind.</summary>
    /// <exception cref="InvalidOperationException">Another backend made it, be it of the same kind.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public static T Own<T>(IBackend backend, object kept, string what)
        where T : class, IKept
    {
        ArgumentNullException.ThrowIfNull(kept, what);
        if (kept is not T own || !ReferenceEquals(own.Backend, backend))
            throw new InvalidOperationException($"The {what} was made by another backend, not by this {backend.Device.Id}; make it here.");
        ObjectDisposedException.ThrowIf(own.IsDisposed, kept);
        return own;
    }

    /// <summary>Host memory and a tensor: the same type and count. Returns the count.</summary>
    public static int Transfer<T>(IBackend backend, int hostCount, Tensor tensor)
        where T : unmanaged
    {
        Typed(backend, tensor, ElementTypes.From<T>());
        if (tensor.Count != hostCount) Fail($"{hostCount} elements of host memory do not fit {tensor}.", nameof(tensor));
        return hostCount;
    }

    /// <summary>A copy on the device: the same type and count, the same memory or apart. Returns the count.</summary>
    public static long Copy(IBackend backend, Tensor source, Tensor destination)
    {
        source.StorageOn(backend);
        Typed(backend, destination, source.Type);
        if (source.Count != destination.Count) Fail($"{source} does not fit {destination}.", nameof(destination));
        if (source.Offset != destination.Offset) Apart(backend, source, destination);
        return source.Count;
    }

    /// <summary>A Float32 tensor of any shape: returns the count.</summary>
    public static long Float(IBackend backend, Tensor tensor, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        return tensor.Count;
    }

    private static void Float(IBackend backend, Tensor tensor, int extent, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        if (tensor.Count != extent) Fail($"{name} is {tensor.Shape}; it must be [{extent}].", name);
    }

    // Leading extents may be folded: [T, B, H] and [T * B, H] are the same matrix.
    private static void Float(IBackend backend, Tensor tensor, int rows, int columns, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        if (tensor.Shape.Rows != rows || tensor.Shape.Columns != columns) Fail($"{name} is {tensor.Shape}; it must be [{rows}, {columns}].", name);
    }

    private static void Float(
        IBackend backend, Tensor tensor, int steps, int batch, int width, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        Typed(backend, tensor, ElementType.Float32, name);
        Shape shape = tensor.Shape;
        if (shape.Rank != 3 || shape[0] != steps || shape[1] != batch || shape[2] != width)
            Fail($"{name} is {shape}; it must be [{steps}, {batch}, {width}].", name);
    }

    private static (int T, int B, int H) Sequence(IBackend backend, Tensor sequence, Tensor? lengths)
    {
        Float(backend, sequence);
        if (sequence.Shape.Rank != 3) Fail($"A sequence is [T, B, H], not {sequence.Shape}.", nameof(sequence));
        if (lengths is not null) Lengths(backend, lengths, sequence.Shape[1]);
        return (sequence.Shape[0], sequence.Shape[1], sequence.Shape[2]);
    }

    private static void Lengths(IBackend backend, Tensor lengths, int batch)
    {
        Typed(backend, lengths, ElementType.Int32);
        if (lengths.Count != batch) Fail($"There are {lengths.Count} lengths for {batch} sequences.", nameof(lengths));
    }

    private static void Typed(IBackend backend, Tensor tensor, ElementType type, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(tensor, name);
        tensor.StorageOn(backend);
        if (tensor.Type != type) Fail($"{name} is {tensor}; it must be {type}.", name);
    }

    private static void Apart(
        IBackend backend,
        Tensor first,
        Tensor second,
        [CallerArgumentExpression(nameof(first))] string firstName = "",
        [CallerArgumentExpression(nameof(second))] string secondName = "")
    {
        if (!ReferenceEquals(first.StorageOn(backend), second.StorageOn(backend))) return;
        if (first.Offset < second.Offset + second.Count && second.Offset < first.Offset + first.Count)
            Fail($"{firstName} and {secondName} share memory; they must be apart.", firstName);
    }

    [DoesNotReturn]
    private static void Fail(string message, string name) => throw new ArgumentException(message, name);
}
