using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

public class EvaluationTests
{
    private static readonly Architecture Model = new()
    {
        Cell = Cell.Lstm, Inputs = 3, Vocabulary = 8, Hidden = [4], Outputs = 8, Readout = Readout.Every,
    };

    // Uniform chances over 8 tokens: perplexity 8, 3 bits; over all 20 tokens, not the mean of batches.
    private static readonly LossSums Uniform = new(20 * Math.Log(8), 5, 20, 0, -1);

    [Fact]
    public void Words_are_measured_by_perplexity()
    {
        Evaluation result = Evaluation.From(Uniform, Model with { Unit = TextUnit.Word });

        Assert.Equal("perplexity", result.Metric);
        Assert.Equal(8, result.Value, 12);
        Assert.Equal((Math.Log(8), 20L), (result.Loss, result.Rows));
        Assert.Equal("perplexity 8, loss 2.0794", result.ToString());
        Assert.Equal("perplexity", Evaluation.From(Uniform, Model).Metric);
    }

    [Fact]
    public void Characters_are_measured_by_bits_and_show_the_perplexity_too()
    {
        Evaluation result = Evaluation.From(Uniform, Model with { Unit = TextUnit.Char });

        Assert.Equal("bits-per-char", result.Metric);
        Assert.Equal(3, result.Value, 12);
        Assert.Equal(8, result.Perplexity!.Value, 12);
        Assert.Equal("bits-per-char 3, perplexity 8, loss 2.0794", result.ToString());
    }

    [Fact]
    public void Tokens_with_labels_of_their_own_are_measured_by_accuracy()
    {
        Assert.Equal("accuracy", Evaluation.From(Uniform, Model with { Outputs = 3 }).Metric);
        Assert.Equal("accuracy", Evaluation.From(Uniform, Model with { Readout = Readout.Last }).Metric);
        Assert.Equal("accuracy", Evaluation.From(Uniform, Model with { Vocabulary = 0 }).Metric);
        Assert.Null(Evaluation.From(Uniform, Model with { Vocabulary = 0 }).Perplexity);
    }

    [Fact]
    public void A_lower_perplexity_is_better_and_a_higher_accuracy()
    {
        LossSums worse = Uniform with { Loss = 50, Correct = 4 };
        foreach (Architecture model in new[] { Model, Model with { Unit = TextUnit.Char }, Model with { Vocabulary = 0 } })
        {
            (Evaluation good, Evaluation bad) = (Evaluation.From(Uniform, model), Evaluation.From(worse, model));

            Assert.True(good.IsBetterThan(bad));
            Assert.False(bad.IsBetterThan(good) || good.IsBetterThan(good));
        }
    }
}
