using System.Globalization;
using System.Text;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>
/// Damaged files (<see cref="Mutations"/>): every verb that reads them ends with an exit code of its own, one line, and nothing that a terminal would
/// obey. GSRNN_CALLS gives their number, for each format; the readers themselves are judged by far more of them (<see cref="Mutants"/>).
/// </summary>
public class MutantTests
{
    private const int Usual = 200;

    private static int Count =>
        int.TryParse(Environment.GetEnvironmentVariable("GSRNN_CALLS"), CultureInfo.InvariantCulture, out int count) ? count : Usual;

    [Fact]
    public void SafetensorsMutants()
    {
        using Folder folder = new();
        string[] data = folder.Npy(6);
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--device", "host", "--out", folder["m"]]).Succeeds();
        byte[] plain = StateDict(File.ReadAllBytes(folder["m"]));
        Mutate(File.ReadAllBytes(folder["m"]), folder["bad"], 1, n => (n % 3) switch
        {
            0 => ["eval", folder["bad"], .. data, "--device", "host"],
            1 => ["predict", folder["bad"], .. data, "--device", "host", "--out", folder["y"]],
            _ => ["sample", folder["bad"], "--device", "host"],
        });
        Mutate(plain, folder["dict"], 2, _ => ["import", folder["dict"], "--cell", "irnn", "--device", "host", "--out", folder["imported"]]);
    }

    [Fact]
    public void GraphMutants()
    {
        using Folder folder = new();
        Gsrnn.Run(["train", .. folder.Npy(6), "--cell", "gru", "--hidden", "3", "--epochs", "1", "--device", "host", "--out", folder["m"]]).Succeeds();
        Gsrnn.Run("export", folder["m"], "--out", folder["m.onnx"], "--stateful", "--lengths").Succeeds();
        Mutate(File.ReadAllBytes(folder["m.onnx"]), folder["bad.onnx"], 9, _ => ["import", folder["bad.onnx"], "--device", "host", "--out", folder["imported"]]);
    }

    [Fact]
    public void KerasMutants()
    {
        using Folder folder = new();
        KerasSample sample = new("GRU");
        sample.Save(folder["m.keras"]);
        byte[] golden = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "keras-gru.weights.h5"));
        string[] cell = ["--cell", "gru", "--device", "host", "--out", folder["imported"]];
        Mutate(File.ReadAllBytes(folder["m.keras"]), folder["bad.keras"], 10, _ => ["import", folder["bad.keras"], .. cell]);
        Mutate(sample.Weights(), folder["bad.weights.h5"], 11, _ => ["import", folder["bad.weights.h5"], .. cell]);
        Mutate(golden, folder["bad.weights.h5"], 12, _ => ["import", folder["bad.weights.h5"], .. cell]);
    }

    [Fact]
    public void NpyMutants()
    {
        using Folder folder = new();
        string[] data = folder.Npy(6);
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--device", "host", "--out", folder["m"]]).Succeeds();
        string labels = folder.Npy("labels.npy", [6], Enumerable.Range(0, 6).Select(n => n % 2)), lengths = folder.Npy("lengths.npy", [6], Enumerable.Repeat(3, 6));
        string[] call = ["eval", folder["m"], "--data", "npy", "--device", "host"];
        Mutate(File.ReadAllBytes(folder["x.npy"]), folder["bad.npy"], 3, _ => [.. call, "--x", folder["bad.npy"], "--y", labels]);
        Mutate(File.ReadAllBytes(labels), folder["bad.npy"], 6, _ => [.. call, "--x", folder["x.npy"], "--y", folder["bad.npy"]]);
        Mutate(File.ReadAllBytes(lengths), folder["bad.npy"], 7, _ => [.. call, "--x", folder["x.npy"], "--y", labels, "--lengths", folder["bad.npy"]]);
    }

    [Fact]
    public void SoundMutants()
    {
        using Folder folder = new();
        string sounds = SoundFiles.Put(folder["sounds"], SoundFiles.Words());
        string[] call = ["--data", "speech", "--bands", "8", "--hop", "40", "--cache", "off", "--device", "host"];
        Gsrnn.Run(["train", .. call, "--data-dir", sounds, "--hidden", "3", "--epochs", "1", "--out", folder["m"]]).Succeeds();
        string[] predict = ["predict", folder["m"], "--input", folder["bad.wav"], "--device", "host"];
        Mutate(SoundFiles.Wav(new float[600]), folder["bad.wav"], 13, _ => predict);
        byte[] archive = SoundFiles.Tar(SoundFiles.Words(2, 1, 6)[..3], isPacked: false);
        Mutate(archive, folder["bad.tar"], 14, _ => ["eval", folder["m"], .. call, "--data-dir", folder["bad.tar"]]);
    }

    [Fact]
    public void CsvMutants()
    {
        using Folder folder = new();
        byte[] series = Encoding.UTF8.GetBytes("t,x\n" + string.Concat(Enumerable.Range(0, 30).Select(r => $"2024-01-{r + 1:00},{r % 5}\n")));
        File.WriteAllBytes(folder["x.csv"], series);
        string[] call = ["--data", "csv", "--window", "3", "--target", "x", "--device", "host"];
        Gsrnn.Run(["train", .. call, "--file", folder["x.csv"], "--hidden", "3", "--epochs", "1", "--out", folder["m"]]).Succeeds();
        Mutate(series, folder["bad.csv"], 15, n => n % 2 == 0
            ? ["eval", folder["m"], .. call, "--file", folder["bad.csv"]]
            : ["predict", folder["m"], .. call, "--file", folder["bad.csv"]]);
    }

    [Fact]
    public void IdxMutants()
    {
        using Folder folder = new();
        string[] data = folder.Idx(6);
        Gsrnn.Run(["train", .. data, "--hidden", "3", "--epochs", "1", "--device", "host", "--out", folder["m"]]).Succeeds();
        string[] call = ["eval", folder["m"], "--data", "idx", "--device", "host"];
        Mutate(File.ReadAllBytes(folder["set-images"]), folder["bad"], 4, _ => [.. call, "--images", folder["bad"], "--labels", folder["set-labels"]]);
        Mutate(File.ReadAllBytes(folder["set-labels"]), folder["bad"], 8, _ => [.. call, "--images", folder["set-images"], "--labels", folder["bad"]]);
    }

    [Fact]
    public void VocabularyMutants()
    {
        using Folder folder = new();
        string text = folder.Text("t", "the cat sat on the mat\nthe dog sat on the cat\n", 4);
        byte[] words = Encoding.UTF8.GetBytes("<unk>\n<eos>\nthe\ncat\nsat\non\nmat\ndog\n");
        Mutate(words, folder["bad"], 5, n =>
            ["train", "--data", "text", "--train", text, "--vocabulary", folder["bad"], "--unit", n % 2 == 0 ? "word" : "char", "--hidden", "2", "--epochs", "1", "--bptt", "5",
                "--batch", "4", "--device", "host", "--out", folder["m"]]);
    }

    private static void Mutate(byte[] valid, string path, int seed, Func<int, string[]> call)
    {
        Mutations mutations = new(seed, valid);
        for (int n = 0; n < Count; n++)
        {
            File.WriteAllBytes(path, mutations.Next());
            Outcome outcome = Gsrnn.Run(call(n));
            string what = $"mutant {n} of seed {seed}: exit code {outcome.Code}\n{outcome.Error}{outcome.Out}";
            Assert.True(outcome.Code is 0 or 1 or 2, what);
            Assert.False(outcome.Error.Contains("internal error") || outcome.Error.Contains("out of memory"), what);
            Assert.False((outcome.Error + outcome.Out).Any(c => char.IsControl(c) && c is not '\n' and not '\r' and not '\t'), what);
            if (outcome.Code != 0) Assert.True(outcome.Error.Split('\n').Count(line => line.StartsWith("gsrnn: ", StringComparison.Ordinal)) == 1, what);
        }
    }

    // The same tensors without a word about the architecture: what import reads.
    private static byte[] StateDict(byte[] model)
    {
        int length = (int)BitConverter.ToInt64(model);
        string header = Encoding.UTF8.GetString(model, 8, length);
        int start = header.IndexOf("\"__metadata__\"", StringComparison.Ordinal), end = header.IndexOf("\"rnn.", start, StringComparison.Ordinal);
        header = header.Remove(start, end - start);
        return [.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. model.AsSpan(8 + length)];
    }
}
