using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

public sealed class EvaluatorTests : IDisposable
{
    private readonly HostBackend backend = new();

    [Theory]
    [InlineData(Readout.Last, TargetKind.Label)]
    [InlineData(Readout.Mean, TargetKind.Value)]
    [InlineData(Readout.Every, TargetKind.LabelPerStep)]
    public void Neither_metric_nor_outputs_depend_on_the_batch_size(Readout readout, TargetKind target)
    {
        using Network network = Make(readout, target);
        ToyData data = new(13, target);
        using Evaluator whole = new(network, data, 100);
        Evaluation expected = whole.Run();
        (Shape shape, float[] outputs) = whole.Predict();

        Assert.Equal(target == TargetKind.LabelPerStep ? 65 : 13, expected.Rows);
        Assert.Equal(readout == Readout.Every ? new Shape(13, 5, 3) : new Shape(13, network.Architecture.Outputs), shape);
        foreach (int batch in (int[])[1, 4, 13])
        {
            using Evaluator parts = new(network, data, batch);
            Evaluation evaluation = parts.Run();

            // Sums in double over fp32 losses; a row's own arithmetic may depend on its neighbours only by the order of additions.
            Close.Equal(expected.Loss, evaluation.Loss, rtol: 1e-6, atol: 0);
            Close.Equal(expected.Value, evaluation.Value, rtol: 1e-6, atol: 0);
            Close.Equal(outputs, parts.Predict().Values, rtol: 1e-6, atol: 1e-6);
        }
    }

    [Fact]
    public void Outputs_come_in_the_order_of_the_sequences()
    {
        using Network network = Make(Readout.Every, TargetKind.LabelPerStep);
        ToyData data = new(5, TargetKind.LabelPerStep);
        using Evaluator evaluator = new(network, data, 2);
        float[] all = evaluator.Predict().Values;
        Batch batch = new(data.Layout, 1);
        using Tensor input = backend.Allocate(new Shape(5, 1, 2));
        for (int n = 0; n < 5; n++)
        {
            data.Read([n], batch);
            input.CopyFrom<float>(batch.Inputs);
            Close.Equal(network.Forward(input).ToArray(), all.AsSpan(n * 15, 15).ToArray(), rtol: 1e-6, atol: 1e-6, what: $"sequence {n}");
        }
    }

    [Fact]
    public void The_metric_is_that_of_its_definition()
    {
        using Network network = Make(Readout.Last, TargetKind.Label);
        network.Parameters.Write("readout.weight", new float[network.Parameters["readout.weight"].Count]);
        network.Parameters.Write("readout.bias", [0f, 1f, 0f]);
        using Evaluator evaluator = new(network, new ToyData(7), 3);
        Evaluation evaluation = evaluator.Run();

        // Always class 1: sequences 1 and 4 of 0..6; the loss is log(2 + e) less the label's logit.
        Assert.Equal("accuracy", evaluation.Metric);
        Close.Equal(2.0 / 7, evaluation.Value, rtol: 1e-12, atol: 0);
        Close.Equal(Math.Log(2 + Math.E) - (2.0 / 7), evaluation.Loss, rtol: 1e-6, atol: 0);
    }

    [Fact]
    public void Without_targets_there_are_outputs_but_no_metric()
    {
        using Network network = Make(Readout.Last, TargetKind.Label);
        using Evaluator evaluator = new(network, new ToyData(4, TargetKind.None), 3);

        Assert.Equal(12, evaluator.Predict().Values.Length);
        Assert.Contains("no targets", Assert.Throws<InvalidCallException>(() => evaluator.Run()).Message);
    }

    [Fact]
    public void Data_that_do_not_fit_are_refused()
    {
        using Network network = Make(Readout.Last, TargetKind.Label);

        Assert.Throws<InvalidCallException>(() => new Evaluator(network, new ToyData(4, TargetKind.LabelPerStep), 3));
        Assert.Throws<InvalidCallException>(() => new Evaluator(network, new ToyData(0), 3));
        Assert.Throws<InvalidCallException>(() => new Evaluator(network, new ToyData(4), 0));
    }

    // 35 x 2048 x 33,278 = 2,385,367,040 wraps around to a negative length.
    [Fact]
    public void A_batch_of_more_outputs_than_an_array_holds_is_refused_with_the_remedy()
    {
        InvalidCallException refused = Assert.Throws<InvalidCallException>(() => Evaluator.BatchOutputs(35, 2048, 33_278));

        Assert.Contains("2048 sequences would have 2385367040 numbers", refused.Message);
        Assert.Contains("smaller batch", refused.Message);
        Assert.Equal(35 * 20 * 33_278, Evaluator.BatchOutputs(35, 20, 33_278));
    }

    public void Dispose() => backend.Dispose();

    private Network Make(Readout readout, TargetKind target)
    {
        TaskKind task = target == TargetKind.Value ? TaskKind.Regression : TaskKind.Classification;
        return Network.Create(
            NetworkTests.Make(Cell.RnnTanh, "7", readout, task, inputs: 2, outputs: task == TaskKind.Regression ? 1 : 3), backend, seed: 2);
    }
}
