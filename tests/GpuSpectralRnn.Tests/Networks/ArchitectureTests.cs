using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Tests.Networks;

public class ArchitectureTests
{
    private static readonly Architecture Example = new()
    {
        Cell = Cell.RnnTanh,
        Inputs = 28,
        Hidden = [128, 42],
        Readout = Readout.Mean,
        Outputs = 10,
        View = "row",
        Data = new Dictionary<string, string> { ["name"] = "digits" },
    };

    [Fact]
    public void Json_comes_back_equal()
    {
        string json = Example.ToJson();

        Assert.Equal(Example, Architecture.FromJson(json));
        Assert.Equal(
            """{"cell":"rnn-tanh","inputs":28,"hidden":[128,42],"readout":"mean","outputs":10,"task":"classification","view":"row","data":{"name":"digits"}}""",
            json);
    }

    [Fact]
    public void Choices_may_be_left_out() => Assert.Equal(
        new Architecture { Cell = Cell.Irnn, Inputs = 1, Hidden = [2], Outputs = 3 },
        Architecture.FromJson("""{"cell":"irnn","inputs":1,"hidden":[2],"outputs":3}"""));

    [Theory]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[0],"outputs":3}""", "0 hidden units in layer 0")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[4,-1],"outputs":3}""", "-1 hidden units in layer 1")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[],"outputs":3}""", "at least one recurrent layer")]
    [InlineData("""{"cell":"irnn","inputs":0,"hidden":[2],"outputs":3}""", "0 inputs")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[2],"outputs":0}""", "0 outputs")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[1000000],"outputs":3}""", "parameters")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[9999999],"outputs":3}""", "9999999")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":null,"outputs":3}""", "hidden")]
    [InlineData("""{"cell":"elman","inputs":1,"hidden":[2],"outputs":3}""", "cell")]
    [InlineData("""{"cell":1,"inputs":1,"hidden":[2],"outputs":3}""", "cell")]
    [InlineData("""{"inputs":1,"hidden":[2],"outputs":3}""", "cell")]
    [InlineData("""{"cell":"irnn","inputs":1,"hidden":[2],"outputs":3,"bidirectional":true}""", "bidirectional")]
    [InlineData("""[1]""", "cannot be read")]
    [InlineData("""null""", "null")]
    [InlineData("""{"cell":""", "cannot be read")]
    public void Bad_json_is_refused_by_name(string json, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidCallException>(() => Architecture.FromJson(json)).Message);

    [Fact]
    public void Counts_are_those_of_the_formulas()
    {
        // 128 (28 + 128 + 2) + 42 (128 + 42 + 2) + 10 (42 + 1)
        Assert.Equal(20224 + 7224 + 430, Example.ParameterCount);
        Assert.Equal((128 * (28 + 128)) + (42 * (128 + 42)), Example.MultiplyAddsPerStep);
        Assert.Equal((28 * Example.MultiplyAddsPerStep) + 420, Example.MultiplyAddsPerSequence(28));
        Architecture every = Example with { Readout = Readout.Every };
        Assert.Equal(Example.MultiplyAddsPerStep + 420, every.MultiplyAddsPerStep);
        Assert.Equal(28 * every.MultiplyAddsPerStep, every.MultiplyAddsPerSequence(28));
    }

    [Theory]
    [InlineData(TargetKind.Label, 28, 10, Readout.Last, TaskKind.Classification, true)]
    [InlineData(TargetKind.Label, 28, 7, Readout.Mean, TaskKind.Classification, true)]
    [InlineData(TargetKind.None, 28, 0, Readout.Every, TaskKind.Regression, true)]
    [InlineData(TargetKind.LabelPerStep, 28, 10, Readout.Every, TaskKind.Classification, true)]
    [InlineData(TargetKind.Value, 28, 10, Readout.Last, TaskKind.Regression, true)]
    [InlineData(TargetKind.Label, 1, 10, Readout.Last, TaskKind.Classification, false)]
    [InlineData(TargetKind.Label, 28, 11, Readout.Last, TaskKind.Classification, false)]
    [InlineData(TargetKind.Label, 28, 10, Readout.Every, TaskKind.Classification, false)]
    [InlineData(TargetKind.Label, 28, 10, Readout.Last, TaskKind.Regression, false)]
    [InlineData(TargetKind.LabelPerStep, 28, 10, Readout.Last, TaskKind.Classification, false)]
    [InlineData(TargetKind.Value, 28, 9, Readout.Last, TaskKind.Regression, false)]
    [InlineData(TargetKind.Value, 28, 10, Readout.Every, TaskKind.Regression, false)]
    [InlineData(TargetKind.Value, 28, 10, Readout.Last, TaskKind.Classification, false)]
    public void Data_fit_or_are_refused(TargetKind target, int features, int outputs, Readout readout, TaskKind task, bool fits)
    {
        Architecture architecture = Example with { Readout = readout, Task = task };
        Exception? refusal = Record.Exception(() => architecture.CheckFits(new SequenceLayout(28, features, target, outputs), "the data"));

        if (fits) Assert.Null(refusal);
        else Assert.StartsWith("the data has", Assert.IsType<InvalidCallException>(refusal).Message);
    }

    [Fact]
    public void The_vocabulary_of_a_text_comes_back_and_fits()
    {
        Architecture model = new()
        {
            Cell = Cell.Lstm, Inputs = 2, Vocabulary = 4, Hidden = [3], Outputs = 4, Readout = Readout.Every,
            Unit = TextUnit.Char, Tokens = ["\n", "\"", "\u20AC", "\uFFFD"],
        };
        Architecture read = Architecture.FromJson(model.ToJson());

        Assert.Equal(model, read);
        Assert.Equal([2, 0, 3], read.CreateVocabulary()!.EncodeBeginning("\u20AC\nx"));
        Assert.True(read.IsLanguageModel);
        Assert.NotEqual(model, model with { Unit = TextUnit.Word, Tokens = ["<unk>", "<eos>", "a", "b"] });
        Assert.DoesNotContain("\u20AC", model.ToString());
        Assert.Null((model with { Unit = null }).CreateVocabulary());
        Refused(model with { Tokens = ["a", "b", "c", null!] }, "null");
        Vocabulary closed = (model with { Tokens = ["a", "b", "c", "d"] }).CreateVocabulary()!; // as other programs make them
        Assert.Null(closed.UnknownNumber);
        Assert.Contains("'e'", Assert.Throws<InvalidCallException>(() => closed.EncodeBeginning("be")).Message);
        Refused(model with { Tokens = ["a", "a", "c", "\uFFFD"] }, "'a' twice");
        Refused(model with { Tokens = null }, "not written down");
        Refused(model with { Tokens = ["a", "\uFFFD"] }, "2 written tokens");

        static void Refused(Architecture architecture, string named) =>
            Assert.Contains(named, Assert.Throws<InvalidCallException>(architecture.Validate).Message);
    }

    [Fact]
    public void Written_names_lead_back_to_the_values()
    {
        foreach (Cell cell in Enum.GetValues<Cell>()) Assert.Equal(cell, EnumNames.Parse<Cell>(cell.Name().ToUpperInvariant(), "`cell`"));
        Assert.Equal(["irnn", "rnn-tanh", "rnn-relu", "lstm", "gru", "gru-reset-before", "lstm-peephole"], EnumNames.All<Cell>());
        Assert.Contains(
            "irnn, rnn-tanh, rnn-relu, lstm, gru", Assert.Throws<InvalidCallException>(() => EnumNames.Parse<Cell>("elman", "`cell`")).Message);
        Assert.Throws<InvalidCallException>(() => EnumNames.Parse<Cell>("1", "`cell`"));
    }
}
