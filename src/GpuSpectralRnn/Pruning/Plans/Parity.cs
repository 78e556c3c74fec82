using GpuSpectralRnn.Data;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Pruning;

/// <summary>How far two networks' outputs are apart on the same inputs.</summary>
/// <param name="Difference">The largest absolute difference of an output.</param>
/// <param name="Largest">The largest absolute output of the first, to judge it by.</param>
/// <param name="Sequences">Sequences compared.</param>
public sealed record Parity(double Difference, double Largest, int Sequences)
{
    /// <summary>Compares the sliced network of a plan with the masked one of full size (<see cref="MaskedNetwork"/>).</summary>
    public static Parity OfPlan(Network network, Network sliced, PruningPlan plan, ISequenceData data, int batchSize = 64)
    {
        using Network masked = MaskedNetwork.Create(network, plan);
        return Compare(masked, sliced, data, batchSize);
    }

    /// <summary>Runs both over the data.</summary>
    /// <exception cref="InvalidCallException">The data do not fit the networks.</exception>
    public static Parity Compare(Network first, Network second, ISequenceData data, int batchSize = 64)
    {
        first.Recipe.CheckFits(data.Layout, data.Name);
        using DeviceBatches feed = new(data, first.Backend, batchSize);
        double difference = 0, largest = 0;
        while (feed.Next())
        {
            first.Forward(feed.Current);
            second.Forward(feed.Current);
            for (int output = 0; output < first.Graph.Outputs.Count; output++)
            {
                float[] a = first.Output(output).ToArray(), b = second.Output(output).ToArray();
                for (int i = 0; i < a.Length; i++)
                {
                    if (a[i] == StepRows.Masked && b[i] == StepRows.Masked) continue; // of steps that are not there
                    double apart = Math.Abs((double)a[i] - b[i]);
                    if (!(apart <= difference)) difference = apart;
                    if (!(Math.Abs(a[i]) <= largest)) largest = Math.Abs(a[i]);
                }
            }
        }

        return new Parity(difference, largest, data.Count);
    }

    /// <summary>For example <c>3.1e-06 (outputs up to 12.5, 500 sequences)</c>.</summary>
    public override string ToString() => $"{Difference:0.0e+00} (outputs up to {Largest:0.##}, {Sequences} sequences)";
}
