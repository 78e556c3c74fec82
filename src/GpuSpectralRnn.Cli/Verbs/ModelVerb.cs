using GpuSpectralRnn.Interchange;
using System.Diagnostics;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>Base of verbs that apply a model to a data set.</summary>
internal abstract class ModelVerb : SequenceVerb
{
    private DataSource? source;

    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file (safetensors).")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("split", MetaValue = "S", HelpText = "train, valid or test (default: test, else valid, else train).")]
    public string? Split { get; set; }

    [Option("data", MetaValue = "NAME", HelpText = nameof(HelpTexts.Data), ResourceType = typeof(HelpTexts))]
    public override string Data { get; set; } = "";

    /// <summary>Opens the model and the data, which must fit it.</summary>
    /// <param name="backend">Where the network computes.</param>
    /// <param name="terminal">Where it is told what is worth telling.</param>
    /// <param name="answers">Whether the data are asked about, so that all of them are taken where no part is named.</param>
    protected (Network Network, string Split, ISequenceData Data) Open(IBackend backend, Terminal terminal, bool answers = false)
    {
        CheckDataOptions();
        if (Split is not null) EnumNames.Parse<DataPart>(Split, "--split");
        Recipe recipe = ModelFile.LoadRecipe(ModelPath);
        source = new DataSource(this, recipe, terminal.Note);
        (string split, ISequenceData data) = answers ? source.OpenToAnswer(Split) : source.Open(Split);
        if (NoiseSnr is not null && split == "train")
            throw new InvalidCallException("--noise-snr is for what is judged, the split valid or test; the training part stays clean.");
        recipe.CheckFits(data.Layout, data.Name);
        return (ModelFile.Load(ModelPath, backend), split, data);
    }

    /// <summary>Where the data came from, once they are open.</summary>
    protected DataSource Source => source ?? throw new InvalidOperationException("No data are open.");

    /// <summary>Tells every ten seconds how far a pass is.</summary>
    protected static Action<int> Counter(Terminal terminal, int count)
    {
        Stopwatch whole = Stopwatch.StartNew();
        Stopwatch sinceLine = Stopwatch.StartNew();
        return done =>
        {
            if (sinceLine.Elapsed < TimeSpan.FromSeconds(10)) return;
            sinceLine.Restart();
            TimeSpan left = whole.Elapsed * ((double)(count - done) / done);
            terminal.Note($"{done:N0} of {count:N0} sequences, {Progress.ProgressText.Format(left)} left");
        };
    }
}
