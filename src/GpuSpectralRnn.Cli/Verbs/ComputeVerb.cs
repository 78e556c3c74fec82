using CommandLine;
using GpuSpectralRnn.Cli.Groups;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Cli.Verbs;

/// <summary>Base of verbs that compute: device, seed and threads.</summary>
internal abstract class ComputeVerb : Verb
{
    private const int MostThreads = 1024;

    /// <summary>What <c>--threads</c> is.</summary>
    public const string ThreadsHelp = "Threads of the host device and of what the processor does for others; 0: as many as there are cores.";

    [Option("device", Default = "auto", MetaValue = "D",
        HelpText = "auto, cuda[:i], opencl[:i], host or ilgpu-cpu; auto: CUDA, else OpenCL on a GPU, else host.")]
    public string Device { get; set; } = "auto";

    [Option("seed", Default = 1ul, MetaValue = "S", HelpText = "Seed of everything random.")]
    public ulong Seed { get; set; } = 1;

    [Option("threads", Default = 0, MetaValue = "N", HelpText = ThreadsHelp)]
    public int Threads { get; set; }

    [Option("kernel", Default = "auto", MetaValue = "K",
        HelpText = "How recurrent layers run on a GPU: persistent (all steps in one launch), stepwise, blocks (stepwise, skips blocks of zeros as --block leaves them), " +
            "or auto (persistent where the weights fit on chip).")]
    public string Kernel { get; set; } = "auto";

    [Option("blas", Default = "auto", MetaValue = "B",
        HelpText = "Who computes matrix products on a GPU: kernels, cublas, the same with -tf32 " +
            "(large products on tensor cores, factors of 10 bits), or auto (cublas for "
            + "large products on CUDA).")]
    public string Blas { get; set; } = "auto";

    /// <summary>Whether repeated launches may be queued as CUDA graphs.</summary>
    protected virtual bool UsesGraphs => true;

    /// <summary>Opens the requested device.</summary>
    protected IBackend OpenBackend()
    {
        int threads = Threads == 0 ? ProcessGroup.Threads(Group) : Threads;
        UseThreads(threads);
        string device = Group.Size == 1 ? Device : Devices.OfMember(Device, Group.LocalRank);
        IBackend backend = Devices.Open(
            device, threads, EnumNames.Parse<RecurrentStrategy>(Kernel, "--kernel"), EnumNames.Parse<ProductBackend>(Blas, "--blas"), UsesGraphs);
        Group.CheckEqual("kind of device", backend.Device.Id.Split(':')[0]);
        return backend;
    }

    /// <summary>Gives the processor as many threads as <c>--threads</c> says.</summary>
    public static void UseThreads(int threads)
    {
        if (threads is < 0 or > MostThreads) throw new InvalidCallException($"--threads {threads}: choose 1 to {MostThreads}, or 0 for one per core.");
        if (threads > 0) Devices.ProcessorThreads = threads;
    }
}
