using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using GpuSpectralRnn.Mpi.Tests.Members;
using GpuSpectralRnn.Mpi.Tests.Support;
using Xunit.Abstractions;

namespace GpuSpectralRnn.Mpi.Tests;

// One group after the other: they need all cores.
[CollectionDefinition("groups", DisableParallelization = true)]
public class GroupCollection;

[Collection("groups")]
public class OpenMpiGroupTests(ITestOutputHelper output) : GroupTests(MpiFlavour.OpenMpi, output);

[Collection("groups")]
public class MpichGroupTests(ITestOutputHelper output) : GroupTests(MpiFlavour.Mpich, output);

/// <summary>Groups of processes under a real launcher: what they compute, how they wait, and how they end.</summary>
public abstract partial class GroupTests(MpiFlavour flavour, ITestOutputHelper output)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly Mpirun mpirun = new(flavour);

    private MpiFlavour OtherFlavour => flavour == MpiFlavour.OpenMpi ? MpiFlavour.Mpich : MpiFlavour.OpenMpi;

    // Sums of three and four members have other trees; jobs share a start, which takes a second.
    [SkippableTheory]
    [InlineData(2, "sums,messages,large,rules")]
    [InlineData(3, "sums,messages,place")]
    [InlineData(4, "sums")]
    public void SumsAreThoseOfTheTreeAndEveryByteArrives(int size, string jobs)
    {
        Outcome outcome = Succeeds(jobs, size);

        Assert.Equal(jobs.Contains("place", StringComparison.Ordinal) ? Places(size) : [], PlaceLines(outcome));
    }

    [SkippableFact]
    public void WaitingTakesHardlyAnyProcessorTime()
    {
        string line = LateLine().Match(Succeeds("late", 2).Out).Value;
        output.WriteLine(line);
        double[] times = [.. Numbers().Matches(line).Select(number => double.Parse(number.Value, CultureInfo.InvariantCulture))];

        // Looking all the time burns 1300 to 2000 ms.
        Assert.InRange(times[0], Lateness.Delay.TotalMilliseconds - 100, 10_000);
        Assert.InRange(times[1], 0, 300);
    }

    [SkippableFact]
    public void PlacesOnTheMachineWithoutTheLaunchersHelp()
    {
        mpirun.SkipIfMissing();
        using Process process = mpirun.Start(3, ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"], "place");

        Assert.Equal(Places(3), PlaceLines(Mpirun.Finish(process).Succeeds("place", 3)));
    }

    [SkippableFact]
    public void AMemberThatAbortsEndsAll() => Ends("abort", 3, Endings.Code, "gsrnn: rank 1: the disk is full");

    [SkippableFact]
    public void AnyThreadMayAbort() => Ends("abort-beside", 2, Endings.Code, "gsrnn: rank 1: a second signal");

    [SkippableFact]
    public void AMemberThatLeavesEndsAll() => Ends("leave", 2, 1, "gsrnn: rank 1: the process ended before its group did");

    [SkippableFact]
    public void MessagesThatAreTooShort() => Ends("long", 2, 1, "gsrnn: rank 1: Member 0 sent 3 bytes where member 1 expects 8.");

    [SkippableFact]
    public void MessagesThatAreTooLong()
    {
        mpirun.SkipIfMissing();
        Outcome outcome = mpirun.Run(2, "short");

        Assert.Equal(1, outcome.Code);
        Assert.Matches("gsrnn: rank 1: MPI: MPI_[A-Za-z]+ failed: .*truncate", outcome.Error);
    }

    [SkippableFact]
    public void AMemberThatIsKilledEndsAll()
    {
        mpirun.SkipIfMissing();
        using Process process = mpirun.Start(3, [], "wait");
        Dictionary<int, int> processes = [];
        while (processes.Count < 3 && process.StandardOutput.ReadLine() is { } line)
        {
            output.WriteLine(line);
            int[] numbers = [.. Numbers().Matches(line).Select(number => int.Parse(number.Value, CultureInfo.InvariantCulture))];
            processes.Add(numbers[0], numbers[1]);
        }

        Assert.Equal(3, processes.Count);
        Process.GetProcessById(processes[1]).Kill();
        Stopwatch clock = Stopwatch.StartNew();
        Outcome outcome = Mpirun.Finish(process);
        output.WriteLine($"exit code {outcome.Code} after {clock.Elapsed}");
        while (processes.Values.Any(Runs) && clock.Elapsed < Soon) Thread.Sleep(20);

        Assert.NotEqual(0, outcome.Code);
        Assert.DoesNotContain(processes.Values, Runs);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, Soon);
    }

    [SkippableFact]
    public void ALibraryOfTheOtherFlavourIsRefused()
    {
        mpirun.SkipIfMissing();
        Mpirun.SkipIfNoLibrary(OtherFlavour);
        string library = OtherFlavour.Libraries()[0];

        using Process process = mpirun.Start(2, [$"{LibraryChoice.Variable}={library}"], "place");
        Outcome outcome = Mpirun.Finish(process);

        Assert.Equal(2, outcome.Code);
        Assert.Contains($"gsrnn: MPI: {flavour.Name()}'s mpirun started 2 processes, but with {library} (", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("place", outcome.Out, StringComparison.Ordinal);
    }

    private static string[] Places(int size) => [.. Enumerable.Range(0, size).Select(rank => $"place {rank} of {size}, {rank} of {size} here")];

    private static string[] PlaceLines(Outcome outcome) =>
        [.. outcome.OutLines.Where(line => line.StartsWith("place", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    // A zombie, which nobody has asked for its exit code yet, has ended.
    private static bool Runs(int process)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{process}/stat");
            return status[status.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Outcome Succeeds(string job, int size)
    {
        mpirun.SkipIfMissing();
        return mpirun.Run(size, job).Succeeds(job, size);
    }

    private void Ends(string job, int size, int code, string line)
    {
        mpirun.SkipIfMissing();
        mpirun.Run(size, job).FailsWith(code, line);
    }

    [GeneratedRegex("waited [0-9]+ ms and burnt [0-9]+ ms")]
    private static partial Regex LateLine();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();
}
