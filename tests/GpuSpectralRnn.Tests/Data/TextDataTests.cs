using GpuSpectralRnn.Data;

namespace GpuSpectralRnn.Tests.Data;

public class TextDataTests
{
    private static readonly Vocabulary Letters = new(TextUnit.Word, "abcdefghijkl".Select(c => c.ToString()));

    [Fact]
    public void Windows_are_time_major_and_ask_for_the_next_token()
    {
        TextData data = Text(10, steps: 4); // 9 asked: windows of 4, 4 and 1
        Batch batch = new(data.Layout, 2);
        data.Read([1, 2], batch);

        Assert.Equal((3, 9, 4, 14), (data.Count, data.Asked, data.Layout.Steps, data.Layout.Vocabulary));
        Assert.Equal([4, 8, 5, 0, 6, 0, 7, 0], batch.Tokens.ToArray()); // [T 4, B 2]
        Assert.Equal([5, 9, 6, -1, 7, -1, 8, -1], batch.Labels.ToArray());
        Assert.Equal([4, 1], batch.Lengths.ToArray());
    }

    [Fact]
    public void A_column_that_ran_out_is_empty()
    {
        TextData data = Text(4, steps: 2);
        Batch batch = new(data.Layout, 2);
        data.Read([0, 1], batch);
        data.Read([1, -1], batch);

        Assert.Equal([2, 0, 0, 0], batch.Tokens.ToArray());
        Assert.Equal([3, -1, -1, -1], batch.Labels.ToArray());
        Assert.Equal([1, 0], batch.Lengths.ToArray());
    }

    // Each token but the first is asked for once, whatever the windows and columns.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(5, 64)]
    [InlineData(11, 1)]
    [InlineData(12, 4)]
    public void A_pass_in_columns_asks_for_every_token_once_and_each_row_goes_on(int steps, int columns)
    {
        BatchReader reader = new(Text(12, steps), columns);
        List<int> asked = [];
        int[] last = [];
        while (reader.Next())
        {
            (Batch batch, int size) = (reader.Batch, reader.Batch.Size);
            for (int b = 0; b < size; b++)
            {
                if (reader.Continues && batch.Lengths[b] > 0) Assert.Equal(last[b], batch.Tokens[b]);
                for (int t = 0; t < batch.Lengths[b]; t++) Assert.Equal(batch.Tokens[(t * size) + b] + 1, batch.Labels[(t * size) + b]);
            }

            last = [.. Enumerable.Range(0, size).Select(b => batch.Lengths[b] == 0 ? -1 : batch.Labels[((batch.Lengths[b] - 1) * size) + b])];
            foreach (int label in batch.Labels) if (label >= 0) asked.Add(label);
        }

        Assert.Equal(Enumerable.Range(1, 11), asked.Order());
    }

    [Fact]
    public void A_text_shorter_than_a_window_makes_one_shorter_window()
    {
        TextData data = Text(3, steps: 35);

        Assert.Equal((1, 2, 2), (data.Count, data.Asked, data.Layout.Steps));
    }

    [Fact]
    public void Windows_held_out_share_one_token_and_no_question()
    {
        (TextData kept, TextData held) = Text(10, steps: 4).HoldOut(1);

        Assert.Equal((2, 8), (kept.Count, kept.Asked));
        Assert.Equal((1, 1), (held.Count, held.Asked));
        Assert.Equal([8], Tokens(held));
    }

    [Theory]
    [InlineData(1.0 / 6, 9, 1)] // 10 of 12 stay: 9 are asked for
    [InlineData(0.5, 5, 5)]
    [InlineData(0.7, 3, 7)]
    public void A_share_is_cut_at_a_token(double share, int keptAsked, int heldAsked)
    {
        (TextData kept, TextData held) = Text(12, steps: 4).HoldOut(share);

        Assert.Equal((keptAsked, heldAsked), (kept.Asked, held.Asked));
        Assert.Equal(keptAsked + 1, Tokens(held)[0]);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Contains("empty", Assert.Throws<InvalidCallException>(() => Text(0, 4)).Message);
        Assert.Contains("single token", Assert.Throws<InvalidCallException>(() => Text(1, 4)).Message);
        Assert.Contains("0 steps", Assert.Throws<InvalidCallException>(() => Text(9, 0)).Message);
        Assert.Contains("name 1 to 2", Assert.Throws<InvalidCallException>(() => Text(10, 4).HoldOut(3)).Message);
        Assert.Contains("both parts", Assert.Throws<InvalidCallException>(() => Text(10, 4).HoldOut(0.1)).Message);
        Assert.Contains("between 0 and 1", Assert.Throws<InvalidCallException>(() => Text(10, 4).HoldOut(1.0)).Message);
        TextData data = Text(10, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Read([3], new Batch(data.Layout, 1)));
    }

    private static TextData Text(int tokens, int steps) => new("text", Letters, Enumerable.Range(0, tokens).ToArray(), steps);

    private static int[] Tokens(TextData data)
    {
        Batch batch = new(data.Layout, 1);
        data.Read([0], batch);
        return batch.Tokens.ToArray();
    }
}
