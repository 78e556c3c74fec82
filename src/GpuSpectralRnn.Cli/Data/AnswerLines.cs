using System.Globalization;
using System.Text.Json.Nodes;
using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Answers to sequences as people read them: the most probable class with its probability, or values in their own unit.</summary>
/// <param name="data">What was asked about.</param>
/// <param name="classes">Names of the classes; null of a regression.</param>
/// <param name="targets">What the values are; null of classes.</param>
internal sealed class AnswerLines(ISequenceData data, IReadOnlyList<string>? classes, IReadOnlyList<TargetScale>? targets)
{
    private readonly SortedDictionary<int, (string Line, JsonObject Json)> answers = [];

    /// <summary>The lines, in the order of the sequences.</summary>
    public IEnumerable<string> Lines => answers.Values.Select(answer => answer.Line);

    /// <summary>The same as JSON.</summary>
    public JsonArray Json => [.. answers.Values.Select(answer => answer.Json)];

    /// <summary>Takes the outputs [O] for a sequence.</summary>
    public void Add(int sequence, ReadOnlySpan<float> outputs)
    {
        string name = data.NameOf(sequence) ?? $"sequence {sequence}";
        answers[sequence] = targets is null ? Class(name, outputs) : Values(name, outputs, targets);
    }

    private (string Line, JsonObject Json) Class(string name, ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best]) best = i;
        }

        double sum = 0;
        foreach (float logit in logits) sum += Math.Exp(logit - logits[best]);
        string label = classes is not null && best < classes.Count ? classes[best] : best.ToString(CultureInfo.InvariantCulture);
        return (FormattableString.Invariant($"{name}: {label} ({100 / sum:0.0} %)"),
            new JsonObject { ["name"] = name, ["class"] = label, ["probability"] = Terminal.Number(1 / sum) });
    }

    private static (string Line, JsonObject Json) Values(string name, ReadOnlySpan<float> outputs, IReadOnlyList<TargetScale> targets)
    {
        JsonObject values = [];
        List<string> shown = [];
        for (int d = 0; d < targets.Count; d++)
        {
            double value = targets[d].Restore(outputs[d]);
            values[targets[d].Name] = Terminal.Number(value);
            shown.Add(FormattableString.Invariant($"{targets[d].Name} {value:g6}"));
        }

        return ($"{name}: {string.Join(", ", shown)}", new JsonObject { ["name"] = name, ["values"] = values });
    }
}
