using System.Globalization;
using GpuSpectralRnn.Cli.Verbs;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Signals.Series;

namespace GpuSpectralRnn.Cli.Data;

/// <summary>Time series in files of separated values.</summary>
internal sealed class CsvFormat : DataFormat
{
    public override string Name => "csv";

    public override string About => "a time series in columns, split by time";

    public override IReadOnlyList<string> Options =>
    [
        nameof(SequenceVerb.SeriesFile), nameof(SequenceVerb.SeriesWindow), nameof(SequenceVerb.Horizon), nameof(SequenceVerb.Target),
        nameof(SequenceVerb.Columns), nameof(SequenceVerb.TimeColumn), nameof(SequenceVerb.Missing), nameof(SequenceVerb.Parts),
        nameof(SequenceVerb.Header), nameof(SequenceVerb.Separator),
    ];

    public override Cell Cell => Cell.Lstm;

    public override string Required => "--data csv needs --file F.csv with enough rows to learn from (--parts).";

    public override DataParts Open(DataCall call)
    {
        if (call.Held is not null)
            throw new InvalidCallException("--holdout would cut the training part of a time series; choose the shares with --parts 70,10,20.");
        SequenceVerb options = call.Options;
        SeriesPreparation? known = call.Model?.Data.GetValueOrDefault(SeriesPreparation.Key) is { } note ? SeriesPreparation.FromJson(note) : null;
        if (known is not null) CheckSame(options, known);
        if (known is null && options.SeriesFile is not null)
        {
            if (options.SeriesWindow is null) throw new InvalidCallException("--data csv needs --window T, the rows that a network reads.");
            if (options.Target is null) throw new InvalidCallException("--data csv needs --target COLUMN[,COLUMN], what to forecast.");
        }

        SeriesSetSettings settings = new()
        {
            Window = options.SeriesWindow ?? 0,
            Horizon = options.Horizon ?? 1,
            Target = ListOption.Parse(options.Target),
            Columns = options.Columns is null ? null : ListOption.Parse(options.Columns),
            Missing = options.Missing is { } missing ? EnumNames.Parse<MissingValues>(missing, "--missing") : MissingValues.Refuse,
            Parts = Shares(options.Parts),
            Format = new SeriesFormat(Separator(options.Separator), Header(options.Header), options.TimeColumn),
            Preparation = known,
        };
        Lazy<SeriesSet> set = new(() =>
        {
            SeriesSet opened = new(options.SeriesFile!, settings);
            if (opened.TimeColumn is { } time && options.TimeColumn is null) call.Note?.Invoke($"the column '{time}' holds times and is no input");
            return opened;
        });
        return new(part => options.SeriesFile is null ? null : set.Value.Load(part))
        {
            Whole = () => options.SeriesFile is null ? null : set.Value.LoadAll(),
            Notes = () => new Dictionary<string, string> { [SeriesPreparation.Key] = set.Value.Preparation.ToJson() },
            Targets = () => known?.Targets ?? set.Value.Preparation.Targets,
        };
    }

    private static void CheckSame(SequenceVerb options, SeriesPreparation known)
    {
        string[] inputs = [.. known.Inputs.Select(scale => scale.Name)], targets = [.. known.Targets.Select(scale => scale.Name)];
        Check("--window", options.SeriesWindow, known.Window, options.SeriesWindow == known.Window);
        Check("--horizon", options.Horizon, known.Horizon, options.Horizon == known.Horizon);
        Check("--target", options.Target, string.Join(',', targets), ListOption.Parse(options.Target).SequenceEqual(targets));
        Check("--columns", options.Columns, string.Join(',', inputs), ListOption.Parse(options.Columns).SequenceEqual(inputs));
        Check("--missing", options.Missing, known.Missing.Name(), options.Missing == known.Missing.Name());
    }

    private static void Check(string option, object? given, object own, bool isSame)
    {
        if (given is not null && !isSame)
            throw new InvalidCallException($"{option} {given}: the model was trained with {own}; leave the option out.");
    }

    private static (double Train, double Valid, double Test) Shares(string? given)
    {
        if (given is null) return new SeriesSetSettings().Parts;
        double[] shares =
        [
            .. given.Split(',').Select(
                part => double.TryParse(part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double share) ? share : double.NaN),
        ];
        return shares is [var train, var valid, var test]
            ? (train, valid, test)
            : throw new InvalidCallException($"--parts {given}: three shares in percent, 70,10,20.");
    }

    private static char? Separator(string? given) => given switch
    {
        null => null,
        "comma" => ',',
        "semicolon" => ';',
        "tab" or "\\t" => '\t',
        "bar" => '|',
        [var one] when one is > ' ' and < (char)127 and not '"' and not '#' && !char.IsLetterOrDigit(one) => one,
        _ => throw new InvalidCallException(
            $"--separator {given}: choose comma, semicolon, tab, bar, or one character that is no letter, digit or quote."),
    };

    private static bool? Header(string? given) => given switch
    {
        null => null,
        "yes" => true,
        "no" => false,
        _ => throw new InvalidCallException($"--header {given}: choose yes or no."),
    };
}
