using System.Text.Json;
using System.Text.Json.Nodes;
using GpuSpectralRnn.Cli.Tests.Support;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Keras;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;

namespace GpuSpectralRnn.Cli.Tests;

/// <summary>Models of Keras 3, judged by Keras' equations in double precision.</summary>
public class KerasImportTests
{
    private const double Tolerance = 1e-5; // fp32, six steps

    public static TheoryData<string, string, int, bool, bool, bool, string> Samples() => new()
    {
        { "LSTM", "last", 1, false, false, true, "tanh" },
        { "GRU", "last", 1, false, false, true, "tanh" },
        { "SimpleRNN", "last", 1, false, false, true, "tanh" },
        { "SimpleRNN", "every", 2, false, false, true, "relu" },
        { "LSTM", "last", 2, true, false, true, "tanh" },
        { "GRU", "mean", 2, true, false, true, "tanh" },
        { "SimpleRNN", "last", 1, true, false, true, "relu" },
        { "GRU", "every", 3, false, false, false, "tanh" },
        { "LSTM", "mean", 1, false, true, false, "tanh" },
        { "GRU", "last", 2, true, true, true, "tanh" },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public void PredictionsAreThoseOfKeras(
        string type, string readout, int layers, bool isBidirectional, bool hasEmbedding, bool hasBias, string activation)
    {
        using Folder folder = new();
        KerasSample sample = new(type, readout, layers, isBidirectional, hasEmbedding, hasBias, activation);
        sample.Save(folder["m.keras"]);
        using HostBackend backend = new();
        using Network network = KerasImport.Read(folder["m.keras"], backend);
        CheckPredictions(sample, network);
    }

    [Theory]
    [InlineData(1, false, true)]
    [InlineData(2, true, true)]
    [InlineData(2, false, false)]
    public void A_GRU_that_resets_before_the_product(int layers, bool isBidirectional, bool hasBias)
    {
        using Folder folder = new();
        KerasSample sample = new("GRU", "last", layers, isBidirectional, HasBias: hasBias, ResetsBefore: true);
        sample.Save(folder["m.keras"]);
        File.WriteAllBytes(folder["m.weights.h5"], sample.Weights());
        using HostBackend backend = new();
        using Network network = KerasImport.Read(folder["m.keras"], backend);
        Assert.Equal(Cell.GruResetBefore, network.Architecture.Cell);
        CheckPredictions(sample, network);
        if (layers == 1)
            Gsrnn.Run("import", folder["m.weights.h5"], "--cell", "gru", "--out", folder["m"]).FailsWith(2, "gru-reset-before");
    }

    /// <summary>
    /// The layout that h5py writes, as Keras does: contiguous variables, groups without any, attributes.
    /// <code>
    /// import h5py, numpy as np
    /// from math import prod
    /// shapes = {}
    /// for v, s in enumerate([(2, 9), (3, 9), (2, 9)]): shapes[f'layers/gru/cell/vars/{v}'] = s
    /// shapes |= {'layers/dense/vars/0': (3, 4), 'layers/dense/vars/1': (4,)}
    /// with h5py.File('keras-gru.weights.h5', 'w') as f:
    ///     for k, (name, s) in enumerate(shapes.items()):
    ///         f[name] = (0.6 * np.sin(1.3 * np.arange(prod(s)) + k)).astype('f4').reshape(s)
    ///     for empty in 'layers/input_layer/vars', 'layers/dropout/vars', 'layers/gru/vars': f.create_group(empty)
    ///     f['layers/dense/vars'].attrs['name'] = 'answer'
    /// </code>
    /// </summary>
    [Fact]
    public void FilesOfH5pyAreRead()
    {
        using Folder folder = new();
        byte[] weights = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Golden", "keras-gru.weights.h5"));
        KerasSample sample = new("GRU");
        File.WriteAllBytes(folder["m.weights.h5"], weights);
        KerasSample.Zip(folder["m.keras"], ("config.json", JsonSerializer.SerializeToUtf8Bytes(sample.Config())), ("model.weights.h5", weights));
        using HostBackend backend = new();
        using Network alone = KerasImport.Read(folder["m.weights.h5"], backend, Cell.Gru), whole = KerasImport.Read(folder["m.keras"], backend);
        CheckPredictions(sample, alone);
        CheckPredictions(sample, whole);
    }

    [Theory]
    [InlineData("LSTM", "lstm")]
    [InlineData("GRU", "gru")]
    [InlineData("SimpleRNN", "rnn-tanh")]
    public void OfWeightsAloneTheCallerSaysTheRest(string type, string cell)
    {
        using Folder folder = new();
        KerasSample sample = new(type, "mean", Layers: 2);
        File.WriteAllBytes(folder["m.weights.h5"], sample.Weights());
        using HostBackend backend = new();
        using Network network = KerasImport.Read(folder["m.weights.h5"], backend, EnumNames.Parse<Cell>(cell, "`cell`"), Readout.Mean);
        CheckPredictions(sample, network);
        Gsrnn.Run("import", folder["m.weights.h5"], "--out", folder["m"]).FailsWith(2, "--cell is missing", "lstm");
        string other = type == "GRU" ? "lstm" : "gru";
        Gsrnn.Run("import", folder["m.weights.h5"], "--cell", other, "--out", folder["m"]).FailsWith(2, "recurrent kernel", "--cell");
    }

    [Fact]
    public void TheVerbWritesAModel()
    {
        using Folder folder = new();
        new KerasSample("GRU", IsBidirectional: true).Save(folder["m.keras"]);
        Outcome outcome = Gsrnn.Run("import", folder["m.keras"], "--out", folder["m"], "--json").Succeeds();
        Assert.Equal("gru", outcome.Json.GetProperty("cell").GetString());
        Assert.Equal("last", outcome.Json.GetProperty("readout").GetString());
        Assert.True(outcome.Json.GetProperty("bidirectional").GetBoolean());
        Assert.Contains("softmax", outcome.Error, StringComparison.Ordinal);
        string x = folder.Npy("x.npy", [2, 4, 2], Enumerable.Range(0, 16).Select(i => MathF.Sin(i)));
        Gsrnn.Run("predict", folder["m"], "--data", "npy", "--x", x, "--out", folder["y.npy"], "-q").Succeeds();
        Gsrnn.Run("import", folder["m.keras"], "--cell", "lstm", "--out", folder["m"]).FailsWith(2, "--cell", "gru", "lstm");
        Gsrnn.Run("import", folder["m.keras"], "--readout", "mean", "--out", folder["m"]).FailsWith(2, "--readout", "last", "mean");
        Gsrnn.Run("import", folder["no.keras"], "--out", folder["m"]).FailsWith(2, "no.keras");
    }

    [Theory]
    [InlineData("LSTM", "activation", "\"relu\"", "relu; tanh is needed")]
    [InlineData("LSTM", "recurrent_activation", "\"hard_sigmoid\"", "hard_sigmoid; sigmoid is needed")]
    [InlineData("LSTM", "activation", "{\"class_name\":\"function\"}", "tanh is needed")]
    [InlineData("GRU", "go_backwards", "true", "go_backwards")]
    [InlineData("GRU", "stateful", "true", "stateful")]
    [InlineData("SimpleRNN", "activation", "\"sigmoid\"", "tanh or relu is needed")]
    [InlineData("SimpleRNN", "recurrent_dropout", "0.25", "0.25; set it to 0")]
    public void WhatARecurrentLayerCannotBeIsRefusedByName(string type, string option, string value, string reason)
    {
        using Folder folder = new();
        new KerasSample(type).Save(folder["m.keras"], layers => layers[1]!["config"]![option] = JsonNode.Parse(value));
        Gsrnn.Run("import", folder["m.keras"], "--out", folder["m"]).FailsWith(2, "m.keras", "layer forward_0", reason);
    }

    [Fact]
    public void OtherLayersAreRefusedByName()
    {
        using Folder folder = new();
        KerasSample sample = new("GRU", IsBidirectional: true, HasEmbedding: true);
        (Action<JsonArray> Edit, string Layer, string Reason)[] cases =
        [
            (layers => layers[1]!["config"]!["mask_zero"] = true, "words", "mask_zero"),
            (layers => layers[2]!["config"]!["merge_mode"] = "sum", "both_0", "concat is needed"),
            (layers => layers[2]!["config"]!["backward_layer"]!["config"]!["units"] = 7, "both_0", "mirror"),
            (layers => layers[4]!["config"]!["activation"] = "sigmoid", "answer", "linear or softmax"),
            (layers => layers[3]!["class_name"] = "LayerNormalization", "drop_0", "LayerNormalization"),
            (layers => layers.Add(layers[4]!.DeepClone()), "answer", "behind the Dense"),
            (layers => layers.Insert(2, layers[2]!.DeepClone()), "both_0", "return_sequences=False"),
        ];
        foreach ((Action<JsonArray> edit, string layer, string reason) in cases)
        {
            sample.Save(folder["m.keras"], edit);
            Gsrnn.Run("import", folder["m.keras"], "--out", folder["m"]).FailsWith(2, $"layer {layer}", reason);
        }

        sample.Save(folder["m.keras"], layers => layers.RemoveAt(4));
        Gsrnn.Run("import", folder["m.keras"], "--out", folder["m"]).FailsWith(2, "no Dense");
    }

    [Fact]
    public void AFunctionalMustBeAChain()
    {
        using Folder folder = new();
        KerasSample sample = new("LSTM", Layers: 2);
        sample.Save(folder["chain.keras"], layers => Connect(layers, i => i - 1));
        sample.Save(folder["skip.keras"], layers => Connect(layers, i => Math.Max(0, i - 2)));
        using HostBackend backend = new();
        using Network network = KerasImport.Read(folder["chain.keras"], backend);
        CheckPredictions(sample, network);
        Gsrnn.Run("import", folder["skip.keras"], "--out", folder["m"]).FailsWith(2, "layer drop_0", "chain");

        static void Connect(JsonArray layers, Func<int, int> source)
        {
            layers.Parent!.Parent!["class_name"] = "Functional";
            for (int i = 0; i < layers.Count; i++)
            {
                layers[i]!["inbound_nodes"] = i == 0 ? new JsonArray() : new JsonArray(new JsonObject
                {
                    ["args"] = new JsonArray(new JsonObject
                    {
                        ["class_name"] = "__keras_tensor__",
                        ["config"] = new JsonObject { ["keras_history"] = new JsonArray((string)layers[source(i)]!["config"]!["name"]!, 0, 0) },
                    }),
                    ["kwargs"] = new JsonObject(),
                });
            }
        }
    }

    [Fact]
    public void AZipBombIsNotUnpacked()
    {
        using Folder folder = new();
        byte[] config = JsonSerializer.SerializeToUtf8Bytes(new KerasSample("GRU").Config());
        KerasSample.Zip(folder["m.keras"], ("config.json", config), ("model.weights.h5", new byte[1 << 24]));
        Gsrnn.Run("import", folder["m.keras"], "--out", folder["m"]).FailsWith(1, "model.weights.h5", "would unpack to 16,777,216 bytes");
    }

    private static void CheckPredictions(KerasSample sample, Network network)
    {
        const int steps = 6;
        int[] tokens = [.. Enumerable.Range(0, steps).Select(t => t * 3 % 5)];
        double[][] x = sample.HasEmbedding
            ? [.. tokens.Select(token => sample.Variables()["layers/embedding/vars/0"]
                .Values.Skip(2 * token).Take(2).Select(value => (double)value).ToArray())]
            : [.. Enumerable.Range(0, steps).Select(t => (double[])[Math.Sin(t), Math.Cos(2 * t)])];
        float[] input = sample.HasEmbedding ? [.. tokens.Select(token => (float)token)] : [.. x.SelectMany(row => row).Select(value => (float)value)];
        double[] expected = [.. sample.Predict(x).SelectMany(row => row)];
        float[] found = Answers.Predict(network, input, batch: 1, steps);
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < found.Length; i++) Assert.Equal(expected[i], found[i], Tolerance);
    }
}
