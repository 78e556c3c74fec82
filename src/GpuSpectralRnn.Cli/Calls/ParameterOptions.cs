using System.Text.RegularExpressions;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The options that set what the library's messages name in backticks: its parameters and properties.</summary>
internal static partial class ParameterOptions
{
    /// <summary>From the library's name, whatever its capitals, to how a user sets it.</summary>
    internal static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["Bands"] = "--bands",
        ["blas"] = "--blas",
        ["block"] = "--block",
        ["cell"] = "--cell",
        ["Classes"] = "--classes",
        ["Coefficients"] = "--coefficients",
        ["Columns"] = "--columns",
        ["SecondMomentsFile.Save"] = "gsrnn spectrum --save-covariance",
        ["data"] = "--data",
        ["delta"] = "--delta",
        ["Density"] = "--density",
        ["embedding"] = "--embedding",
        ["ExpansionLimit"] = "--expansion-limit",
        ["Fixed"] = "--set",
        ["fraction"] = "--fraction",
        ["Frame"] = "--frame",
        ["GroupPenalty"] = "--iss-lambda",
        ["traceNorm"] = "--trace-norm",
        ["GateRate"] = "--gate-lr",
        ["Hop"] = "--hop",
        ["Horizon"] = "--horizon",
        ["InputRadius"] = "--input-radius",
        ["keep"] = "--keep",
        ["KeepEmbedding"] = "--keep-embedding",
        ["kernels"] = "--kernel",
        ["lambda"] = "--lambda",
        ["lengthsPath"] = "--lengths L.npy",
        ["library"] = "--mpi LIBRARY",
        ["linear"] = "--linear",
        ["methods"] = "--methods",
        ["Missing"] = "--missing",
        ["Parts"] = "--parts",
        ["mostWords"] = "--context-length",
        ["PenaltyFactor"] = "--l0-lambda",
        ["Rate"] = "--rate",
        ["Refine"] = "--refine",
        ["readout"] = "--readout",
        ["ridge"] = "--ridge",
        ["roundTo"] = "--round-to",
        ["Seconds"] = "--seconds",
        ["RewindEpoch"] = "--rewind",
        ["IsSpecialized"] = "--specialize",
        ["ShrinksState"] = "--shrink-state",
        ["Shards"] = "--shards",
        ["Snr"] = "--noise-snr",
        ["splitBy"] = "--split-by",
        ["States"] = "--state",
        ["Target"] = "--target",
        ["StepFraction"] = "--step-fraction",
        ["TargetFraction"] = "--target-fraction",
        ["testSpeakers"] = "--test-speakers",
        ["theta"] = "--theta",
        ["tolerance"] = "--tolerance",
        ["trace"] = "--trace",
        ["Transform"] = "--fft",
        ["unit"] = "--unit",
        ["validSpeakers"] = "--valid-speakers",
        ["Window"] = "--window",
    };

    /// <summary>A message of the library in the words of the command line: <c>`keep` 0: ...</c> becomes <c>--keep 0: ...</c>.</summary>
    public static string Spell(string message) => Name().Replace(message, name => All.GetValueOrDefault(name.Groups[1].Value, name.Value));

    /// <summary>A name in backticks.</summary>
    [GeneratedRegex(@"`([\w.]+)`")]
    internal static partial Regex Name();
}
