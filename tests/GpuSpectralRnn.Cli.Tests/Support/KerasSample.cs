using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using PureHDF;

namespace GpuSpectralRnn.Cli.Tests.Support;

/// <summary>A small Keras model as Keras saves it, and what it predicts by Keras' equations in double precision.</summary>
/// <param name="Type">LSTM, GRU or SimpleRNN.</param>
/// <param name="Readout">last, mean or every.</param>
/// <param name="Layers">Number of recurrent layers; H is 3 in the first, one less in each further one.</param>
/// <param name="IsBidirectional">Whether each is in a Bidirectional.</param>
/// <param name="HasEmbedding">Whether tokens 0..4 go in; else two numbers a step.</param>
/// <param name="HasBias">use_bias of the recurrent layers.</param>
/// <param name="Activation">Of a SimpleRNN.</param>
/// <param name="ResetsBefore">reset_after=False of a GRU.</param>
internal sealed record KerasSample(
    string Type,
    string Readout = "last",
    int Layers = 1,
    bool IsBidirectional = false,
    bool HasEmbedding = false,
    bool HasBias = true,
    string Activation = "tanh",
    bool ResetsBefore = false)
{
    private const int Tokens = 5, Width = 2, Outputs = 4;

    private int Gates => Type switch { "LSTM" => 4, "GRU" => 3, _ => 1 };

    private bool HasTwoBiases => Type == "GRU" && !ResetsBefore;

    private string Snake => Type == "SimpleRNN" ? "simple_rnn" : Type.ToLowerInvariant();

    /// <summary>The variables: variable k holds 0.6 sin(1.3 i + k).</summary>
    public Dictionary<string, (int[] Extents, float[] Values)> Variables()
    {
        Dictionary<string, (int[], float[])> made = [];
        if (HasEmbedding) Add("layers/embedding/vars/0", Tokens, Width);
        int width = Width;
        for (int layer = 0; layer < Layers; layer++)
        {
            int units = 3 - layer, rows = Gates * units;
            foreach (string cell in Cells(layer))
            {
                Add($"{cell}/vars/0", width, rows);
                Add($"{cell}/vars/1", units, rows);
                if (HasBias) Add($"{cell}/vars/2", HasTwoBiases ? [2, rows] : [rows]);
            }

            width = units * (IsBidirectional ? 2 : 1);
        }

        Add("layers/dense/vars/0", width, Outputs);
        Add("layers/dense/vars/1", Outputs);
        return made;

        void Add(string name, params int[] extents)
        {
            int k = made.Count, count = extents.Aggregate(1, (product, extent) => product * extent);
            made.Add(name, (extents, [.. Enumerable.Range(0, count).Select(i => (float)(0.6 * Math.Sin((1.3 * i) + k)))]));
        }
    }

    /// <summary>config.json.</summary>
    public JsonObject Config()
    {
        JsonArray layers = [Layer("InputLayer", "input", [])];
        if (HasEmbedding)
            layers.Add(Layer("Embedding", "words", new JsonObject { ["input_dim"] = Tokens, ["output_dim"] = Width, ["mask_zero"] = false }));
        for (int layer = 0; layer < Layers; layer++)
        {
            bool handsOn = layer < Layers - 1 || Readout != "last";
            JsonObject inner = Recurrent(layer, handsOn, backwards: false);
            if (IsBidirectional)
            {
                inner = Layer("Bidirectional", $"both_{layer}", new JsonObject
                {
                    ["merge_mode"] = "concat", ["layer"] = inner, ["backward_layer"] = Recurrent(layer, handsOn, backwards: true),
                });
            }

            layers.Add(inner);
            layers.Add(Layer("Dropout", $"drop_{layer}", new JsonObject { ["rate"] = 0.5 }));
        }

        if (Readout == "mean")
            layers.Add(Layer("GlobalAveragePooling1D", "mean", new JsonObject { ["data_format"] = "channels_last", ["keepdims"] = false }));
        layers.Add(Layer("Dense", "answer", new JsonObject { ["units"] = Outputs, ["activation"] = "softmax", ["use_bias"] = true }));
        return new JsonObject { ["class_name"] = "Sequential", ["config"] = new JsonObject { ["name"] = "sequential", ["layers"] = layers } };
    }

    /// <summary>model.weights.h5.</summary>
    public byte[] Weights()
    {
        H5File file = [];
        foreach ((string name, (int[] extents, float[] values)) in Variables())
        {
            string[] parts = name.Split('/');
            IDictionary<string, object> group = file;
            foreach (string part in parts[..^1])
            {
                if (!group.TryGetValue(part, out object? inner)) group.Add(part, inner = new H5Group());
                group = (H5Group)inner;
            }

            group.Add(parts[^1], new H5Dataset(values, fileDims: [.. extents.Select(extent => (ulong)extent)]));
        }

        using MemoryStream stream = new();
        file.Write(stream);
        return stream.ToArray();
    }

    /// <summary>Writes a .keras file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="edit">Changes the layers of the configuration.</param>
    public void Save(string path, Action<JsonArray>? edit = null)
    {
        JsonObject config = Config();
        edit?.Invoke(config["config"]!["layers"]!.AsArray());
        Zip(path, ("metadata.json", "{}"u8.ToArray()), ("config.json", JsonSerializer.SerializeToUtf8Bytes(config)), ("model.weights.h5", Weights()));
    }

    /// <summary>Writes a zip.</summary>
    public static void Zip(string path, params (string Name, byte[] Content)[] entries)
    {
        using ZipArchive archive = new(File.Create(path), ZipArchiveMode.Create);
        foreach ((string name, byte[] content) in entries)
        {
            CompressionLevel level = content.Length > 1 << 20 ? CompressionLevel.Optimal : CompressionLevel.NoCompression; // as Keras, but for bombs
            using Stream stream = archive.CreateEntry(name, level).Open();
            stream.Write(content);
        }
    }

    /// <summary>The logits of one sequence [T, I], a row each step of the read-out every, else one row.</summary>
    public double[][] Predict(double[][] x)
    {
        Dictionary<string, (int[] Extents, float[] Values)> variables = Variables();
        for (int layer = 0; layer < Layers; layer++)
        {
            double[][][] directions = [.. Cells(layer).Select((cell, direction) => Run(variables, cell, x, 3 - layer, isReverse: direction == 1))];
            bool isLast = Readout == "last" && layer == Layers - 1; // a Bidirectional then joins the ends of both walks
            double[][] both = [.. x.Select((_, t) => directions.SelectMany(states => states[t]).ToArray())];
            x = isLast ? [[.. directions.SelectMany((states, direction) => direction == 0 ? states[^1] : states[0])]] : both;
        }

        if (Readout == "mean") x = [[.. x[0].Select((_, unit) => x.Average(step => step[unit]))]];
        float[] kernel = variables["layers/dense/vars/0"].Values, bias = variables["layers/dense/vars/1"].Values;
        return [.. x.Select(row => Affine(row, kernel, bias, Outputs))];
    }

    private static JsonObject Layer(string type, string name, JsonObject config)
    {
        config["name"] = name;
        return new JsonObject { ["class_name"] = type, ["config"] = config };
    }

    private static double[] Affine(double[] x, float[] kernel, ReadOnlySpan<float> bias, int columns)
    {
        double[] y = new double[columns];
        for (int column = 0; column < columns; column++)
        {
            y[column] = bias.IsEmpty ? 0 : bias[column];
            for (int row = 0; row < x.Length; row++) y[column] += x[row] * kernel[(row * columns) + column];
        }

        return y;
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private JsonObject Recurrent(int layer, bool handsOn, bool backwards)
    {
        JsonObject config = new()
        {
            ["units"] = 3 - layer, ["return_sequences"] = handsOn, ["return_state"] = false, ["go_backwards"] = backwards, ["stateful"] = false,
            ["dropout"] = 0.0, ["recurrent_dropout"] = 0.0, ["use_bias"] = HasBias, ["activation"] = Type == "SimpleRNN" ? Activation : "tanh",
        };
        if (Type != "SimpleRNN") config["recurrent_activation"] = "sigmoid";
        if (Type == "GRU") config["reset_after"] = !ResetsBefore;
        return Layer(Type, $"{(backwards ? "backward" : "forward")}_{layer}", config);
    }

    private string[] Cells(int layer)
    {
        string number = layer == 0 ? "" : $"_{layer}";
        return IsBidirectional
            ? [$"layers/bidirectional{number}/forward_layer/cell", $"layers/bidirectional{number}/backward_layer/cell"]
            : [$"layers/{Snake}{number}/cell"];
    }

    private double[][] Run(Dictionary<string, (int[] Extents, float[] Values)> variables, string cell, double[][] x, int units, bool isReverse)
    {
        float[] kernel = variables[$"{cell}/vars/0"].Values, recurrent = variables[$"{cell}/vars/1"].Values;
        float[] bias = HasBias ? variables[$"{cell}/vars/2"].Values : [];
        int rows = Gates * units;
        double[] h = new double[units], c = new double[units];
        double[][] states = new double[x.Length][];
        for (int step = 0; step < x.Length; step++)
        {
            int t = isReverse ? x.Length - 1 - step : step;
            double[] a = Affine(x[t], kernel, HasBias ? bias.AsSpan(0, rows) : [], rows);
            double[] b = Affine(h, recurrent, HasTwoBiases && HasBias ? bias.AsSpan(rows) : [], rows);
            double[] next = new double[units];
            for (int u = 0; u < units; u++)
            {
                switch (Type)
                {
                    case "LSTM": // i, f, c, o
                        c[u] = (Sigmoid(Sum(1, u)) * c[u]) + (Sigmoid(Sum(0, u)) * Math.Tanh(Sum(2, u)));
                        next[u] = Sigmoid(Sum(3, u)) * Math.Tanh(c[u]);
                        break;
                    case "GRU": // z, r, h
                        double z = Sigmoid(Sum(0, u)), r = Sigmoid(Sum(1, u));
                        double product = ResetsBefore
                            ? Enumerable.Range(0, units).Sum(j => Sigmoid(Sum(1, j)) * h[j] * recurrent[(j * rows) + (2 * units) + u])
                            : r * b[(2 * units) + u];
                        next[u] = (z * h[u]) + ((1 - z) * Math.Tanh(a[(2 * units) + u] + product));
                        break;
                    default:
                        next[u] = Activation == "relu" ? Math.Max(0, Sum(0, u)) : Math.Tanh(Sum(0, u));
                        break;
                }
            }

            states[t] = h = next;

            double Sum(int gate, int unit) => a[(gate * units) + unit] + b[(gate * units) + unit];
        }

        return states;
    }
}
