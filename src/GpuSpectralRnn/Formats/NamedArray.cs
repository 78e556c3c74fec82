using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Formats;

/// <summary>A named row-major array as files hold it. The elements are float, double, long, int or byte.</summary>
public sealed class NamedArray : INumberArray
{
    private static readonly Type[] ElementTypes = [typeof(float), typeof(double), typeof(long), typeof(int), typeof(byte)];

    private NamedArray(string name, Shape shape, Array values)
    {
        Name = name;
        Shape = shape;
        Values = values;
    }

    /// <summary>For example <c>rnn.weight_hh_l0</c>.</summary>
    public string Name { get; }

    /// <summary>Extents, outermost first; the empty shape is a scalar.</summary>
    public Shape Shape { get; }

    /// <summary>The elements, row-major: a float[], double[], long[], int[] or byte[].</summary>
    public Array Values { get; }

    /// <summary>Wraps <paramref name="values"/> without a copy.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's, or files cannot hold <typeparamref name="T"/>.</exception>
    public static NamedArray Create<T>(string name, Shape shape, T[] values)
        where T : unmanaged => Create(name, shape, (Array)values);

    /// <summary>The same for elements of a type that is known only when the program runs.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's, or files cannot hold their type.</exception>
    public static NamedArray Create(string name, Shape shape, Array values)
    {
        Type type = values.GetType().GetElementType()!;
        if (!ElementTypes.Contains(type))
            throw new ArgumentException($"{name}: files hold float, double, long, int or byte, not {type.Name}.", nameof(values));
        if (shape.Count != values.Length)
            throw new ArgumentException($"{name}: the shape {shape} asks for {shape.Count} values, not {values.Length}.", nameof(values));
        return new NamedArray(name, shape, values);
    }

    /// <summary>The elements, if they are of type <typeparamref name="T"/>.</summary>
    /// <exception cref="InvalidCallException">They are of another type.</exception>
    public T[] As<T>()
        where T : unmanaged =>
        Values as T[] ?? throw new InvalidCallException(
            $"{Name} {Shape} holds {Values.GetType().GetElementType()!.Name} values where {typeof(T).Name} is needed.");

    /// <inheritdoc/>
    public Array Read(long first, int count)
    {
        Array part = Array.CreateInstance(Values.GetType().GetElementType()!, count);
        Array.Copy(Values, first, part, 0, count);
        return part;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape} {Values.GetType().GetElementType()!.Name}";
}
