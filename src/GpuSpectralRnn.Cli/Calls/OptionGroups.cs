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

/// <summary>Work in several processes.</summary>
internal interface IGroupOptions
{
    [Option("mpi", MetaValue = "LIBRARY", HelpText =
        "Under mpirun -np N: the MPI library to load (default: the one of that mpirun's flavour). The processes share the work; the first prints and writes.")]
    string? Mpi { get; set; }
}

/// <summary>How batches are shared out.</summary>
internal interface IShardOptions : IGroupOptions
{
    [Option("shards", MetaValue = "S", HelpText =
        "Cut every batch into S parts, a power of two that N divides: the result has the same bits for every such N, one process included.")]
    int? Shards { get; set; }

    [Option("deterministic", HelpText =
        "Like --shards with as many parts as the first run had processes, kept by --resume, which any N that divides them may then use.")]
    bool IsDeterministic { get; set; }
}
