using GpuSpectralRnn.Tests.Networks;
using System.Diagnostics;
using System.Globalization;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Formats;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Interchange;

/// <summary>C source compiled by gcc, which takes no warning, answers as the network does.</summary>
public sealed class CSourceFileTests : IDisposable
{
    private const int Sequences = 3, Steps = 7;

    private readonly TemporaryFolder folder = new();
    private readonly HostBackend host = new(1);

    public void Dispose()
    {
        host.Dispose();
        folder.Dispose();
    }

    [SkippableTheory]
    [InlineData(Cell.Irnn, Readout.Last)]
    [InlineData(Cell.RnnTanh, Readout.Mean)]
    [InlineData(Cell.RnnRelu, Readout.Every)]
    [InlineData(Cell.Lstm, Readout.LastStep)]
    [InlineData(Cell.Lstm, Readout.Mean)]
    [InlineData(Cell.Gru, Readout.Last)]
    [InlineData(Cell.Gru, Readout.Every)]
    [InlineData(Cell.GruResetBefore, Readout.Last)]
    [InlineData(Cell.GruResetBefore, Readout.Mean)]
    [InlineData(Cell.LstmPeephole, Readout.Last)]
    [InlineData(Cell.LstmPeephole, Readout.Every)]
    public void Stacks_answer_as_predict_does(Cell cell, Readout readout)
    {
        using Network network = TestNetworks.Make(host, cell, [5, 4], readout);
        Check(network);
    }

    [SkippableTheory]
    [InlineData(Cell.Lstm, false)]
    [InlineData(Cell.Gru, true)]
    public void Language_models_answer_as_predict_does(Cell cell, bool isTied)
    {
        using Network network = TestNetworks.MakeLanguageModel(host, cell, [5, 4], isTied: isTied);
        Check(network);
    }

    [SkippableTheory]
    [InlineData(Cell.RnnTanh)]
    [InlineData(Cell.Gru)]
    [InlineData(Cell.GruResetBefore)]
    public void Factors_stay_factors(Cell cell)
    {
        Architecture architecture =
            new() { Cell = cell, Inputs = 3, Hidden = [6, 4], RecurrentRank = [2, 0], Outputs = 2, Task = TaskKind.Regression };
        using Network network = Network.Create(architecture, host, seed: 3);
        CSizes sizes = CSourceFile.Save(folder.File("sizes.c"), network, "call");
        using Network whole = Network.Create(architecture with { RecurrentRank = null }, host, seed: 3);
        Assert.True(sizes.WeightBytes < CSourceFile.Save(folder.File("whole.c"), whole, "call").WeightBytes);
        Check(network);
    }

    [Fact]
    public void The_head_says_what_it_takes()
    {
        using Network network = TestNetworks.Make(host, Cell.Lstm, [5, 4], Readout.Mean);
        CSizes sizes = CSourceFile.Save(folder.File("my net-1.c"), network, "gsrnn export '/*' \"*/\" ??/");
        string text = File.ReadAllText(folder.File("my net-1.c"));

        Assert.Equal((text.Split("f,").Length - 1) * sizeof(float), sizes.WeightBytes); // so ends every constant
        Assert.Equal((5 + 5 + 4 + 4 + 4 + 1) * sizeof(float), sizes.StateBytes);
        Assert.Equal(20 * sizeof(float), sizes.StackBytes);
        Assert.Equal((20 * 8) + (16 * 9) + (4 * 4), sizes.MultiplyAdds);
        Assert.Contains("void my_net_1_step(float state[23], const float input[3], float output[4])", text);
        long[] said = [sizes.WeightBytes, sizes.StateBytes, sizes.StackBytes, sizes.MultiplyAdds];
        Assert.All(said, number => Assert.Contains($" {number} ", text));
        Assert.All(text, c => Assert.True(c is '\n' or (>= ' ' and <= '~')));
        Assert.Contains("gsrnn export '/ *' \"* /\" ? ?/", text);
    }

    [Fact]
    public void A_bidirectional_network_is_refused()
    {
        using Network network = TestNetworks.Make(host, Cell.Gru, [3], Readout.Last, isBidirectional: true);
        Assert.Contains("bidirectional", Assert.Throws<InvalidCallException>(() => CSourceFile.Save(folder.File("b.c"), network, "call")).Message);
        Assert.Empty(folder.Names());
    }

    [Theory]
    [InlineData(1f, "1.0f")]
    [InlineData(-0f, "-0.0f")]
    [InlineData(0.1f, "0.1f")]
    [InlineData(1e-30f, "1E-30f")]
    [InlineData(float.MaxValue, "3.4028235E+38f")]
    public void Numbers_are_floats_of_C(float value, string text) => Assert.Equal(text, CText.Number(value));

    [Theory]
    [InlineData("net", "net")]
    [InlineData("my-net.v2", "my_net_v2")]
    [InlineData("2nd", "model_2nd")]
    [InlineData("", "model_")]
    public void Names_are_identifiers_of_C(string stem, string name) => Assert.Equal(name, CText.Identifier(stem));

    private void Check(Network network)
    {
        Skip.IfNot(HasCompiler(), "gcc is not there");
        Architecture architecture = network.Architecture;
        CSizes sizes = CSourceFile.Save(folder.File("net.c"), network, "gsrnn export net.safetensors --out net.c");
        File.WriteAllText(folder.File("main.c"), Caller(architecture, (int)sizes.StateBytes / sizeof(float)));
        string[] options = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"];
        Run("gcc", [.. options, folder.File("net.c"), folder.File("main.c"), "-lm", "-o", folder.File("net")], "");

        int width = architecture.HasEmbedding ? 1 : architecture.Inputs;
        float[] x = architecture.HasEmbedding
            ? Array.ConvertAll(Numbers.Integers(Steps * Sequences, 7, 0, architecture.Vocabulary), number => (float)number)
            : Numbers.Normal(Steps * Sequences * width, 7);
        using Tensor input = architecture.HasEmbedding
            ? host.Allocate(new Shape(Steps, Sequences), ElementType.Int32)
            : host.Allocate(new Shape(Steps, Sequences, width));
        if (architecture.HasEmbedding) input.CopyFrom<int>(Array.ConvertAll(x, number => (int)number));
        else input.CopyFrom<float>(x);
        float[] expected = network.Forward(input).ToArray();

        string given = string.Join(' ', x.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));
        string[] words = Run(folder.File("net"), [], given).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        float[] found = Array.ConvertAll(words, word => float.Parse(word, CultureInfo.InvariantCulture));
        Close.Equal(expected, found, 1e-5, 1e-5); // another order of sums of a dozen products, seven steps
    }

    // All sequences at once, as they lie in x [T, N, I]: each walks with a state of its own.
    private static string Caller(Architecture architecture, int state)
    {
        bool isEvery = architecture.Readout == Readout.Every;
        string input = architecture.HasEmbedding ? "long token" : "const float *input";
        return $$"""
            #include <stdio.h>
            void net_reset(float *state);
            void net_step(float *state, {{input}}, float *output);
            int main(void)
            {
                static float state[{{Sequences}}][{{state}}], x[{{architecture.Inputs}}], y[{{architecture.Outputs}}];
                int n, t, i;
                for (n = 0; n < {{Sequences}}; n++) {
                    for (i = 0; i < {{state}}; i++) state[n][i] = 7.0f;
                    net_reset(state[n]);
                }
                for (t = 0; t < {{Steps}}; t++)
                    for (n = 0; n < {{Sequences}}; n++) {
                        int wanted = {{(isEvery ? "1" : $"t == {Steps - 1}")}};
                        for (i = 0; i < {{(architecture.HasEmbedding ? 1 : architecture.Inputs)}}; i++)
                            if (scanf("%f", &x[i]) != 1) return 1;
                        net_step(state[n], {{(architecture.HasEmbedding ? "(long)x[0]" : "x")}}, wanted ? y : 0);
                        for (i = 0; wanted && i < {{architecture.Outputs}}; i++) printf("%.9g\n", y[i]);
                    }
                return 0;
            }

            """;
    }

    private static bool HasCompiler()
    {
        try
        {
            Run("gcc", ["--version"], "");
            return true;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static string Run(string program, string[] arguments, string input)
    {
        ProcessStartInfo info = new(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(info)!;
        Task<string> error = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return output.Result;
    }
}
