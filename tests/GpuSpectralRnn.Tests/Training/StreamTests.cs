using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>Training and evaluation over one long stream: columns, carried state, checkpoints inside an epoch.</summary>
public sealed class StreamTests : IDisposable
{
    // 47 tokens in windows of 5: 46 asked in 10 windows, the last of one step. 3 columns of 4 windows: the third runs out after two.
    private const int Tokens = 47;

    private static readonly Vocabulary Letters = new(TextUnit.Char, "abcdefg".Select(c => c.ToString()));

    private static readonly TrainingSettings Settings = new()
    {
        Epochs = 3, BatchSize = 3, Optimizer = OptimizerKind.Sgd, LearningRate = 0.5, Dropout = 0.3, Seed = 9,
    };

    private readonly TemporaryFolder folder = new();
    private readonly IBackend backend = new HostBackend();

    public void Dispose()
    {
        backend.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(5, 1)]
    [InlineData(5, 3)]
    [InlineData(5, 64)]
    [InlineData(1, 7)]
    [InlineData(46, 2)]
    [InlineData(100, 4)]
    public void The_loss_is_that_of_every_token_but_the_first_given_those_before_it_in_its_column(int steps, int columns)
    {
        using Network network = Make(Cell.Lstm);
        TextData data = Text(steps);
        using Evaluator evaluator = new(network, data, columns);
        Evaluation result = evaluator.Run();

        // By the double reference, column by column in one piece.
        ReferenceNetwork reference = ReferenceNetwork.Of(network);
        int[] text = Numbers.Integers(Tokens, 3, 0, Letters.Count);
        int rows = Math.Min(columns, data.Count), width = (data.Count + rows - 1) / rows * data.Layout.Steps;
        double sum = 0;
        for (int first = 0; first < Tokens - 1; first += width)
        {
            int length = Math.Min(width, Tokens - 1 - first);
            double[] logits = reference.Forward(text[first..(first + length)], length, 1);
            sum += length * reference.CrossEntropy(logits, text[(first + 1)..(first + length + 1)]);
        }

        Assert.Equal(Tokens - 1, result.Rows);
        Close.Equal(sum / (Tokens - 1), result.Loss, rtol: 1e-5, atol: 0); // a few hundred roundings of 6e-8
        Assert.Equal(result, evaluator.Run());
    }

    [Fact]
    public void With_one_column_the_length_of_the_windows_changes_nothing()
    {
        using Network network = Make(Cell.Gru);
        double[] losses = [.. new[] { 1, 5, 7, 46 }.Select(steps =>
        {
            using Evaluator evaluator = new(network, Text(steps), 1);
            return evaluator.Run().Loss;
        })];
        Assert.All(losses, loss => Close.Equal(losses[0], loss, rtol: 1e-12, atol: 0)); // the same rows, summed in other groups
    }

    [Theory]
    [InlineData(Cell.Irnn, 1)]
    [InlineData(Cell.Lstm, 2)]
    [InlineData(Cell.Lstm, 3)]
    [InlineData(Cell.Gru, 4)]
    [InlineData(Cell.Lstm, 6)]
    [InlineData(Cell.Lstm, 11)]
    public void Stopped_between_two_windows_and_resumed_a_run_ends_with_the_same_bits(Cell cell, int stopAfter)
    {
        (float[] expected, Evaluation? valid) = Train(cell);
        string path = folder.File("run");
        using (CancellationTokenSource stop = new())
            Train(cell, path, cancellation: stop.Token, onStep: report => { if (report.Step == stopAfter) stop.Cancel(); });
        Checkpoint checkpoint = Checkpoint.Load(path);
        (float[] resumed, Evaluation? validAfter) = Train(cell, resume: checkpoint);

        Assert.Equal(stopAfter, checkpoint.State.Step);
        Assert.Equal(stopAfter % 4 == 0, checkpoint.Carried.Count == 0);
        Assert.Equal(expected, resumed);
        Assert.Equal(valid, validAfter);
    }

    [Fact]
    public void The_state_is_carried_in_training()
    {
        // A rate that changes nothing: the losses of an epoch are then those of the evaluation, whose columns carry their state.
        using Network network = Make(Cell.Lstm);
        using Evaluator evaluator = new(network, Text(5), Settings.BatchSize);
        double expected = evaluator.Run().Loss;
        using Trainer trainer = new(network, Text(5), null, Settings with { Epochs = 1, Dropout = 0, LearningRate = 1e-20 });
        Close.Equal(expected, trainer.Run().Training!.Loss, rtol: 1e-12, atol: 0);
    }

    [Fact]
    public void A_checkpoint_without_the_state_is_refused()
    {
        string path = folder.File("run");
        using (CancellationTokenSource stop = new())
            Train(Cell.Lstm, path, cancellation: stop.Token, onStep: report => { if (report.Step == 2) stop.Cancel(); });
        Checkpoint whole = Checkpoint.Load(path);
        Checkpoint part = new()
        {
            Recipe = whole.Recipe, Settings = whole.Settings, State = whole.State, Parameters = whole.Parameters, Optimizer = whole.Optimizer,
        };

        Assert.Contains("lacks the state", Assert.Throws<InvalidCallException>(() => Train(Cell.Lstm, resume: part)).Message);
    }

    [Fact]
    public void A_bidirectional_network_or_one_answer_per_sequence_is_refused()
    {
        using Network both = Network.Create(Architecture(Cell.Lstm) with { IsBidirectional = true }, backend, 1);
        using Network last = Network.Create(Architecture(Cell.Lstm) with { Readout = Readout.Last }, backend, 1);

        Assert.Contains("bidirectional", Assert.Throws<InvalidCallException>(() => new Trainer(both, Text(5), null, Settings)).Message);
        Assert.Contains("every", Assert.Throws<InvalidCallException>(() => new Evaluator(last, Text(5), 2)).Message);
    }

    private static Architecture Architecture(Cell cell) =>
        NetworkTests.Make(cell, "6,5", Readout.Every, TaskKind.Classification, inputs: 4, outputs: Letters.Count) with { Vocabulary = Letters.Count };

    private static TextData Text(int steps) => new("toy", Letters, Numbers.Integers(Tokens, 3, 0, Letters.Count), steps);

    private Network Make(Cell cell) => NetworkTests.Perturbed(Architecture(cell), backend);

    private (float[] Weights, Evaluation? Valid) Train(
        Cell cell, string? path = null, Checkpoint? resume = null, Action<StepReport>? onStep = null, CancellationToken cancellation = default)
    {
        using Network network = Make(cell);
        using Trainer trainer = new(network, Text(5), Text(7), Settings) { CheckpointPath = path, ReportEvery = TimeSpan.Zero, Stepped = onStep };
        if (resume is not null) trainer.Restore(resume);
        TrainingResult result = trainer.Run(cancellation);
        return (network.Parameters.Values.ToArray(), result.Validation);
    }
}
