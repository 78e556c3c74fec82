using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using Xunit.Sdk;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>
/// Finite differences of a network in single precision, whose functions may have kinks (ReLU, maxima): where a function is smooth, two central
/// differences of steps h and 2 h agree but for h^2, and the second differences over the step are as 1 to 2; on a kink nothing is said.
/// </summary>
internal static class KinkedDifferences
{
    // The outputs err by some 1e-7, a difference by 1e-7 / 2h = 2e-5 of their size. Where the function is smooth the two differences differ by
    // h^2 f''' / 2, which is more than what is left of the error once they are extrapolated.
    private const float Step = 4e-3f;
    private const double Tolerance = 1e-3, Kink = 1e-2;

    /// <summary>Compares a gradient [P] with the differences of <paramref name="loss"/> with respect to every parameter.</summary>
    public static void Check(float[] gradient, Parameters parameters, Func<double> loss, string what) => Check(
        parameters.Slots.ToDictionary(
            slot => slot.Name, slot => (parameters[slot.Name], gradient.AsSpan((int)slot.Offset, (int)slot.Shape.Count).ToArray())),
        loss,
        what);

    /// <summary>Compares gradients with the differences of <paramref name="loss"/> with respect to the numbers of tensors.</summary>
    public static void Check(IReadOnlyDictionary<string, (Tensor At, float[] Gradient)> places, Func<double> loss, string what, double mostKinks = 0.25)
    {
        int kinks = 0, count = 0;
        double scale = Math.Max(1, places.Values.SelectMany(place => place.Gradient).Select(Math.Abs).DefaultIfEmpty().Max());
        foreach ((string name, (Tensor tensor, float[] gradient)) in places)
        {
            float[] values = tensor.ToArray();
            for (int i = 0; i < values.Length; i++)
            {
                float at = values[i];
                double here = Loss(at);
                (double near, double nearTurn) = Differences(1);
                (double far, double farTurn) = Differences(2);
                double smooth = near + ((near - far) / 3), doubt = Math.Abs(near - far) + Math.Abs((2 * nearTurn) - farTurn);
                values[i] = at;
                tensor.CopyFrom<float>(values);
                count++;
                if (doubt > Kink * scale) kinks++;
                else if (!(Math.Abs(smooth - gradient[i]) <= (Tolerance * scale) + doubt))
                    throw new XunitException($"{what}: the gradient of {name}[{i}] is {gradient[i]:g6}, the difference quotient {smooth:g6}.");

                (double Slope, double Turn) Differences(int steps)
                {
                    float above = at + (steps * Step), below = at - (steps * Step);
                    double right = (Loss(above) - here) / ((double)above - at), left = (here - Loss(below)) / ((double)at - below);
                    return ((right + left) / 2, right - left);
                }

                double Loss(float value)
                {
                    values[i] = value;
                    tensor.CopyFrom<float>(values);
                    return loss();
                }
            }
        }

        if (kinks > (count * mostKinks) + 2) throw new XunitException($"{what}: {kinks} of {count} differences stand on kinks; choose other numbers.");
    }
}
