using System.Text;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Proof;
using GpuSpectralRnn.Reports;
using GpuSpectralRnn.Spectral;

namespace GpuSpectralRnn.Onnx.Reports;

/// <summary>The report page of a compressed graph: first the chosen size, then all sizes.</summary>
/// <param name="chosen">The size that was written.</param>
/// <param name="curve">Other sizes.</param>
public sealed class CompressionReport(SizePoint chosen, IReadOnlyList<SizePoint> curve)
{
    private readonly SizePoint[] points =
        [.. curve.Where(point => !point.Keep.SequenceEqual(chosen.Keep)).Append(chosen).OrderBy(point => point.Keep.Sum())];

    /// <summary>The main result in a sentence: what the smaller graph still says, with how many units.</summary>
    /// <param name="original">Name of the original's file.</param>
    /// <param name="proof">The proof.</param>
    public static string Answer(string original, GraphProof proof)
    {
        CompressedNode[] cut = [.. proof.Nodes.Where(node => node.After < node.Before)];
        string units = cut.Length == 0 ? "all units" : string.Join(
            ", ", cut.Select(node => $"{node.After} of {node.Before} {node.Type} units").Distinct());
        OutputDifference[] shown = [.. proof.Outputs.Where(output => !output.IsState)];
        double? agreement = shown.Min(output => output.Agreement);
        return FormattableString.Invariant(agreement is { } same
            ? (FormattableString)$"With {units} it decides as {original} in {100 * same:0.00} % of the cases held out."
            : $"With {units} it answers as {original} within {shown.Max(output => output.MeanDifference):g3} in the mean.");
    }

    /// <summary>What was lost, what was gained, and what to do next.</summary>
    /// <param name="original">Name of the original's file.</param>
    /// <param name="proof">The proof.</param>
    /// <param name="shrinksState">Whether the states between calls shrank too.</param>
    public static IReadOnlyList<(string Name, string Text)> Findings(string original, GraphProof proof, bool shrinksState) =>
    [
        ("lost", SizeSlider.Lost(proof)), ("gained", SizeSlider.Gained(proof)), ("to do", ToDo(original, proof, shrinksState)),
    ];

    private static string ToDo(string original, GraphProof proof, bool shrinksState)
    {
        string use = (shrinksState, proof.SpecialFor) switch
        {
            (false, null) => $"put it in the place of {original}: inputs and outputs are the same",
            (true, null) => $"use it for {original} with states of the kept units",
            (false, { } calls) => $"put it in the place of {original} where calls have {calls}: it is for those alone",
            (true, { } calls) => $"use it for {original} with states of the kept units, where calls have {calls}: it is for those alone",
        };
        string[] idle = [.. proof.Nodes.Where(node => node.Steps == 0).Select(node => node.Name)];
        return idle.Length == 0 ? use
            : $"{use}; {string.Join(", ", idle)} did not run and {(idle.Length == 1 ? "is as it was" : "are as they were")}: "
            + "to cut them too, give data for their branches as well, VALUE=FILE VALUE=FILE";
    }

    /// <summary>The recurrent nodes before and after.</summary>
    public static Table Nodes(GraphProof proof)
    {
        Table table = new(
            new("node"), new("type"), new("units"), new("kept"), new("steps seen", "#,0"), new("multiply-adds", "#,0"), new("now", "#,0"));
        foreach (CompressedNode node in proof.Nodes)
            table.Add(node.Name, node.Type, node.Before, node.After, node.Steps, node.MultiplyAddsBefore, node.MultiplyAddsAfter);
        return table;
    }

    /// <summary>The outputs beside the original's.</summary>
    public static Table Outputs(GraphProof proof)
    {
        Table table = new(new("output"), new("largest difference", "g3"), new("mean difference", "g3"), new("same decisions (%)", "0.00"));
        foreach (OutputDifference output in proof.Outputs)
            table.Add(output.Label, output.MaxDifference, output.MeanDifference, 100 * output.Agreement);
        return table;
    }

    /// <summary>The size to begin with: at the knee of the mean difference, farthest below the line from the smallest size to the largest.</summary>
    /// <returns>Null where there are not three sizes.</returns>
    public static SizePoint? Advised(IReadOnlyList<SizePoint> curve) => curve.Count < 3 ? null : curve[Knee.Find([.. curve.Select(point => (
        (double)point.Keep.Sum(), point.Proof.Outputs.Where(output => !output.IsState).Max(output => output.MeanDifference)))])];

    /// <summary>Costs and gains of every size: the worst output, bytes and time.</summary>
    public static Table Sizes(IReadOnlyList<SizePoint> curve)
    {
        Table table = new(
            new("units"),
            new("mean difference", "g3"),
            new("same decisions (%)", "0.00"),
            new("bytes", "#,0"),
            new("us a call", "0.0"),
            new("before", "0.0"));
        foreach (SizePoint point in curve)
        {
            GraphProof proof = point.Proof;
            OutputDifference worst = proof.Outputs.Where(output => !output.IsState).MaxBy(output => output.MeanDifference)!;
            double? agreement = 100 * worst.Agreement;
            table.Add(point.Size, worst.MeanDifference, agreement, proof.BytesAfter, proof.MicrosecondsAfter, proof.MicrosecondsBefore);
        }

        return table;
    }

    /// <summary>Writes the page.</summary>
    /// <param name="path">The file.</param>
    /// <param name="original">Name of the original's file.</param>
    /// <param name="shrinksState">Whether the states between calls shrank too.</param>
    /// <param name="command">Returns the command for a size.</param>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public void Save(string path, string original, bool shrinksState, Func<SizePoint, string> command)
    {
        GraphProof proof = chosen.Proof;
        ReportPage page = new($"{original} with {chosen.Size} units") { Command = command(chosen), Device = "ONNX Runtime, 1 thread" };
        page.AddAnswer(Answer(original, proof), Findings(original, proof, shrinksState));
        page.AddText($"Measured on {proof.HeldOut} sequences that neither chose nor trained anything.");
        page.Add(Differences()).Add(Times());
        page.AddHeading("Nodes").Add(Nodes(proof)).AddHeading("Outputs").Add(Outputs(proof));
        page.AddText(
            "A node that no step was seen of was never run by the calibration, and is as it was. " +
            "States are outputs that go into the next call.");
        string slider = SizeSlider.ToHtml(points, Array.IndexOf(points, chosen), command), html = page.ToHtml();
        const string end = "</main>";
        int at = html.LastIndexOf(end, StringComparison.Ordinal);
        byte[] bytes = Encoding.UTF8.GetBytes(html.Insert(at, slider));
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    private LineChart Differences()
    {
        LineChart chart = new("What is lost", new Axis("units kept, all layers"), new Axis("mean difference of the output"));
        foreach (string name in chosen.Proof.Outputs.Where(output => !output.IsState).Select(output => output.Label))
        {
            chart.Add(new Series(
                name, points.Select(point => ((double)point.Keep.Sum(), point.Proof.Outputs.First(output => output.Label == name).MeanDifference))));
        }

        return chart;
    }

    private LineChart Times() => new LineChart("What is gained", new Axis("units kept, all layers"), new Axis("time of a call (us)"))
        .Add(new Series("smaller graph", points.Select(point => ((double)point.Keep.Sum(), point.Proof.MicrosecondsAfter))))
        .Add(new Series("original", points.Select(point => ((double)point.Keep.Sum(), point.Proof.MicrosecondsBefore))));
}
