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
    [Value(0, MetaName = "MODEL", Required = true, HelpText = "Model file (safetensors).")]
    [ReadsFile]
    public string ModelPath { get; set; } = "";

    [Option("split", MetaValue = "S", HelpText = "train, valid or test (default: test, else valid, else train).")]
    public string? Split { get; set; }

    /// <summary>Opens the model and the data, which must fit it.</summary>
    protected (Network Network, string Split, ISequenceData Data) Open(IBackend backend)
    {
        CheckDataOptions();
        if (Split is not null) EnumNames.Parse<DataPart>(Split, "--split");
        Recipe recipe = ModelFile.LoadRecipe(ModelPath);
        (string split, ISequenceData data) = new DataSource(this, recipe).Open(Split);
        recipe.CheckFits(data.Layout, data.Name);
        return (ModelFile.Load(ModelPath, backend), split, data);
    }

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
