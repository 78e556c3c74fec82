using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Pruning;

/// <summary>
/// The expected number of weights of one gate of every recurrence, P_z P_s + P_s + P_s^2 - sum p(s_j)^2, where z are the gates of what it reads and s
/// its own; units without gates count as open (docs/method.md, section 14.3). Its derivatives are computed on the device, from the sums P.
/// </summary>
internal sealed class ExpectedWeights
{
    private readonly IBackend backend;
    private readonly List<Term> terms = [];
    private readonly (GatedAxis Axis, double Fixed)[] axes; // the part of each axis' derivative that no gate moves

    /// <summary>Finds what is counted.</summary>
    public ExpectedWeights(Network network, IReadOnlyList<GatedAxis> gated)
    {
        backend = network.Backend;
        Dictionary<GatedAxis, double> constants = gated.ToDictionary(axis => axis, _ => 0.0);
        foreach (Node node in network.Graph.Nodes.Where(node => node.Module is Recurrent))
        {
            GatedAxis? own = Find(node.Output.Units[0]);
            GatedAxis[] read = [.. node.Inputs[0].Units.Select(Find).OfType<GatedAxis>()];
            int open = node.Inputs[0].Units.Where(axis => Find(axis) is null).Sum(axis => axis.Size);
            terms.Add(new Term(own, read, open, node.Output.Width));
            if (own is not null) constants[own] += open + 1;
            else foreach (GatedAxis axis in read) constants[axis] += node.Output.Width;
        }

        axes = [.. constants.Select(pair => (pair.Key, pair.Value))];

        GatedAxis? Find(UnitAxis axis) => gated.FirstOrDefault(gates => gates.Gates.Axes.Contains(axis));
    }

    /// <summary>Writes lambda dR/dp for all gates, from their sums.</summary>
    public void WriteGradients(double lambda)
    {
        float factor = (float)lambda;
        foreach ((GatedAxis axis, double constant) in axes) backend.Fill(axis.OpenGradient, (float)(lambda * constant));
        foreach (Term term in terms)
        {
            if (term.Own is not { } own) continue;
            foreach (GatedAxis read in term.Read)
            {
                backend.Elementwise.AddMultiple(new(factor, read.OpenSum, null, own.OpenGradient));
                backend.Elementwise.AddMultiple(new(factor, own.OpenSum, null, read.OpenGradient));
            }

            backend.Elementwise.AddMultiple(new(2 * factor, own.OpenSum, null, own.OpenGradient));
            backend.Elementwise.AddScaled(-2 * factor, own.Open, own.OpenGradient);
        }
    }

    /// <summary>R, from probabilities [m] by axis.</summary>
    public double Compute(Func<GatedAxis, double[]> open)
    {
        double sum = 0;
        foreach (Term term in terms)
        {
            double inputs = term.OpenInputs + term.Read.Sum(axis => open(axis).Sum());
            if (term.Own is null)
            {
                sum += (inputs + term.Units) * term.Units;
                continue;
            }

            double[] p = open(term.Own);
            double own = p.Sum();
            sum += ((inputs + 1 + own) * own) - p.Sum(x => x * x);
        }

        return sum;
    }

    // A recurrence: its own gates, those of what it reads, and the inputs and units without.
    private sealed record Term(GatedAxis? Own, GatedAxis[] Read, int OpenInputs, int Units);
}
