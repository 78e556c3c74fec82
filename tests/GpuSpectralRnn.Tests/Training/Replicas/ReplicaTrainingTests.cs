using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training.Replicas;

/// <summary>Runs of several members against runs of one.</summary>
public sealed class ReplicaTrainingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>A run that every member makes on its own: what is trained, on what, how, and what is pruned.</summary>
    public enum Case
    {
        /// <summary>23 sequences in batches of 8: the last batch has 7, and the last of four shards one less than the others.</summary>
        Classification,

        /// <summary>17 values in batches of 8: the last batch has 1, and three shards of four nothing.</summary>
        Regression,

        /// <summary>A stream of 9 columns with carried state: shards of 2, 2, 2 and 3 of them; the last column runs out.</summary>
        Stream,

        /// <summary>Gates with a target, whose draws and multipliers every member makes.</summary>
        Gates,

        /// <summary>Two layers with dropout between them, averaged weights, patience.</summary>
        Dropout,
    }

    [Theory]
    [InlineData(Case.Classification)]
    [InlineData(Case.Regression)]
    [InlineData(Case.Stream)]
    [InlineData(Case.Gates)]
    [InlineData(Case.Dropout)]
    public void Any_number_of_members_gives_the_bits_of_one_with_the_same_shards(Case @case)
    {
        Outcome one = Train(@case, LocalReplicas.Instance, shards: 4);
        foreach (int size in (int[])[1, 2, 4])
        {
            foreach (Outcome member in Group.Run(size, replicas => Train(@case, replicas, shards: 4)))
            {
                Assert.Equal(one.Weights, member.Weights);
                Assert.Equal(one.Gates, member.Gates);
                Assert.Equal(one.Training, member.Training);
                Assert.Equal(one.Validation, member.Validation);
            }
        }
    }

    [Theory]
    [InlineData(Case.Classification, 2)]
    [InlineData(Case.Classification, 3)]
    [InlineData(Case.Regression, 4)]
    [InlineData(Case.Stream, 2)]
    [InlineData(Case.Stream, 3)]
    [InlineData(Case.Gates, 2)]
    [InlineData(Case.Dropout, 2)]
    [InlineData(Case.Dropout, 5)]
    public void Members_train_as_one_alone_does_but_for_roundings(Case @case, int size)
    {
        Outcome alone = Train(@case, LocalReplicas.Instance, shards: null);
        Outcome shared = Group.Run(size, replicas => Train(@case, replicas, shards: null))[0];

        // Two epochs of a few steps of plain gradients: roundings of 6e-8 in sums of a hundred terms, a few of them on top of each other.
        Close.Equal(alone.Weights, shared.Weights, rtol: 1e-5, atol: 1e-6);
        Assert.Equal(alone.Training!.Rows, shared.Training!.Rows);
        Close.Equal(alone.Training.Loss, shared.Training.Loss, rtol: 1e-5, atol: 0);
    }

    [Theory]
    [InlineData(Case.Classification, 2)]
    [InlineData(Case.Stream, 2)]
    [InlineData(Case.Stream, 4)]
    [InlineData(Case.Gates, 1)]
    [InlineData(Case.Dropout, 4)]
    public void Four_members_then_two_then_one_end_with_the_bits_of_an_uninterrupted_run(Case @case, int steps)
    {
        Outcome uninterrupted = Train(@case, LocalReplicas.Instance, shards: 4);
        string path = folder.File("run");
        Group.Run(4, replicas => Train(@case, replicas, 4, path, resume: false, stopAfter: steps));
        Assert.Equal(4, Checkpoint.Load(path).Shards);
        Assert.Equal(steps, Checkpoint.Load(path).State.Step);
        Group.Run(2, replicas => Train(@case, replicas, 4, path, resume: true, stopAfter: steps + 1));
        Assert.Equal(steps + 1, Checkpoint.Load(path).State.Step);
        Outcome last = Train(@case, LocalReplicas.Instance, 4, path, resume: true);

        Assert.Equal(uninterrupted.Weights, last.Weights);
        Assert.Equal(uninterrupted.Gates, last.Gates);
        Assert.Equal(uninterrupted.Validation, last.Validation);
    }

    [Fact]
    public void A_single_shard_is_the_run_that_knows_of_none()
    {
        Outcome alone = Train(Case.Dropout, LocalReplicas.Instance, shards: null);
        Assert.Equal(alone.Weights, Train(Case.Dropout, LocalReplicas.Instance, shards: 1).Weights);
        Assert.NotEqual(alone.Weights, Train(Case.Dropout, LocalReplicas.Instance, shards: 2).Weights); // other roundings: the shards are there
    }

    [Fact]
    public void Members_begin_with_the_weights_of_the_first_one()
    {
        Outcome[] members = Group.Run(2, replicas => Train(Case.Classification, replicas, shards: null, perturb: replicas.Rank == 1));
        Assert.Equal(members[0].Weights, members[1].Weights);
        Assert.Equal(Train(Case.Classification, LocalReplicas.Instance, shards: 2).Weights, members[0].Weights);
    }

    [Fact]
    public void A_member_whose_weights_went_astray_ends_the_run()
    {
        Exception failure = Assert.Throws<AggregateException>(() => Group.Run(2, replicas => Train(
            Case.Classification, replicas, shards: null, onStep: network =>
            {
                if (replicas.Rank == 1) network.Parameters.Write("rnn.bias_hh_l0", Numbers.Normal(network.Parameters["rnn.bias_hh_l0"].Shape[0], 5));
            }))).InnerException!;
        Assert.Contains("weights of member 1 differ", Assert.IsType<RunFailedException>(failure).Message);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_written_ends_all_members()
    {
        string path = Path.Combine(folder.File("is a file"), "run");
        File.WriteAllText(folder.File("is a file"), "");
        string[] failures = Group.Run(2, replicas =>
            Assert.ThrowsAny<Exception>(() => Train(Case.Classification, replicas, shards: null, path)).Message);
        Assert.Contains("is a file", failures[0]);
        Assert.Equal("Member 0 could not write the checkpoint.", failures[1]);
    }

    [Theory]
    [InlineData(3, 1, "power of two")]
    [InlineData(0, 1, "power of two")]
    [InlineData(2, 4, "cannot be shared by 4")]
    [InlineData(4, 3, "cannot be shared by 3")]
    public void Shards_that_do_not_fit_are_refused(int shards, int size, string says) =>
        Assert.Contains(says, Assert.Throws<InvalidCallException>(() => new ReplicaPlan(ThreadReplicas.Create(size)[0], shards)).Message);

    [Fact]
    public void Batches_smaller_than_the_shards_and_another_number_of_shards_are_refused()
    {
        Assert.Contains(
            "16 parts cannot share batches of 8",
            Assert.Throws<InvalidCallException>(() => Train(Case.Classification, LocalReplicas.Instance, shards: 16)).Message);
        string path = folder.File("run");
        Train(Case.Classification, LocalReplicas.Instance, 4, path);
        InvalidCallException refused = Assert.Throws<InvalidCallException>(() => Train(Case.Classification, LocalReplicas.Instance, 2, path, resume: true));
        Assert.Contains("in 4 shards, not in 2", refused.Message);
        Train(Case.Classification, LocalReplicas.Instance, null, path, resume: true); // who asks for no shards takes any
    }

    private static Outcome Train(
        Case @case,
        IReplicas replicas,
        int? shards,
        string? path = null,
        bool resume = false,
        int stopAfter = 0,
        bool perturb = false,
        Action<Network>? onStep = null)
    {
        using HostBackend host = new(threads: 1);
        bool isText = @case == Case.Stream;
        int[] sizes = @case == Case.Dropout ? [6, 5] : [6];
        TargetKind target = @case == Case.Regression ? TargetKind.Value : TargetKind.Label;
        using Network network = isText
            ? TestNetworks.MakeLanguageModel(host, Cell.Lstm, sizes, embedding: 4)
            : TestNetworks.Make(
                host, Cell.Lstm, sizes, Readout.Last, inputs: 2, outputs: target == TargetKind.Value ? 1 : 3,
                task: target == TargetKind.Value ? TaskKind.Regression : TaskKind.Classification);
        if (perturb) network.Parameters.Write("rnn.bias_hh_l0", Numbers.Normal(network.Parameters["rnn.bias_hh_l0"].Shape[0], 5));
        ISequenceData data = isText ? new TokenData(31, 5, 7, isStream: true) : new ToyData(@case == Case.Regression ? 17 : 23, target);
        ISequenceData valid = isText ? new TokenData(19, 5, 7, isStream: true) : new ToyData(11, target);
        TrainingSettings settings = new()
        {
            Epochs = 2,
            BatchSize = isText ? 9 : 8,
            Optimizer = OptimizerKind.Sgd,
            LearningRate = 0.2,
            Seed = 3,
            Dropout = @case == Case.Dropout ? 0.3 : 0,
            Average = @case == Case.Dropout ? 0.9 : 0,
            Patience = @case == Case.Dropout ? 2 : 0,
        };
        using L0Pruning? gates = @case == Case.Gates ? new(new L0Settings { TargetFraction = 0.5, Gates = GatedUnits.All }) : null;
        ReplicaPlan plan = new(replicas, shards);
        using CancellationTokenSource stop = new();
        using Trainer trainer = new(network, data, valid, settings, gates, plan)
        {
            CheckpointPath = path,
            ReportEvery = TimeSpan.Zero,
            Stepped = report =>
            {
                onStep?.Invoke(network);
                if (report.Step == stopAfter && plan.IsFirst) stop.Cancel(); // the others learn of it
            },
        };
        if (resume) trainer.Restore(Checkpoint.Load(path!));
        TrainingResult result = trainer.Run(stop.Token);
        return new Outcome(
            network.Parameters.Values.ToArray(),
            gates is null ? [] : [.. gates.State.SelectMany(state => state.Values.ToArray())],
            result.Training,
            result.Validation);
    }

    private sealed record Outcome(float[] Weights, float[] Gates, Evaluation? Training, Evaluation? Validation);
}
