using System.Text.RegularExpressions;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The options that set what the library's messages name in backticks: its parameters and properties.</summary>
internal static partial class ParameterOptions
{
    /// <summary>From the library's name, whatever its capitals, to how a user sets it.</summary>
    internal static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["blas"] = "--blas",
        ["block"] = "--block",
        ["cell"] = "--cell",
        ["SecondMomentsFile.Save"] = "gsrnn spectrum --save-covariance",
        ["data"] = "--data",
        ["delta"] = "--delta",
        ["Density"] = "--density",
        ["embedding"] = "--embedding",
        ["ExpansionLimit"] = "--expansion-limit",
        ["Fixed"] = "--set",
        ["fraction"] = "--fraction",
        ["GroupPenalty"] = "--iss-lambda",
        ["traceNorm"] = "--trace-norm",
        ["GateRate"] = "--gate-lr",
        ["InputRadius"] = "--input-radius",
        ["keep"] = "--keep",
        ["KeepEmbedding"] = "--keep-embedding",
        ["kernels"] = "--kernel",
        ["lambda"] = "--lambda",
        ["lengthsPath"] = "--lengths L.npy",
        ["linear"] = "--linear",
        ["methods"] = "--methods",
        ["PenaltyFactor"] = "--l0-lambda",
        ["Refine"] = "--refine",
        ["readout"] = "--readout",
        ["ridge"] = "--ridge",
        ["roundTo"] = "--round-to",
        ["RewindEpoch"] = "--rewind",
        ["IsSpecialized"] = "--specialize",
        ["ShrinksState"] = "--shrink-state",
        ["States"] = "--state",
        ["StepFraction"] = "--step-fraction",
        ["TargetFraction"] = "--target-fraction",
        ["theta"] = "--theta",
        ["tolerance"] = "--tolerance",
        ["trace"] = "--trace",
        ["unit"] = "--unit",
    };

    /// <summary>A message of the library in the words of the command line: <c>`keep` 0: ...</c> becomes <c>--keep 0: ...</c>.</summary>
    public static string Spell(string message) => Name().Replace(message, name => All.GetValueOrDefault(name.Groups[1].Value, name.Value));

    /// <summary>A name in backticks.</summary>
    [GeneratedRegex(@"`([\w.]+)`")]
    internal static partial Regex Name();
}
