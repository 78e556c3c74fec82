using System.Text.Json;
using System.Text.RegularExpressions;

namespace GpuSpectralRnn.Formats;

/// <summary>Describes a JSON error without the serializer's message, which names types of the runtime.</summary>
public static partial class JsonFault
{
    /// <summary>For example <c>'cell' has no valid value</c>; no full stop.</summary>
    public static string Describe(JsonException fault)
    {
        if (Missing().Match(fault.Message) is { Success: true } missing) return $"{missing.Groups["names"].Value} is missing";
        if (Unknown().Match(fault.Message) is { Success: true } unknown)
            return $"'{unknown.Groups["name"].Value}' is not known; a newer version may have written it";
        if (fault.InnerException is JsonException || fault.Path is null) return $"it is no valid JSON from byte {fault.BytePositionInLine} of line {fault.LineNumber + 1} on";
        return fault.Path is { Length: > 2 } path ? $"'{path[2..]}' has no valid value" : "it is no valid JSON object";
    }

    [GeneratedRegex(@"missing required properties including: (?<names>'[^']+'(, '[^']+')*)")]
    private static partial Regex Missing();

    [GeneratedRegex(@"property '(?<name>[^']+)' could not be mapped")]
    private static partial Regex Unknown();
}
