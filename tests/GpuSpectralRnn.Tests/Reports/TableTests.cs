using System.Text.Json.Nodes;
using GpuSpectralRnn.Reports;

namespace GpuSpectralRnn.Tests.Reports;

public class TableTests
{
    private static Table Sample() => new Table(new("method"), new("accuracy (%)", "0.00", "accuracy"), new("units"))
        .Add("spectral", 92.618, 42)
        .Add("random", double.NaN, null);

    [Fact]
    public void Text_aligns_numbers_to_the_right_and_words_to_the_left()
    {
        Assert.Equal("method    accuracy (%)  units\nspectral         92.62     42\nrandom               –      –\n", Sample().ToText());
    }

    [Fact]
    public void Markdown_says_which_columns_are_numbers()
    {
        Assert.Equal(
            "| method | accuracy (%) | units |\n| --- | ---: | ---: |\n| spectral | 92.62 | 42 |\n| random | – | – |\n", Sample().ToMarkdown());
    }

    [Fact]
    public void Markdown_escapes_what_would_break_the_row()
    {
        string row = new Table(new TableColumn("name")).Add("a|b\n<script>*").ToMarkdown().Split('\n')[2];

        Assert.Equal("| a\\|b &lt;script>\\* |", row);
    }

    [Fact]
    public void Csv_has_the_keys_full_precision_and_empty_fields_for_what_is_missing()
    {
        Assert.Equal("method,accuracy,units\r\nspectral,92.618,42\r\nrandom,,\r\n", Sample().ToCsv());
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"x\"", "\"say \"\"x\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("cr\r", "\"cr\r\"")]
    [InlineData("", "")]
    public void Csv_quotes_as_RFC_4180_says(string field, string written)
    {
        Assert.Equal($"name\r\n{written}\r\n", new Table(new TableColumn("name")).Add(field).ToCsv());
    }

    [Fact]
    public void Json_keeps_numbers_numbers()
    {
        JsonArray rows = Sample().ToJson();

        string expected = """[{"method":"spectral","accuracy":92.618,"units":42},{"method":"random","accuracy":null,"units":null}]""";
        Assert.Equal(expected, rows.ToJsonString());
    }

    [Fact]
    public void Terminals_get_no_control_characters()
    {
        string text = new Table(new TableColumn("name")).Add("\u001b[31mred\tx").ToText();

        Assert.Equal("name\n\uFFFD[31mred\uFFFDx\n", text);
    }

    [Fact]
    public void Rows_of_another_width_and_doubled_keys_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Sample().Add("alone"));
        Assert.Throws<ArgumentException>(() => new Table());
        Assert.Throws<ArgumentException>(() => new Table(new TableColumn("a"), new TableColumn("b", Key: "a")));
    }
}
