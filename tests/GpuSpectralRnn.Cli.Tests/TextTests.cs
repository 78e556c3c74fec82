using System.Diagnostics;
using System.Text;
using System.Text.Json;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Language modelling from the command line.</summary>
public class TextTests
{
    private const string Verse = "the cat sat on the mat\nthe dog sat on the log\n";

    private static readonly string[] Small = ["--hidden", "6", "--epochs", "2", "--batch", "3", "--bptt", "5", "-q"];

    [Fact]
    public void WordsAreLearnedAndAllVerbsReadThemByTheModelsVocabulary()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse, times: 30);
        string test = folder.Text("test.txt", Verse + "a cat sat\n"); // 'a' was never seen
        string[] options = "--unit word --hidden 12 --embedding 7 --layers 2 --epochs 12 --batch 4 --bptt 6 --lr 0.02 -q --json".Split(' ');
        JsonElement trained = Gsrnn.Run(
            ["train", "--data", "text", "--train", train, "--holdout", "10%", .. options, "--out", folder["m"]]).Succeeds().Json;
        Assert.Equal("perplexity", trained.GetProperty("metric").GetProperty("name").GetString());

        // the cat sat on mat dog log <eos> <unk>: 9 words; two LSTM layers of 12.
        int parameters = (9 * 7) + (4 * 12 * (7 + 12 + 2)) + (4 * 12 * (12 + 12 + 2)) + (9 * (12 + 1));
        Assert.Equal(parameters, trained.GetProperty("parameters").GetInt32());

        // Two answers in each line of seven words are open: the entropy is 2 ln 2 / 7 per word, the perplexity 1.22.
        Assert.InRange(trained.GetProperty("metric").GetProperty("value").GetDouble(), 1, 1.5);

        JsonElement tested = Gsrnn.Run(["eval", folder["m"], "--data", "text", "--test", test, "--json"]).Succeeds().Json;
        Assert.Equal("perplexity", tested.GetProperty("metric").GetString());
        Assert.Equal(17, tested.GetProperty("tokens").GetInt32()); // 18 tokens, of which the first is never asked for
        Assert.Equal(Math.Exp(tested.GetProperty("loss").GetDouble()), tested.GetProperty("value").GetDouble(), 9);

        Outcome sample = Gsrnn.Run("sample", folder["m"], "--prompt", "the cat", "--length", "20", "--temperature", "0").Succeeds();
        Assert.StartsWith("the cat sat on the ", sample.Out);
        Assert.Contains("ms per token", sample.Error);
        Assert.Contains("\nthe ", sample.Out); // <eos> ends the line
    }

    [Fact]
    public void CharactersAreLearnedAndWrittenAgain()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", "abcd\n", times: 200);
        string[] options = "--unit char --cell gru --hidden 16 --tie-weights --epochs 8 --batch 4 --bptt 10 --lr 0.02 -q --json".Split(' ');
        JsonElement trained = Gsrnn.Run(["train", "--data", "text", "--train", train, .. options, "--out", folder["m"]]).Succeeds().Json;
        Assert.Equal("bits-per-char", trained.GetProperty("metric").GetProperty("name").GetString());
        Assert.InRange(trained.GetProperty("metric").GetProperty("value").GetDouble(), 0, 0.5);

        // Tied: the embedding [6, 16] is the read-out's weight too.
        Assert.Equal((6 * 16) + (3 * 16 * (16 + 16 + 2)) + 6, trained.GetProperty("parameters").GetInt32());
        Outcome eval = Gsrnn.Run("eval", folder["m"], "--data", "text", "--train", train, "--holdout", "3").Succeeds();
        Assert.StartsWith("bits-per-char ", eval.Out);
        Assert.Contains(", perplexity ", eval.Out);
        JsonElement sample = Gsrnn.Run("sample", folder["m"], "--length", "14", "--temperature", "0", "--json").Succeeds().Json;
        Assert.Equal("abcd\nabcd\nabcd", sample.GetProperty("text").GetString());
        Assert.Equal(14, sample.GetProperty("tokens").GetInt32());
        Assert.True(sample.GetProperty("msPerToken").GetDouble() > 0);
        Assert.StartsWith("cd\na", Gsrnn.Run("sample", folder["m"], "--prompt", "cd", "--length", "2", "--temperature", "0").Succeeds().Out);
    }

    [Fact]
    public void SamplesDependOnTheSeedAlone()
    {
        using Folder folder = new();
        Train(folder);
        string[] sample = ["sample", folder["m"], "--length", "40", "-q"];
        string first = Gsrnn.Run([.. sample, "--seed", "3"]).Succeeds().Out;
        Assert.Equal(first, Gsrnn.Run([.. sample, "--seed", "3"]).Out);
        Assert.NotEqual(first, Gsrnn.Run([.. sample, "--seed", "4"]).Out);
        Assert.Equal(
            Gsrnn.Run([.. sample, "--temperature", "0"]).Succeeds().Out,
            Gsrnn.Run([.. sample, "--top-k", "1", "--seed", "5"]).Succeeds().Out);
        Outcome unknown = Gsrnn.Run("sample", folder["m"], "--prompt", "the zebra", "--length", "1").Succeeds();
        Assert.StartsWith("the <unk> ", unknown.Out);
        Assert.Contains("1 of the prompt's 2", unknown.Error);
        Gsrnn.Run([.. sample, "--temperature=-1"]).FailsWith(2, "--temperature -1");
        Gsrnn.Run([.. sample, "--temperature", "NaN"]).FailsWith(2, "--temperature NaN");
        Gsrnn.Run([.. sample, "--top-k", "0"]).FailsWith(2, "--top-k 0");
        Gsrnn.Run(["sample", folder["m"], "--length", "0"]).FailsWith(2, "--length 0");
        Gsrnn.Run(["train", .. folder.Idx(9), "--hidden", "3", "--epochs", "1", "--out", folder["images"], "-q"]).Succeeds();
        Gsrnn.Run("sample", folder["images"]).FailsWith(2, "no language model");
    }

    [Fact]
    public void PerplexityDoesNotDependOnTheWindowsAndHardlyOnTheColumns()
    {
        using Folder folder = new();
        string train = Train(folder);
        double[] values =
        [
            .. new[] { "--bptt 1 --batch 1", "--bptt 7 --batch 1", "--bptt 10000 --batch 1" }.Select(options =>
                Gsrnn.Run(["eval", folder["m"], "--data", "text", "--test", train, "--json", .. options.Split(' ')])
                    .Succeeds().Json.GetProperty("value").GetDouble()),
        ];

        // The same numbers in another order of additions.
        Assert.All(values, value => Assert.Equal(values[0], value, 4));
    }

    [Fact]
    public void PredictWritesEveryStepOfEveryWindow()
    {
        using Folder folder = new();
        string train = Train(folder);
        string[] call = ["predict", folder["m"], "--data", "text", "--test", train, "--bptt", "4"];
        JsonElement json = Gsrnn.Run([.. call, "--batch", "3", "--out", folder["y.npy"], "--json"]).Succeeds().Json;
        int[] shape = [.. json.GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];
        Assert.Equal([14, 4, 9], shape); // 56 tokens: 55 are asked for, in windows of 4, the last of which is not full
        float[] logits = ReadFloats(folder["y.npy"], shape);

        // The mean cross-entropy of what was written is the loss that eval finds.
        string[] words = [.. File.ReadAllText(train).Replace("\n", " <eos> ").Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        string[] order = ["the", "sat", "on", "<eos>", "cat", "mat", "dog", "log", "<unk>"];
        double loss = 0;
        for (int i = 0; i + 1 < words.Length; i++)
        {
            float[] chances = logits[(9 * i)..(9 * (i + 1))];
            loss += Math.Log(chances.Sum(x => Math.Exp(x))) - chances[Array.IndexOf(order, words[i + 1])];
        }

        string[] eval = ["eval", folder["m"], "--data", "text", "--test", train, "--bptt", "4", "--batch", "3", "--json"];
        double expected = Gsrnn.Run(eval).Succeeds().Json.GetProperty("loss").GetDouble();
        Assert.Equal(expected, loss / (words.Length - 1), 5);
    }

    [Fact]
    public void VocabulariesCanBeGivenAndLimited()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse, times: 4);
        string words = folder.Text("words.txt", "dog\ncat\n<unk>\nthe\n<eos>\n");
        string[] text = ["--data", "text", "--train", train];
        Assert.Equal(Parameters(5), Trained(["--vocabulary", words]));
        Assert.Equal(Parameters(4), Trained(["--vocabulary-size", "4"]));
        Gsrnn.Run(["eval", folder["m"], .. text, "--vocabulary", words]).FailsWith(2, "words.txt", "does not fit");
        Gsrnn.Run(["eval", folder["m"], .. text, "--vocabulary-size", "4"]).FailsWith(2, "--vocabulary-size");
        Assert.Equal(Parameters(5), Trained(["--vocabulary", words]));
        Gsrnn.Run(["eval", folder["m"], .. text, "--vocabulary", words]).Succeeds();
        string other = folder.Text("other", "dog\ncat\n<unk>\n<eos>\n");
        Gsrnn.Run(["train", .. text, .. Small, "--init", folder["m"], "--vocabulary", other, "--out", folder["n"]])
            .FailsWith(2, "other", "entry 4 is '<eos>', the model's 'the'");
        Gsrnn.Run(["train", .. text, .. Small, "--vocabulary", words, "--vocabulary-size", "4", "--out", folder["n"]])
            .FailsWith(2, "--vocabulary-size");
        Gsrnn.Run(["train", .. text, .. Small, "--vocabulary-size", "2", "--out", folder["n"]]).FailsWith(2, "vocabulary of 2");

        int Parameters(int count) => (count * 6) + (4 * 6 * (6 + 6 + 2)) + (count * 7);

        int Trained(string[] more) =>
            Gsrnn.Run(["train", .. text, .. Small, .. more, "--out", folder["m"], "--json"]).Succeeds().Json.GetProperty("parameters").GetInt32();
    }

    [Fact]
    public void WhatIsHeldOutGivesNoWords()
    {
        using Folder folder = new();

        // 62 tokens, the last 6 of them new.
        string train = folder.Text("train.txt", string.Concat(Enumerable.Repeat(Verse, 4)) + "a zebra and a lion\n");
        string[] text = ["train", "--data", "text", "--train", train, .. Small, "--out", folder["m"], "--json"];
        Assert.Equal(13, Words([]));
        Assert.Equal(9, Words(["--holdout", "10%"]));
        Assert.Equal(9, Words(["--holdout", "2"])); // 13 windows of 5: 56 tokens are kept

        int Words(string[] more) =>
            (Gsrnn.Run([.. text, .. more]).Succeeds().Json.GetProperty("parameters").GetInt32() - (4 * 6 * (6 + 6 + 2))) / (6 + 7);
    }

    [Fact]
    public void PartsOfATextAreCutAtTokens()
    {
        using Folder folder = new();
        string train = Train(folder); // 56 tokens
        Assert.Equal(55, Tokens([]));
        Assert.Equal(5, Tokens(["--holdout", "10%"]));
        Assert.Equal(49, Tokens(["--holdout", "10%", "--split", "train"]));
        Assert.Equal(10, Tokens(["--holdout", "2", "--bptt", "5"]));
        Assert.Equal(45, Tokens(["--holdout", "2", "--bptt", "5", "--split", "train"]));
        Assert.Equal(15, Tokens(["--limit", "3", "--bptt", "5"]));
        string[] both = ["--data", "text", "--train", train, "--valid", train, "--holdout", "10%"];
        Gsrnn.Run(["eval", folder["m"], .. both]).FailsWith(2, "--holdout", "--valid");
        Gsrnn.Run(["eval", folder["m"], "--data", "text", "--valid", train, "--split", "test"]).FailsWith(2, "--split test");
        Gsrnn.Run("eval", folder["m"], "--data", "text").FailsWith(2, "--train F");
        foreach (string bad in new[] { "0", "100%", "ten", "0%", "-1%" })
            Gsrnn.Run(["eval", folder["m"], "--data", "text", "--train", train, $"--holdout={bad}"]).FailsWith(2, $"--holdout {bad}", "10%");

        int Tokens(string[] more) =>
            Gsrnn.Run(["eval", folder["m"], "--data", "text", "--train", train, .. more, "--json"]).Succeeds().Json.GetProperty("tokens").GetInt32();
    }

    [Fact]
    public void RecipesGiveModelAndTrainingAndOptionsOverrideThem()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse, times: 20);
        string[] call = ["train", "--data", "text", "--train", train, "--epochs", "1", "--out", folder["m"]];
        Outcome rnn = Gsrnn.Run([.. call, "--recipe", "ptb-rnn"]).Succeeds();
        Assert.Contains("rnn-tanh 9-128-128-9", rnn.Error);
        Assert.Contains("windows of 20 steps; sgd, rate 2, decay", rnn.Error);
        Outcome small = Gsrnn.Run([.. call, "--recipe", "ptb-small", "--hidden", "8", "--bptt", "10", "--lr", "3"]).Succeeds();
        Assert.Contains("lstm 9-8-8-9", small.Error);
        Assert.Contains("windows of 10 steps; sgd, rate 3, decay", small.Error);
        Gsrnn.Run([.. call, "--recipe", "ptb-huge"]).FailsWith(2, "ptb-huge", "ptb-small");
        Gsrnn.Run(["train", .. folder.Idx(9), "--recipe", "ptb-rnn", "--out", folder["m"]]).FailsWith(2, "--data text");
    }

    // Zaremba's sum over the steps and our mean over the tokens move the weights alike: rate r T, limit c / T.
    [Fact]
    public void TheRecipesRateAndLimitScaleWithTheWindow()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse, times: 5);
        string[] call = ["train", "--data", "text", "--train", train, "--epochs", "2", "--hidden", "6,6", "--bptt", "7", "-q"];
        Gsrnn.Run([.. call, "--recipe", "ptb-small", "--out", folder["a"]]).Succeeds();
        string spelt = $"--embedding 6 --init-range 0.1 --optimizer sgd --lr 7 --clip {5.0 / 7:R} --batch 20 --schedule decay --hold-epochs 4 --gamma 0.5";
        Gsrnn.Run([.. call, .. spelt.Split(' '), "--out", folder["b"]]).Succeeds();
        Assert.Equal(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]));
    }

    [Fact]
    public void AnnealNeedsSomethingToWatchAndKeepsTheBest()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse, times: 20);
        string[] call = ["train", "--data", "text", "--train", train, "--hidden", "6", "--epochs", "3", "--schedule", "anneal", "--out", folder["m"]];
        Gsrnn.Run([.. call, "-q"]).FailsWith(2, "--schedule anneal", "--holdout");
        Gsrnn.Run([.. call, "--holdout", "20%", "-q"]).Succeeds();
        Gsrnn.Run([.. call, "--holdout", "20%", "--hold-epochs", "2", "-q"]).FailsWith(2, "--hold-epochs", "decay");
    }

    [Fact]
    public void AStoppedRunGoesOnFromItsCheckpointWithTheSameBits()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse, times: 200);
        string[] call = ["train", "--data", "text", "--train", train, "--hidden", "8", "--epochs", "60", "--batch", "2", "--bptt", "5"];
        Gsrnn.Run([.. call, "--out", folder["whole"], "-q"]).Succeeds();
        using (Process process = Gsrnn.Start(folder.Path, [.. call, "--out", folder["m"]]))
        {
            string seen = "";
            while (!seen.Contains("epoch 1/60") && process.StandardError.ReadLine() is { } line) seen += line + "\n";
            Gsrnn.Interrupt(process);
            Assert.Equal(1, Gsrnn.Finish(process).Code);
        }

        Gsrnn.Run([.. call, "--out", folder["m"], "--resume", "-q"]).Succeeds();
        Assert.Equal(File.ReadAllBytes(folder["whole"]), File.ReadAllBytes(folder["m"]));
    }

    [Fact]
    public void BrokenTextsAreRefusedWithTheirPlace()
    {
        using Folder folder = new();
        Train(folder);
        File.WriteAllBytes(folder["latin1"], [.. Encoding.ASCII.GetBytes("caf"), 0xE9, .. Encoding.ASCII.GetBytes(" au lait\n")]);
        foreach (string unit in new[] { "word", "char" })
        {
            Learn("latin1", unit).FailsWith(1, "latin1", "0xE9 at offset 3", "UTF-8");
            folder.Text("empty", "");
            Learn("empty", unit).FailsWith(2, "empty");
            Learn("missing.txt", unit).FailsWith(2, "missing.txt");
        }

        Gsrnn.Run("eval", folder["m"], "--data", "text", "--test", folder["latin1"]).FailsWith(1, "offset 3");
        Gsrnn.Run("eval", folder["m"], "--data", "text", "--test", folder["empty"]).FailsWith(2, "empty");

        // A word and the end of its line make a text.
        Gsrnn.Run("eval", folder["m"], "--data", "text", "--test", folder.Text("one", "x"), "--bptt", "3").Succeeds();
        Gsrnn.Run("predict", folder["m"], "--data", "text", "--test", folder["none"], "--out", folder["y.npy"]).FailsWith(2, "none");
        Gsrnn.Run("eval", folder["m"], "--data", "text", "--train", folder["train.txt"], "--bptt", "0").FailsWith(2, "--bptt 0");
        Gsrnn.Run("eval", folder["m"], "--data", "text", "--train", folder["train.txt"], "--unit", "char").FailsWith(2, "--unit char", "word");
        Gsrnn.Run("eval", folder["m"], "--data", "text", "--train", folder["train.txt"], "--unit", "line").FailsWith(2, "line", "char");
        Gsrnn.Run(["eval", folder["m"], .. folder.Idx(9)]).FailsWith(2, "tokens");
        Gsrnn.Run(["train", .. folder.Idx(9), "--hidden", "3", "--epochs", "1", "--out", folder["images"], "-q"]).Succeeds();
        Gsrnn.Run("eval", folder["images"], "--data", "text", "--test", folder["train.txt"]).FailsWith(2, "language model");
        Gsrnn.Run(["train", .. folder.Idx(9), "--unit", "char", "--out", folder["n"]]).FailsWith(2, "--unit", "--data text");

        Outcome Learn(string name, string unit) =>
            Gsrnn.Run(["train", "--data", "text", "--train", folder[name], "--unit", unit, .. Small, "--out", folder["n"]]);
    }

    [Fact]
    public void AWindowLongerThanTheTextIsTheText()
    {
        using Folder folder = new();
        string train = folder.Text("train.txt", Verse);
        Gsrnn.Run(["train", "--data", "text", "--train", train, "--hidden", "3", "--epochs", "1", "--bptt", "1000000", "--out", folder["m"], "-q"])
            .Succeeds();
    }

    [Fact]
    public void ALineOfTenMegabytesIsReadByWordAndByCharacter()
    {
        using Folder folder = new();
        string train = folder.Text("long", "some words again ", times: 600_000);
        foreach (string unit in new[] { "word", "char" })
        {
            string[] text = ["--data", "text", "--train", train, "--unit", unit, "--limit", "4"];
            Gsrnn.Run(["train", .. text, "--hidden", "3", "--epochs", "1", "--out", folder["m"], "-q"]).Succeeds();
        }
    }

    [Fact]
    public void ABrokenModelOrADivergedRunSaysSo()
    {
        using Folder folder = new();
        string train = Train(folder);
        string[] reckless = "--cell rnn-relu --hidden 8 --epochs 5 --optimizer sgd --lr 1e30 --clip 0 -q".Split(' ');
        Gsrnn.Run(["train", "--data", "text", "--train", train, .. reckless, "--out", folder["n"]]).FailsWith(1, "step", "learning rate");
        Assert.False(File.Exists(folder["n"]));
        folder.Truncate("m", 0.9);
        Gsrnn.Run("sample", folder["m"]).FailsWith(1, folder["m"]);
        Gsrnn.Run("sample", folder["nowhere"]).FailsWith(2, "nowhere");
    }

    // 56 tokens of 9 words, learned badly: the words' order is the, sat, on, <eos>, cat, mat, dog, log, <unk>.
    private static string Train(Folder folder)
    {
        string train = folder.Text("train.txt", Verse, times: 4);
        Gsrnn.Run(["train", "--data", "text", "--train", train, .. Small, "--out", folder["m"]]).Succeeds();
        return train;
    }

    private static float[] ReadFloats(string path, int[] shape)
    {
        byte[] bytes = File.ReadAllBytes(path);
        int start = 10 + BitConverter.ToUInt16(bytes, 8);
        Assert.Equal(start + (4 * shape.Aggregate((a, b) => a * b)), bytes.Length);
        return [.. Enumerable.Range(0, (bytes.Length - start) / 4).Select(i => BitConverter.ToSingle(bytes, start + (4 * i)))];
    }
}
