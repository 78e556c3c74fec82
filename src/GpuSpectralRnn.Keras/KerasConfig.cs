using System.Globalization;
using System.Text;
using System.Text.Json;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Keras;

/// <summary>The stack that a config.json describes. A layer that this project's networks do not compute as Keras does is refused by name.</summary>
internal sealed class KerasConfig
{
    // No work at prediction.
    private static readonly string[] Passing = ["InputLayer", "Dropout", "SpatialDropout1D"];

    private readonly string path;
    private readonly List<KerasLayer> recurrent = [];
    private readonly Dictionary<string, int> counts = []; // of the classes
    private KerasLayer? embedding;
    private KerasLayer? dense;
    private bool isSoftmax;
    private bool isMean;
    private bool returnsSequences = true; // of what the next layer takes
    private Cell? cell;

    private KerasConfig(string path) => this.path = path;

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">The file's name, for messages.</param>
    /// <param name="json">The text, UTF-8.</param>
    /// <exception cref="InvalidCallException">A layer cannot be represented, or there is no recurrent layer or no Dense.</exception>
    /// <exception cref="BrokenFileException">It is no configuration of a model.</exception>
    public static KerasStack Read(string path, byte[] json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 256 });
            return new KerasConfig(path).Walk(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new BrokenFileException(path, $"config.json is not the configuration of a Keras model ({ForeignText.Show(e.Message)}).", e);
        }
    }

    // LSTM is lstm, SimpleRNN simple_rnn: the group of a layer is named by its class and the count of that class before it.
    private static string SnakeCase(string name)
    {
        StringBuilder snake = new();
        for (int i = 0; i < name.Length; i++)
        {
            bool begins = char.IsUpper(name[i]) && i > 0 && (char.IsLower(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (begins) snake.Append('_');
            snake.Append(char.ToLowerInvariant(name[i]));
        }

        return snake.ToString();
    }

    private static bool IsTrue(JsonElement config, string name) =>
        config.TryGetProperty(name, out JsonElement value) && value.ValueKind is not (JsonValueKind.False or JsonValueKind.Null);

    private static string Text(JsonElement config, string name, string otherwise) => config.TryGetProperty(name, out JsonElement value)
        ? ForeignText.Show(value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText())
        : otherwise;

    private KerasStack Walk(JsonElement model)
    {
        string kind = model.GetProperty("class_name").GetString() ?? "";
        if (kind is not ("Sequential" or "Functional"))
            throw new InvalidCallException($"{path}: a model of the class {ForeignText.Show(kind)} is not read; a Sequential or a chain as Functional is needed.");
        string? before = null;
        foreach (JsonElement layer in model.GetProperty("config").GetProperty("layers").EnumerateArray())
        {
            JsonElement config = layer.GetProperty("config");
            string type = Text(layer, "class_name", ""), name = Text(config, "name", SnakeCase(type));
            if (kind == "Functional") CheckChain(layer, type, name, before);
            int count = counts[type] = counts.GetValueOrDefault(type, -1) + 1;
            string number = count == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"_{count}");
            Take(type, name, config, $"layers/{SnakeCase(type)}{number}");
            before = name;
        }

        if (recurrent.Count == 0) throw new InvalidCallException($"{path}: no LSTM, GRU or SimpleRNN is among the layers.");
        if (dense is null) throw new InvalidCallException($"{path}: no Dense follows the recurrent layers; the read-out needs one.");
        Readout readout = isMean ? Readout.Mean : returnsSequences ? Readout.Every : Readout.Last;
        return new KerasStack(embedding, recurrent, dense, cell, readout, isSoftmax);
    }

    private void Take(string type, string name, JsonElement config, string place)
    {
        if (dense is not null && type is not "Dropout") throw Refuse(name, $"{type} behind the Dense is not supported");
        if (IsQuantized(config)) throw Refuse(name, "it is quantized");
        if (Passing.Contains(type, StringComparer.Ordinal)) return;
        switch (type)
        {
            case "Embedding" when embedding is null && recurrent.Count == 0:
                if (IsTrue(config, "mask_zero")) throw Refuse(name, "mask_zero=True is not supported");
                if (IsTrue(config, "lora_rank")) throw Refuse(name, "lora_rank is not supported");
                embedding = new KerasLayer(name, place);
                break;
            case "LSTM" or "GRU" or "SimpleRNN":
                if (IsTrue(config, "go_backwards")) throw Refuse(name, "go_backwards=True without a Bidirectional is not supported");
                TakeRecurrent(new KerasLayer(name, place), CellOf(type, name, config), config);
                break;
            case "Bidirectional":
                TakeBidirectional(name, config, place);
                break;
            case "GlobalAveragePooling1D" when recurrent.Count > 0 && returnsSequences && !isMean:
                if (IsTrue(config, "keepdims")) throw Refuse(name, "keepdims=True is not supported");
                if (Text(config, "data_format", "channels_last") != "channels_last") throw Refuse(name, "data_format=channels_last is needed");
                isMean = true;
                break;
            case "Dense" when recurrent.Count > 0:
                string activation = Text(config, "activation", "linear");
                if (activation is not ("linear" or "softmax" or "null"))
                    throw Refuse(name, $"its activation is {activation}; linear or softmax is needed");
                if (IsTrue(config, "lora_rank")) throw Refuse(name, "lora_rank is not supported");
                (dense, isSoftmax) = (new KerasLayer(name, place), activation == "softmax");
                break;
            default:
                throw Refuse(name, $"{type} at this place is not supported");
        }
    }

    private void TakeBidirectional(string name, JsonElement config, string place)
    {
        string merge = Text(config, "merge_mode", "concat");
        if (merge != "concat") throw Refuse(name, $"its merge_mode is {merge}; concat is needed");
        JsonElement layer = config.GetProperty("layer"), inner = layer.GetProperty("config");
        Cell forward = CellOf(layer.GetProperty("class_name").GetString() ?? "", name, inner);
        if (IsTrue(inner, "go_backwards")) throw Refuse(name, "its forward layer goes backwards");
        if (config.TryGetProperty("backward_layer", out JsonElement backward) && backward.ValueKind == JsonValueKind.Object)
        {
            JsonElement other = backward.GetProperty("config");
            if (CellOf(backward.GetProperty("class_name").GetString() ?? "", name, other) != forward
                || !IsTrue(other, "go_backwards")
                || IsTrue(other, "return_sequences") != IsTrue(inner, "return_sequences")
                || Text(other, "units", "") != Text(inner, "units", ""))
            {
                throw Refuse(name, "its backward layer is not the forward layer's mirror image");
            }
        }

        TakeRecurrent(new KerasLayer(name, place, IsBidirectional: true), forward, inner);
    }

    private void TakeRecurrent(KerasLayer layer, Cell its, JsonElement config)
    {
        if (!returnsSequences || isMean) throw Refuse(layer.Name, "the layer before it does not hand on every step (return_sequences=False)");
        if (cell is { } other && other != its) throw Refuse(layer.Name, $"its cell is {its.Name()}, that of the layer before {other.Name()}");
        if (recurrent.Count > 0 && recurrent[0].IsBidirectional != layer.IsBidirectional)
            throw Refuse(layer.Name, "layers of one and of two directions are mixed");
        (cell, returnsSequences) = (its, IsTrue(config, "return_sequences"));
        recurrent.Add(layer);
    }

    private Cell CellOf(string type, string name, JsonElement config)
    {
        foreach (string flag in (string[])["return_state", "stateful", "time_major"])
        {
            if (IsTrue(config, flag)) throw Refuse(name, $"{flag}=True is not supported");
        }

        foreach (string share in (string[])["dropout", "recurrent_dropout"])
        {
            if (config.TryGetProperty(share, out JsonElement value) && value.GetDouble() != 0)
                throw Refuse(name, $"its {share} is {value.GetRawText()}; set it to 0, which changes no prediction, and save the model again");
        }

        string activation = Text(config, "activation", "tanh"), gates = Text(config, "recurrent_activation", "sigmoid");
        if (type == "SimpleRNN")
        {
            return activation switch
            {
                "tanh" => Cell.RnnTanh,
                "relu" => Cell.RnnRelu,
                _ => throw Refuse(name, $"its activation is {activation}; tanh or relu is needed"),
            };
        }

        if (activation != "tanh") throw Refuse(name, $"its activation is {activation}; tanh is needed");
        if (gates != "sigmoid") throw Refuse(name, $"its recurrent_activation is {gates}; sigmoid is needed");
        if (type == "LSTM") return Cell.Lstm;
        if (type != "GRU") throw Refuse(name, $"a Bidirectional of {type} is not supported");
        return !config.TryGetProperty("reset_after", out JsonElement resets) || resets.GetBoolean()
            ? Cell.Gru
            : Cell.GruResetBefore;
    }

    private static bool IsQuantized(JsonElement config) =>
        IsTrue(config, "quantization_config")
        || (config.TryGetProperty("dtype", out JsonElement type) && type.GetRawText().Contains("Quantized", StringComparison.Ordinal));

    // Each layer of a Functional takes the output of the one before, and nothing else.
    private void CheckChain(JsonElement layer, string type, string name, string? before)
    {
        List<string> sources = [];
        CollectSources(layer.GetProperty("inbound_nodes"), sources);
        bool isInput = type == "InputLayer";
        if (isInput ? sources.Count == 0 && before is null : sources is [var source] && source == before) return;
        throw Refuse(name, "it does not take the output of the layer before it alone; the model must be a chain");
    }

    private static void CollectSources(JsonElement node, List<string> sources)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in node.EnumerateArray()) CollectSources(item, sources);
        }
        else if (node.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in node.EnumerateObject())
            {
                if (property.Name == "keras_history") sources.Add(ForeignText.Show(property.Value[0].GetString() ?? ""));
                else CollectSources(property.Value, sources);
            }
        }
    }

    private InvalidCallException Refuse(string layer, string reason) =>
        new($"{path}: layer {ForeignText.Show(layer)}: {ForeignText.Escape(reason, keepsLines: false)}.");
}
