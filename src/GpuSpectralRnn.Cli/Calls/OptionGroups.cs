using CommandLine;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>The ridge of a reconstruction.</summary>
internal interface IRidgeOption
{
    [Option("ridge", MetaValue = "X", HelpText =
        "Ridge of the reconstruction, as a share of the mean power of a unit (default 1e-4, for lstm and gru 1e-3).")]
    double? Ridge { get; set; }
}

/// <summary>Training after pruning.</summary>
internal interface IFineTuningOptions
{
    [Option("fine-tune", Default = 0, MetaValue = "EPOCHS", HelpText =
        "Epochs that each network is trained further, by the labels of the training set; masks stay; 0: none.")]
    int FineTune { get; set; }

    [Option("fine-tune-lr", MetaValue = "X", HelpText = "Learning rate of that at its highest (default: that of the training, --lr of train).")]
    double? FineTuneRate { get; set; }
}
