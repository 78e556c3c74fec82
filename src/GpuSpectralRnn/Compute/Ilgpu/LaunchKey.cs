using System.Linq.Expressions;
using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Compute.Ilgpu;

/// <summary>
/// What distinguishes launches by their arguments, made from the arguments' struct itself: of every view its address and length, of every number its
/// value, of a struct all of its fields. A field that is added later takes part; one of another kind is refused when the key is first made.
/// </summary>
internal static class LaunchKey<TArguments>
    where TArguments : struct
{
    private delegate void Writer(in TArguments arguments, long[] words);

    private static readonly Writer Write = Compile(out Words);

    /// <summary>Numbers of a key.</summary>
    public static readonly int Words;

    /// <summary>Writes the key of some arguments, <see cref="Words"/> numbers; takes no memory.</summary>
    public static void Fill(in TArguments arguments, long[] words) => Write(arguments, words);

    private static Writer Compile(out int words)
    {
        ParameterExpression arguments = Expression.Parameter(typeof(TArguments).MakeByRefType(), "arguments");
        ParameterExpression target = Expression.Parameter(typeof(long[]), "words");
        List<Expression> values = [];
        Collect(arguments, values);
        words = values.Count;
        IEnumerable<Expression> stores = values.Select((value, i) =>
            (Expression)Expression.Assign(Expression.ArrayAccess(target, Expression.Constant(i)), value));
        return Expression.Lambda<Writer>(Expression.Block(typeof(void), stores), arguments, target).Compile();
    }

    private static void Collect(Expression value, List<Expression> values)
    {
        Type type = value.Type;
        if (type == typeof(bool))
        {
            values.Add(Expression.Condition(value, Expression.Constant(1L), Expression.Constant(0L)));
        }
        else if (type.IsEnum || type == typeof(int) || type == typeof(uint) || type == typeof(long) || type == typeof(ulong))
        {
            values.Add(Expression.Convert(value, typeof(long)));
        }
        else if (type == typeof(float))
        {
            values.Add(Expression.Convert(Expression.Call(typeof(BitConverter), nameof(BitConverter.SingleToInt32Bits), null, value), typeof(long)));
        }
        else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ArrayView<>))
        {
            values.Add(Expression.Call(typeof(LaunchKey<TArguments>), nameof(Address), type.GetGenericArguments(), value));
            values.Add(Expression.Property(value, nameof(ArrayView<float>.Length)));
        }
        else if (type is { IsValueType: true, IsPrimitive: false })
        {
            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
                Collect(Expression.Field(value, field), values);
        }
        else
        {
            throw new NotSupportedException($"{typeof(TArguments).Name} holds a {type.Name}, of which no key of a launch can be made.");
        }
    }

    private static long Address<T>(ArrayView<T> view)
        where T : unmanaged => view.Length == 0 ? 0 : view.LoadEffectiveAddressAsPtr();
}
