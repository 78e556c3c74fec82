using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data;

public sealed class GeneratedTaskTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(100)]
    public void Adding_asks_for_the_sum_of_the_two_marked_numbers(int length)
    {
        AddingTask task = AddingTask.Create(length, 40, seed: 3);
        Batch batch = ReadAll(task);

        for (int b = 0; b < 40; b++)
        {
            List<int> marked = [];
            float sum = 0f;
            for (int t = 0; t < length; t++)
            {
                int at = ((t * 40) + b) * 2;
                Assert.InRange(batch.Inputs[at], 0f, 0.99999997f);
                if (batch.Inputs[at + 1] == 0f) continue;
                Assert.Equal(1f, batch.Inputs[at + 1]);
                marked.Add(t);
                sum += batch.Inputs[at];
            }

            Assert.Equal(2, marked.Count);
            Assert.True(marked[0] < length / 2 && marked[1] >= length / 2);
            Assert.Equal(sum, batch.Values[b]); // the same two numbers in the same order: the same bits
        }
    }

    [Fact]
    public void Adding_baseline_is_the_error_of_answering_one()
    {
        const int count = 20_000;
        Batch batch = ReadAll(AddingTask.Create(5, count, seed: 1));
        double error = 0;
        foreach (float value in batch.Values) error += (value - 1.0) * (value - 1.0) / count;

        // The squared error's own deviation is sqrt(E z^4 - 1/36) = sqrt(1/15 - 1/36) = 0.197 per sequence, 0.0014 over 20,000; three and a half of
        // them.
        Assert.Equal(AddingTask.BaselineMeanSquaredError, error, 0.005);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(37)]
    public void Copy_asks_for_the_string_after_the_delay(int delay)
    {
        CopyTask task = CopyTask.Create(delay, 23, seed: 8);
        Batch batch = ReadAll(task);
        int steps = delay + 20;

        Assert.Equal(new SequenceLayout(steps, 10, TargetKind.LabelPerStep, 9), task.Layout);
        for (int b = 0; b < 23; b++)
        {
            int[] symbols = new int[steps];
            for (int t = 0; t < steps; t++)
            {
                float[] oneHot = batch.Inputs.Slice(((t * 23) + b) * 10, 10).ToArray();
                Assert.Equal(1, oneHot.Count(v => v == 1f));
                Assert.Equal(9, oneHot.Count(v => v == 0f));
                symbols[t] = Array.IndexOf(oneHot, 1f);
                Assert.Equal(t < steps - 10 ? 8 : symbols[t - (steps - 10)], batch.Labels[(t * 23) + b]);
            }

            Assert.All(symbols[..10], s => Assert.InRange(s, 0, 7));
            Assert.All(symbols[10..(delay + 9)], s => Assert.Equal(8, s));
            Assert.Equal(9, symbols[delay + 9]);
            Assert.All(symbols[(delay + 10)..], s => Assert.Equal(8, s));
        }
    }

    [Fact]
    public void Copy_uses_every_symbol_and_knows_its_baseline()
    {
        CopyTask task = CopyTask.Create(30, 50, seed: 2);

        Assert.Equal(9, ReadAll(task).Labels.ToArray().Distinct().Count());
        Assert.Equal(10 * Math.Log(8) / 50, task.BaselineCrossEntropy, 12);
    }

    [Fact]
    public void A_sequence_depends_on_seed_part_and_index_alone()
    {
        foreach (Func<int, ulong, DataPart, ISequenceData> create in new Func<int, ulong, DataPart, ISequenceData>[]
        {
            (count, seed, part) => AddingTask.Create(9, count, seed, part),
            (count, seed, part) => CopyTask.Create(9, count, seed, part),
        })
        {
            float[] reference = Inputs(create(10, 1, DataPart.Train), 7);

            Assert.Equal(reference, Inputs(create(100, 1, DataPart.Train), 7));
            Assert.NotEqual(reference, Inputs(create(10, 2, DataPart.Train), 7));
            Assert.NotEqual(reference, Inputs(create(10, 1, DataPart.Test), 7));
            Assert.NotEqual(reference, Inputs(create(10, 1, DataPart.Train), 6));
        }
    }

    [Fact]
    public void Impossible_tasks_are_refused()
    {
        Assert.Throws<InvalidCallException>(() => AddingTask.Create(1, 1, 0));
        Assert.Throws<InvalidCallException>(() => AddingTask.Create(5, 0, 0));
        Assert.Throws<InvalidCallException>(() => CopyTask.Create(0, 1, 0));
        Assert.Throws<InvalidCallException>(() => CopyTask.Create(5, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Inputs(AddingTask.Create(5, 3, 0), 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Inputs(CopyTask.Create(5, 3, 0), -1));
    }

    private static Batch ReadAll(ISequenceData data)
    {
        BatchReader reader = new(data, data.Count);
        Assert.True(reader.Next());
        return reader.Batch;
    }

    private static float[] Inputs(ISequenceData data, int index)
    {
        Batch batch = new(data.Layout, 1);
        data.Read([index], batch);
        return batch.Inputs.ToArray();
    }
}
