using CommandLine;
using GpuSpectralRnn.Cli.Calls;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>The options of recordings and of time series.</summary>
internal abstract partial class SequenceVerb
{
    [Option("data-dir", MetaValue = "DIR",
        HelpText = "cifar10: the folder of the binary batches (.bin or .bin.gz), or the .tar.gz; speech: a folder or .tar.gz of WAV files, " +
            "in folders named by their classes, or named as FSDD's (7_jackson_32.wav).")]
    [ReadsFile]
    public string? DataFolder { get; set; }

    [Option("input", MetaValue = "F",
        HelpText = "speech: a WAV file, or a folder or archive of them, to ask a model about (predict, eval); it knows its features.")]
    [ReadsFile]
    public string? Input { get; set; }

    [Option("features", MetaValue = "K",
        HelpText = "speech: log-mel (default) or mfcc; as all that describes features, a trained model knows its own.")]
    public string? Features { get; set; }

    [Option("rate", MetaValue = "HZ", HelpText = "speech: samples a second that recordings are brought to (default: those of the first).")]
    public int? SampleRate { get; set; }

    [Option("frame", MetaValue = "MS", HelpText = "speech: milliseconds of a frame, under a Hann window (default 25).")]
    public double? Frame { get; set; }

    [Option("hop", MetaValue = "MS", HelpText = "speech: milliseconds from frame to frame (default 10).")]
    public double? Hop { get; set; }

    [Option("fft", MetaValue = "N", HelpText = "speech: points of the Fourier transform, a power of two (default: the smallest that holds a frame).")]
    public int? Transform { get; set; }

    [Option("bands", MetaValue = "N", HelpText = "speech: mel bands (default 40).")]
    public int? Bands { get; set; }

    [Option("coefficients", MetaValue = "N", HelpText = "speech: coefficients of mfcc (default 13).")]
    public int? Coefficients { get; set; }

    [Option("seconds", MetaValue = "S",
        HelpText = "speech: cut recordings to their first S seconds (default: not cut); the longest one decides on memory and time.")]
    public double? Seconds { get; set; }

    [Option("normalize", MetaValue = "N", HelpText = "speech: global (default: mean and variance of each band over the training part) or none.")]
    public string? Normalize { get; set; }

    [Option("classes", MetaValue = "A,B", HelpText = "speech: read only these classes (default: all).")]
    public string? Classes { get; set; }

    [Option("split-by", MetaValue = "R", HelpText =
        "speech: index (FSDD: test on recordings 0 to 4), list (validation_list.txt and testing_list.txt), hash (Speech Commands' rule: 10 % each " +
        "by the SHA-1 of the name) or speaker; default: what the names and lists suggest.")]
    public string? SplitBy { get; set; }

    [Option("test-speakers", MetaValue = "A,B", HelpText = "speech: whom to test on.")]
    public string? TestSpeakers { get; set; }

    [Option("valid-speakers", MetaValue = "A,B", HelpText = "speech: whom to watch.")]
    public string? ValidSpeakers { get; set; }

    [Option("noise-snr", MetaValue = "DB",
        HelpText = "speech: add noise, DB decibels below each recording's mean power, to what is judged (test and valid; never train).")]
    public double? NoiseSnr { get; set; }

    [Option("noise", MetaValue = "K", HelpText = "speech: white (default; by --data-seed) or background, stretches of _background_noise_.")]
    public string? Noise { get; set; }

    [Option("cache", MetaValue = "DIR",
        HelpText = "speech: where features are kept for later runs, or off (default: gsrnn in the user's cache folder).")]
    public string? Cache { get; set; }

    [Option("file", MetaValue = "F.csv", HelpText = "csv: the time series, a row for every time (.gz or not).")]
    [ReadsFile]
    public string? SeriesFile { get; set; }

    [Option("window", MetaValue = "T", HelpText = "csv: rows that a network reads.")]
    public int? SeriesWindow { get; set; }

    [Option("horizon", MetaValue = "H", HelpText = "csv: how many rows after the last of them the forecast is for (default 1).")]
    public int? Horizon { get; set; }

    [Option("target", MetaValue = "C[,C]", HelpText = "csv: the columns to forecast.")]
    public string? Target { get; set; }

    [Option("columns", MetaValue = "C,C", HelpText = "csv: the columns to read (default: all but that of times, those to forecast too).")]
    public string? Columns { get; set; }

    [Option("time", MetaValue = "C", HelpText = "csv: the column of times or dates, which is no input (default: the first that begins with a date).")]
    public string? TimeColumn { get; set; }

    [Option("missing", MetaValue = "M", HelpText =
        "csv: what happens to gaps (empty, NA, NaN, null, -, ?): refuse (default), previous (the last number before), linear (between the numbers " +
        "around, which looks ahead), mean (of the training part).")]
    public string? Missing { get; set; }

    [Option("parts", MetaValue = "P,P,P",
        HelpText = "csv: shares of the rows in percent, in the order of time, to train, watch and test (default 70,10,20).")]
    public string? Parts { get; set; }

    [Option("header", MetaValue = "yes|no",
        HelpText = "csv: whether the first line names the columns (default: if none of its cells is a number); else they are 1, 2, ...")]
    public string? Header { get; set; }

    [Option("separator", MetaValue = "S", HelpText = "csv: comma, semicolon, tab, bar or a character (default: what the first line has).")]
    public string? Separator { get; set; }
}
