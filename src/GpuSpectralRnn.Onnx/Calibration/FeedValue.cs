using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>The value of a graph's input, converted to the input's type.</summary>
/// <param name="Type">Element type of the input.</param>
/// <param name="Shape">Shape of the input in the call.</param>
/// <param name="Values">Numbers of any type.</param>
internal sealed record FeedValue(TensorElementType Type, int[] Shape, Array Values)
{
    /// <summary>Largest count of numbers in one value (1 GB of floats); more indicate a broken file.</summary>
    private const long Most = 1L << 28;

    /// <summary>Number of elements of the shape.</summary>
    /// <exception cref="InvalidCallException">Too many for one input.</exception>
    public static int Count(int[] shape)
    {
        long count = 1;
        foreach (int extent in shape)
        {
            count *= extent;
            if (count is < 0 or > Most) throw new InvalidCallException($"An input of the shape [{string.Join(", ", shape)}] is too large to be fed.");
        }

        return (int)count;
    }

    /// <summary>The value for ONNX Runtime; the caller disposes it.</summary>
    /// <exception cref="InvalidCallException">Inputs of that type are not fed.</exception>
    public OrtValue ToOrtValue()
    {
        long[] shape = Array.ConvertAll(Shape, extent => (long)extent);
        int count = Count(Shape);
        return Type switch
        {
            TensorElementType.Float => OrtValue.CreateTensorValueFromMemory(Convert<float>(count), shape),
            TensorElementType.Double => OrtValue.CreateTensorValueFromMemory(Convert<double>(count), shape),
            TensorElementType.Int64 => OrtValue.CreateTensorValueFromMemory(Convert<long>(count), shape),
            TensorElementType.Int32 => OrtValue.CreateTensorValueFromMemory(Convert<int>(count), shape),
            TensorElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(Convert<byte>(count), shape),
            TensorElementType.Bool => OrtValue.CreateTensorValueFromMemory(Convert<bool>(count), shape),
            _ => throw new InvalidCallException(
                $"The graph has an input of type {Type}; inputs of float, double, int64, int32, uint8 and bool can be fed."),
        };
    }

    private T[] Convert<T>(int count)
    {
        T[] result = new T[count];
        if (Values is T[] same) Array.Copy(same, result, count);
        else
            for (int i = 0; i < count; i++) result[i] = Convert<T>(Values.GetValue(i)!);
        return result;
    }

    private static T Convert<T>(object value)
    {
        try
        {
            return (T)System.Convert.ChangeType(value, typeof(T), null);
        }
        catch (OverflowException e)
        {
            throw new InvalidCallException($"{value} does not fit an input of type {typeof(T).Name}; check `data` and `Fixed`.", e);
        }
    }
}
