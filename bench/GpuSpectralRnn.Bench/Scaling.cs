using System.Diagnostics;
using System.Globalization;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Mpi;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Bench;

/// <summary>
/// What training costs on several machines (docs/many-machines.md): the time of a step in the group that mpirun started, and a model of it for groups that are
/// not at hand: computation at the size of a member's part, then the exchanges of the sum's tree one by one, each between two members that wait for each other.
/// </summary>
internal static class Scaling
{
    private const double Seconds = 3;
    private const int Pairs = 7;
    private const int Draws = 40;

    // Of a member's computation from step to step: what else a machine does.
    private const double Jitter = 0.03;

    private static readonly (string Name, double Latency, double Bandwidth)[] networks =
    [
        ("10 Gb/s", 30e-6, 1.1e9), // a switch, TCP
        ("100 Gb/s", 3e-6, 11e9), // remote memory
    ];

    private static readonly Case[] cases =
    [
        new("lstm-row", 64, backend => (Stack(backend, Cell.Lstm, 28, [128], 10, Readout.Last), Digits.Create(4096, 1, ImageView.Row))),
        new("lstm-ptb-small", 20, backend => (Text(backend, 200), Stream(20))),
        new("lstm-ptb-medium", 20, backend => (Text(backend, 650), Stream(35))),
    ];

    /// <summary>
    /// Measures steps of the group beside steps of the first member alone with as many threads as all have together, in turns, while the others sleep.
    /// </summary>
    public static void Measure(IEnumerable<string> names, int threads)
    {
        using IReplicas group = Launcher.Current is null ? LocalReplicas.Instance : MpiReplicas.Start();
        foreach (Case @case in Find(names))
        {
            List<(double Alone, double Shared)> pairs = [];
            for (int pair = 0; pair < Pairs; pair++)
            {
                double alone = group.Rank == 0 ? Step(@case, LocalReplicas.Instance, @case.Batch, threads * group.Size) : 0;
                group.Broadcast<byte>([0]);
                pairs.Add((alone, Step(@case, group, @case.Batch, threads)));
            }

            float[] values = new float[Parameters(@case)];
            double sum = Median(Enumerable.Range(0, 9).Select(_ => Timed(() => group.Sum<float>(values))));
            if (group.Rank == 0)
                Console.WriteLine(FormattableString.Invariant(
                    $"{@case.Name,-16} one process, {threads * group.Size} threads: {1000 * Median(pairs.Select(pair => pair.Alone)):0.0} ms a step; {group.Size} processes of {threads}: ")
                    + FormattableString.Invariant($"{1000 * Median(pairs.Select(pair => pair.Shared)):0.0} ms; ratio {Median(pairs.Select(pair => pair.Alone / pair.Shared)):0.00} ")
                    + FormattableString.Invariant($"({pairs.Min(pair => pair.Alone / pair.Shared):0.00} to {pairs.Max(pair => pair.Alone / pair.Shared):0.00}); sum of {values.Length:N0} gradients {1000 * sum:0.00} ms"));
        }
    }

    /// <summary>Prints the model's tables, from computation measured here on one thread.</summary>
    public static void Model(IEnumerable<string> names)
    {
        foreach (Case @case in Find(names))
        {
            int parameters = Parameters(@case);
            int[] parts = [.. Enumerable.Range(0, 12).Select(i => 1 << i).TakeWhile(part => part < 8 * @case.Batch)];
            Dictionary<int, double> compute = parts.ToDictionary(part => part, part => Step(@case, LocalReplicas.Instance, part, threads: 1));
            Console.WriteLine(FormattableString.Invariant($"\n**{@case.Name}**, {parameters:N0} parameters; a step alone, one thread: ")
                + string.Join(", ", parts.Select(part => FormattableString.Invariant($"B {part} {1000 * compute[part]:0.0} ms"))));
            foreach ((string name, double latency, double bandwidth) in networks)
            {
                Console.WriteLine($"\n| {name}, members | {string.Join(" | ", Sizes)} |\n|---|{string.Concat(Sizes.Select(_ => "---|"))}");
                Console.WriteLine($"| one batch of {@case.Batch}, shared: speed-up | {string.Join(" | ", Sizes.Select(Strong))} |");
                Console.WriteLine($"| {@case.Batch} for every member: efficiency | {string.Join(" | ", Sizes.Select(Weak))} |");

                string Strong(int size) => size > @case.Batch
                    ? "-"
                    : Shown(Interpolated(compute, @case.Batch) / Simulate(size, Interpolated(compute, (double)@case.Batch / size), 4.0 * parameters, latency, bandwidth));

                string Weak(int size) => Shown(Interpolated(compute, @case.Batch)
                    / Simulate(size, Interpolated(compute, @case.Batch), 4.0 * parameters, latency, bandwidth));
            }
        }
    }

    /// <summary>Mean seconds of a step of a group by the tree of <see cref="ReplicaSums"/>.</summary>
    /// <param name="size">N, a power of two.</param>
    /// <param name="compute">Seconds of a member's computation.</param>
    /// <param name="bytes">Of all gradients.</param>
    /// <param name="latency">Seconds from one member to another.</param>
    /// <param name="bandwidth">Bytes a second between two members, both ways at once.</param>
    internal static double Simulate(int size, double compute, double bytes, double latency, double bandwidth)
    {
        Random random = new(1);
        double total = 0;
        for (int draw = 0; draw < Draws; draw++)
        {
            double[] ready = [.. Enumerable.Range(0, size).Select(_ => compute * (1 + (Jitter * Math.Abs(Normal(random)))))];
            double part = bytes;
            for (int distance = 1; distance < size; distance *= 2) Meet(ready, distance, part /= 2);
            for (int distance = size / 2; distance > 0; distance /= 2, part *= 2) Meet(ready, distance, part);
            for (int distance = 1; distance < size; distance *= 2) Meet(ready, distance, 32); // how many rows, who stops
            total += ready.Max();
        }

        return total / Draws;

        void Meet(double[] ready, int distance, double sent)
        {
            for (int i = 0; i < size; i++)
            {
                if ((i & distance) != 0) continue;
                (double early, double late) = (Math.Min(ready[i], ready[i + distance]), Math.Max(ready[i], ready[i + distance]));
                double nap = Math.Min(0.001, (late - early) / 4) / 2; // who waits looks up now and then
                ready[i] = ready[i + distance] = late + nap + (sent > 64 << 10 ? 2 : 1) * latency + (sent / bandwidth);
            }
        }
    }

    private static int[] Sizes => [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

    private static string Shown(double value) => value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    private static IEnumerable<Case> Find(IEnumerable<string> names) => cases.Where(own => !names.Any() || names.Contains(own.Name));

    // Straight lines between the sizes that were measured.
    private static double Interpolated(Dictionary<int, double> compute, double part)
    {
        int below = compute.Keys.Where(own => own <= Math.Max(1, part)).Max();
        if (part <= below || !compute.ContainsKey(2 * below)) return compute[below];
        return compute[below] + ((compute[2 * below] - compute[below]) * (part - below) / below);
    }

    private static double Step(Case @case, IReplicas group, int batch, int threads)
    {
        using HostBackend backend = new(threads);
        (Network network, ISequenceData data) = @case.Create(backend);
        using Network owned = network;
        List<long> ends = [];
        using CancellationTokenSource limit = new();
        using Trainer trainer = new(network, data, null, new TrainingSettings { Epochs = 1000, BatchSize = batch, Clip = 1 }, plan: new ReplicaPlan(group))
        {
            ReportEvery = TimeSpan.Zero,
            Stepped = _ => ends.Add(Stopwatch.GetTimestamp()),
        };
        trainer.WarmUp();
        limit.CancelAfter(TimeSpan.FromSeconds(Seconds));
        trainer.Run(limit.Token);
        return Median(ends.Zip(ends.Skip(1), (from, to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds));
    }

    private static int Parameters(Case @case)
    {
        using HostBackend backend = new(1);
        using Network network = @case.Create(backend).Network;
        return (int)network.Parameters.Values.Count;
    }

    private static Network Stack(HostBackend backend, Cell cell, int inputs, int[] hidden, int outputs, Readout readout) =>
        Network.Create(new Architecture { Cell = cell, Inputs = inputs, Hidden = hidden, Outputs = outputs, Readout = readout }, backend, 1);

    // Zaremba's networks over Penn Treebank's 10,000 words.
    private static Network Text(HostBackend backend, int units) => Network.Create(
        new Architecture { Cell = Cell.Lstm, Vocabulary = 10_000, Inputs = units, Hidden = [units, units], Outputs = 10_000, Readout = Readout.Every }, backend, 1);

    private static TextData Stream(int steps)
    {
        Random random = new(1);
        int[] tokens = [.. Enumerable.Range(0, 1_000_000).Select(_ => random.Next(9_998))];
        return new TextData("random words", new Vocabulary(TextUnit.Word, Enumerable.Range(0, 9_998).Select(i => $"w{i}")), tokens, steps);
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Median(IEnumerable<double> values) => MedianTime.Of(values);

    private static double Timed(Action work)
    {
        long start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private sealed record Case(string Name, int Batch, Func<HostBackend, (Network Network, ISequenceData Data)> Create);
}
