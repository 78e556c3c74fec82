using System.Diagnostics;
using System.Globalization;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Onnx.Tests;

/// <summary>The samples, each as a program of its own, one after the other on what the first leaves.</summary>
public sealed class SampleTests : IDisposable
{
    private const int Rows = 28, Pixels = 28, Classes = 10, Images = 5;

    private static readonly string MainInC = Path.Combine(AppContext.BaseDirectory, "main.c");

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("gsrnn-samples-");

    [SkippableFact]
    public void TheyRunOneAfterTheOther()
    {
        string report = Sample("TrainPruneExport", "", folder.FullName);
        Assert.Contains("sliced against masked: ", report);
        Assert.Contains("24 units, now 18", Sample("CompressOnnx", "", File("digits.onnx"), File("images.npy"), File("smaller.onnx")));
        Assert.True(new FileInfo(File("smaller.onnx")).Length < new FileInfo(File("digits.onnx")).Length);

        // Streamed by rows and walked in C, the images show the same digits.
        float[] pixels = NpyFile.Read(File("images.npy")).As<float>();
        Refuses(1, "StreamOnnx", "1 2", "28 numbers", File("stream.onnx"));
        Refuses(1, "StreamOnnx", "1 2", "--stateful", File("digits.onnx"));
        string[] streamed = [.. pixels.Chunk(Rows * Pixels).Take(Images).Select(Stream)];
        Assert.True(streamed.Distinct().Count() > 1);
        Skip.IfNot(HasGcc(), "gcc is not there");
        Run("gcc", "", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", File("digits.c"), MainInC, "-lm", "-o", File("digits"));
        string seen = Run("sh", "", "-c", $"tail -c +129 '{File("images.npy")}' | '{File("digits")}'");
        Assert.Equal(streamed, seen.Split('\n').Take(Images));
    }

    [Fact]
    public void WrongCallsAreOneLine()
    {
        Refuses(2, "CompressOnnx", "", "Call: CompressOnnx");
        Refuses(1, "CompressOnnx", "", "x.npy does not exist", "none.onnx", "x.npy", "y.onnx");
        Refuses(2, "StreamOnnx", "", "Call: StreamOnnx");
        Refuses(1, "StreamOnnx", "", "none.onnx", "none.onnx");
        Refuses(1, "StreamOnnx", "", "main.c", MainInC);
    }

    public void Dispose() => folder.Delete(true);

    private static void Refuses(int code, string sample, string input, string message, params string[] arguments)
    {
        (int found, _, string error) = Start("dotnet", input, [Path.Combine(AppContext.BaseDirectory, sample + ".dll"), .. arguments]);
        Assert.Equal(code, found);
        Assert.Contains(message, error);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Sample(string name, string input, params string[] arguments) =>
        Run("dotnet", input, [Path.Combine(AppContext.BaseDirectory, name + ".dll"), .. arguments]);

    private static bool HasGcc()
    {
        try
        {
            Run("gcc", "", "--version");
            return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static string Run(string program, string input, params string[] arguments)
    {
        (int code, string output, string error) = Start(program, input, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)} ended with {code}: {error}");
        return output;
    }

    private static (int Code, string Output, string Error) Start(string program, string input, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result);
    }

    private string File(string name) => Path.Combine(folder.FullName, name);

    // The digit that the graph sees once it has all rows.
    private string Stream(float[] image)
    {
        string[] words = [.. image.Select(x => x.ToString("R", CultureInfo.InvariantCulture))];
        string lines = string.Join('\n', words.Chunk(Pixels).Select(row => string.Join(' ', row)));
        string[] answers = Sample("StreamOnnx", lines, File("stream.onnx")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Rows, answers.Length);
        float[] last = [.. answers[^1].Split(' ').Select(word => float.Parse(word, CultureInfo.InvariantCulture))];
        Assert.Equal(Classes, last.Length);
        return Array.IndexOf(last, last.Max()).ToString(CultureInfo.InvariantCulture);
    }
}
