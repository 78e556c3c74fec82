using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// Weights that are kept, as the paper's table counts them: without biases; what a mask takes away does not count, two factors count both.
/// </summary>
/// <param name="InputHidden">Of the first layer's W_ih.</param>
/// <param name="HiddenHidden">Of all W_hh, and of W_ih above the first layer.</param>
/// <param name="HiddenOutput">Of the read-out.</param>
public sealed record WeightCounts(long InputHidden, long HiddenHidden, long HiddenOutput)
{
    /// <summary>Of the embedding; a read-out tied to it counts here and nowhere else.</summary>
    public long Embedding { get; init; }

    /// <summary>Of a whole network.</summary>
    public static WeightCounts Count(Architecture architecture)
    {
        long inputHidden = 0, hiddenHidden = 0, hiddenOutput = 0, embedding = 0;
        foreach (ParameterSpec slot in architecture.Build().Parameters)
        {
            if (slot.Name is "rnn.weight_ih_l0" or "rnn.weight_ih_l0_reverse") inputHidden += slot.Shape.Count;
            else if (slot.Name == ParameterSpec.Embedding) embedding += slot.Shape.Count;
            else if (slot.Name == ParameterSpec.Readout) hiddenOutput += slot.Shape.Count;
            else if (slot.Name.StartsWith("rnn.weight", StringComparison.Ordinal)) hiddenHidden += slot.Shape.Count;
        }

        return new WeightCounts(inputHidden, hiddenHidden, hiddenOutput) { Embedding = embedding };
    }

    /// <summary>Of what a plan leaves of a network.</summary>
    public static WeightCounts Count(Architecture architecture, PruningPlan plan)
    {
        WeightCounts stored = Count(plan.Shrink(architecture));
        long masked = plan.Axes.Sum(part => part.Mask?.Data.LongCount(x => x == 0) ?? 0);
        return stored with { HiddenHidden = stored.HiddenHidden - masked };
    }
}
