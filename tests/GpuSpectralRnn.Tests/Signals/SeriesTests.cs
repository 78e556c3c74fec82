using System.Globalization;
using System.Text;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Signals.Series;
using GpuSpectralRnn.Tests.Formats;

namespace GpuSpectralRnn.Tests.Signals;

public sealed class SeriesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("a,b\n1,2\n3,4\n")]
    [InlineData("a;b\r\n1;2\r\n3;4")]
    [InlineData("a\tb\n1\t2\n\n3\t4\n\n")]
    [InlineData("a|b\n1|2\n3|4\n")]
    [InlineData("\uFEFFa, b\n 1 ,2e0\n+3,  4.0\n")]
    [InlineData("\"a\",\"b\"\n\"1\",2\n3,\"4\"\n")]
    [InlineData("\"a\",\"b\"\n1,2\n3,4")]
    public void Separators_quotes_and_blanks_are_those_of_everyday_files(string text)
    {
        SeriesTable table = Read(text);

        Assert.Equal(["a", "b"], table.Names);
        Assert.Equal([1, 3], table.Column("a"));
        Assert.Equal([2, 4], table.Column("b"));
    }

    [Fact]
    public void Quoted_names_may_hold_separators_quotes_and_line_ends()
    {
        SeriesTable table = Read("\"x, \"\"wet\"\"\",\"two\nlines\"\n1,2\n3,x\n", columns: ["x, \"wet\""]);

        Assert.Equal([1, 3], table.Column("x, \"wet\""));
        Assert.Equal(3, table.LineOf(0));
        Assert.Contains("line 4, column 'two", Refused("\"x\",\"two\nlines\"\n1,2\n3,x\n"));
    }

    [Fact]
    public void A_first_line_of_numbers_is_no_header_unless_it_is_said()
    {
        Assert.Equal(["1", "2"], Read("5,6\n7,8\n").Names);
        Assert.Equal(["1", "2"], Read("2020-01-01,6\n2020-01-02,8\n", columns: ["2"]).Names.Prepend("1"));
        Assert.Equal(["2019", "2020"], Read("2019,2020\n7,8\n", new SeriesFormat(HasHeader: true)).Names);
        Assert.Contains("'a'", Refused("a,b\n1,2\n", new SeriesFormat(HasHeader: false)));
    }

    [Fact]
    public void A_column_of_dates_is_no_input_and_must_not_go_back()
    {
        SeriesTable table = Read("date,x\n2020-01-01 10:00,1\n2020-01-01 11:00,2\n");

        Assert.Equal(["x"], table.Names);
        Assert.Equal("date", table.TimeColumn);
        Assert.Equal(["2020-01-01 10:00", "2020-01-01 11:00"], table.Times);
        Assert.Contains("backwards at line 3", Refused("date,x\n2020-01-02,1\n2020-01-01,2\n"));
        Assert.Contains("backwards at line 4", Refused("t,x\n1,1\n3,2\n2,5\n", new SeriesFormat(TimeColumn: "t")));
        Assert.Contains("neither a date", Refused("date,x\n2020-01-02,1\nlater,2\n"));
    }

    [Theory]
    [InlineData("a,b\n1,2\n3,four\n", "line 3, column 'b': 'four' is no number")]
    [InlineData("a;b\n1;2\n3;4,5\n", "line 3, column 'b': '4,5' is no number (decimal points are read)")]
    [InlineData("a,b\n1,inf\n", "line 2, column 'b'")]
    [InlineData("a,b\n1,2\n3\n", "line 3 has 1 cells, the first line 2")]
    [InlineData("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells, the first line 2")]
    [InlineData("a,a\n1,2\n", "column 'a' twice")]
    [InlineData("a,b\n", "no rows")]
    [InlineData("", "no rows")]
    [InlineData("a,b\n1,\0\n", "zero bytes")]
    public void What_is_no_number_is_refused_with_its_place(string text, string why) => Assert.Contains(why, Refused(text));

    [Theory]
    [InlineData(MissingValues.Previous, new double[] { 2, 2, 3, 3, 3, 6, 6 })]
    [InlineData(MissingValues.Linear, new double[] { 2, 2, 3, 4, 5, 6, 6 })]
    [InlineData(MissingValues.Mean, new double[] { 2.5, 2, 3, 2.5, 2.5, 6, 2.5 })] // the first four rows are the training part
    public void Gaps_are_filled_as_their_rule_says(MissingValues missing, double[] expected)
    {
        string path = Put("x\nNA\n2\n3\n-\n\"\"\n6\nnan\n".Replace("\"\"", "?"));
        SeriesSet set = new(path, Settings with { Window = 1, Missing = missing, Parts = (60, 0, 40) });

        SeriesData all = set.LoadAll();
        Batch batch = new(all.Layout, all.Count);
        all.Read([.. Enumerable.Range(0, all.Count)], batch);
        TargetScale scale = Assert.Single(set.Preparation.Targets);
        double[] restored = [.. batch.Inputs.ToArray().Select(value => scale.Restore(value))];
        Assert.Equal(expected.Length, restored.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], restored[i], 1e-5);
        Assert.Contains("line 2, column 'x': a gap", Assert.Throws<InvalidCallException>(() => new SeriesSet(path, Settings)).Message);
    }

    [Fact]
    public void Windows_read_the_past_and_parts_follow_each_other()
    {
        // Row r holds r and 1000 + r.
        string path = Put("x,y\n" + string.Concat(Enumerable.Range(0, 50).Select(r => $"{r},{1000 + r}\n")));
        SeriesSet set = new(path, Settings with { Target = ["y"], Window = 4, Horizon = 3, Parts = (60, 20, 20) });
        SeriesPreparation preparation = set.Preparation;

        // Scaled by the training part alone: rows 0 to 29.
        Assert.Equal(14.5, preparation.Inputs[0].Mean, 1e-9);
        Assert.Equal(Math.Sqrt(Enumerable.Range(0, 30).Average(r => (r - 14.5) * (r - 14.5))), preparation.Inputs[0].Deviation, 1e-9);
        List<double> forecast = [];
        foreach (DataPart part in (DataPart[])[DataPart.Train, DataPart.Valid, DataPart.Test])
        {
            SeriesData data = set.Load(part)!;
            Assert.Equal(new SequenceLayout(4, 2, TargetKind.Value, 1), data.Layout);
            Batch batch = new(data.Layout, data.Count);
            data.Read([.. Enumerable.Range(0, data.Count)], batch);
            for (int n = 0; n < data.Count; n++)
            {
                double target = preparation.Targets[0].Restore(batch.Values[n]);
                forecast.Add(target);
                for (int t = 0; t < 4; t++)
                    Assert.Equal(target - 1000 - 3 - (3 - t), preparation.Inputs[0].Restore(batch.Inputs[((t * data.Count) + n) * 2]), 1e-3);
            }
        }

        Assert.Equal(Enumerable.Range(6, 44), forecast.Select(value => (int)Math.Round(value) - 1000)); // each row once, in order: 24 + 10 + 10
        Assert.Equal((24, 10, 10), (set.Load(DataPart.Train)!.Count, set.Load(DataPart.Valid)!.Count, set.Load(DataPart.Test)!.Count));
        Assert.Equal(50 - 3, set.LoadAll().Count);
        Assert.Equal("row 53", set.LoadAll().NameOf(46));
    }

    [Fact]
    public void A_model_s_columns_and_scaling_are_kept_for_other_files()
    {
        SeriesSet trained = new(
            Put("x,y\n" + string.Concat(Enumerable.Range(0, 50).Select(r => $"{r},{r % 7}\n"))), Settings with { Target = ["y"], Window = 3 });
        SeriesPreparation note = SeriesPreparation.FromJson(trained.Preparation.ToJson());
        string path = Put("y,z,x\n1,a,100\n2,b,200\n3,c,300\n");
        SeriesSet other = new(path, new SeriesSetSettings { Preparation = note, Parts = (0, 0, 100) });

        Assert.Equal(trained.Preparation.ToJson(), other.Preparation.ToJson());
        SeriesData all = other.LoadAll();
        Batch batch = new(all.Layout, 1);
        all.Read([0], batch);
        Assert.Equal([100, 1, 200, 2, 300, 3], batch.Inputs.ToArray().Select((value, i) => Math.Round(note.Inputs[i % 2].Restore(value), 3)));
        Assert.All((string[])["", "null", "{}", note.ToJson().Replace("\"window\":3", "\"window\":0"), note.ToJson().Replace("[{", "[null,{")],
            damaged => Assert.Throws<RunFailedException>(() => SeriesPreparation.FromJson(damaged)));
    }

    [Fact]
    public void Settings_that_cannot_be_are_refused()
    {
        string path = Put("x,y,same\n" + string.Concat(Enumerable.Range(0, 20).Select(r => $"{r},{r % 7},5\n")));
        Says("`Window` 0", Settings with { Window = 0 });
        Says("`Horizon` 0", Settings with { Horizon = 0 });
        Says("`Target`", Settings with { Target = [] });
        Says("no column 'w'; it has x, y, same", Settings with { Target = ["w"] });
        Says("`Parts` 50,0,20", Settings with { Parts = (50, 0, 20) });
        Says("none of 20 rows", Settings with { Parts = (0, 0, 100) });
        Assert.Null(new SeriesSet(path, Settings with { Window = 14 }).Load(DataPart.Train));
        Assert.Contains("20 rows; a window takes 21",
            Assert.Throws<InvalidCallException>(() => new SeriesSet(path, Settings with { Window = 21 }).LoadAll()).Message);
        Assert.Equal(1, new SeriesSet(path, Settings with { Target = ["same"] }).Preparation.Targets[0].Deviation); // a constant is not scaled

        void Says(string why, SeriesSetSettings settings) =>
            Assert.Contains(why, Assert.Throws<InvalidCallException>(() => new SeriesSet(path, settings)).Message);
    }

    private static SeriesSetSettings Settings => new() { Window = 2, Target = ["x"] };

    private string Put(string text) => folder.Put(Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture), Encoding.UTF8.GetBytes(text));

    private SeriesTable Read(string text, SeriesFormat? format = null, string[]? columns = null) =>
        SeriesTable.Read(Put(text), format ?? new SeriesFormat(), columns);

    private string Refused(string text, SeriesFormat? format = null)
    {
        Exception fault = Assert.ThrowsAny<Exception>(() => Read(text, format));
        Assert.True(fault is InvalidCallException or BrokenFileException, fault.ToString());
        return fault.Message;
    }
}
