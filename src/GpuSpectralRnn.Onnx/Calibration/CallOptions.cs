namespace GpuSpectralRnn.Onnx.Calibration;

/// <summary>Options of the calls of a graph.</summary>
/// <param name="Fixed">Inputs with a value that stays: name to numbers. Several numbers for an input of one are taken in turns.</param>
/// <param name="States">Outputs whose value is an input of the next call: output to input. A sequence begins with zeros.</param>
public sealed record CallOptions(IReadOnlyDictionary<string, double[]> Fixed, IReadOnlyDictionary<string, string> States)
{
    /// <summary>Independent calls, all inputs from the data.</summary>
    public static CallOptions None { get; } = new(new Dictionary<string, double[]>(), new Dictionary<string, string>());

    /// <summary>
    /// Whether the graph may count on calls as these: inputs of the shapes that the data have, inputs in <see cref="Fixed"/> of that value.
    /// </summary>
    public bool IsSpecialized { get; init; }

    /// <summary>Whether calls carry a state.</summary>
    public bool IsStreaming => States.Count > 0;

    /// <summary>Reads <c>NAME=VALUE</c> (several values: with commas) and <c>OUTPUT=INPUT</c>.</summary>
    /// <exception cref="InvalidCallException">A pair is no pair, or a value is no number.</exception>
    public static CallOptions Parse(IEnumerable<string> settings, IEnumerable<string> states)
    {
        Dictionary<string, double[]> values = [];
        foreach ((string name, string value) in settings.Select(text => Split("`Fixed`", text, "NAME=VALUE, for example sr=16000")))
        {
            if (!values.TryAdd(name, Array.ConvertAll(value.Split(','), part => Number(name, part))))
                throw new InvalidCallException($"`Fixed` {name} is given twice.");
        }

        Dictionary<string, string> pairs = [];
        foreach ((string output, string input) in states.Select(text => Split("`States`", text, "OUTPUT=INPUT, for example stateN=state")))
            if (!pairs.TryAdd(output, input)) throw new InvalidCallException($"`States` {output} is given twice.");
        return new CallOptions(values, pairs);
    }

    private static (string Name, string Value) Split(string parameter, string text, string form)
    {
        int at = text.IndexOf('=', StringComparison.Ordinal);
        return at > 0 && at < text.Length - 1 ? (text[..at], text[(at + 1)..]) : throw new InvalidCallException($"{parameter} {text}: give {form}.");
    }

    private static double Number(string name, string text) => text switch
    {
        "true" => 1,
        "false" => 0,
        _ => double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out double value)
            ? value
            : throw new InvalidCallException($"`Fixed` {name}={text}: {text} is not a number."),
    };
}
