using System.Collections.ObjectModel;
using System.Text.Json;
using System.Text.Json.Serialization;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>Which hidden states the read-out sees.</summary>
public enum Readout
{
    /// <summary>
    /// The last state of each direction, one output per sequence: that of the last step, and of a reverse direction that of the first step, where its
    /// walk ends.
    /// </summary>
    Last,

    /// <summary>
    /// All of the last step, <c>out[:, -1]</c> in PyTorch: a reverse direction has read that step only. The same as <see cref="Last"/> in networks of
    /// one direction.
    /// </summary>
    LastStep,

    /// <summary>Their mean over the steps: one output per sequence.</summary>
    Mean,

    /// <summary>Every step's: one output per step.</summary>
    Every,
}

/// <summary>What the outputs mean.</summary>
public enum TaskKind
{
    /// <summary>Logits of classes; softmax cross-entropy.</summary>
    Classification,

    /// <summary>Real numbers; mean squared error.</summary>
    Regression,
}

/// <summary>
/// What a network is, apart from its numbers: stacked recurrent layers of one cell under a linear read-out. Immutable; compared by value.
/// </summary>
public sealed record Architecture : Recipe
{
    /// <summary>Wider layers than this are taken for a mistake.</summary>
    internal const int LargestExtent = 1 << 20;

    /// <summary>And deeper networks too: with more layers gradients vanish long before memory ends.</summary>
    public const int MostLayers = 100;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The recurrent cell of every layer.</summary>
    public required Cell Cell { get; init; }

    /// <summary>I, inputs per step; with a <see cref="Vocabulary"/> the extent E of the embedding.</summary>
    public required int Inputs { get; init; }

    /// <summary>V: every step takes one token of 0..V-1, embedded by row of <c>embedding.weight</c> [V, E]; 0: real inputs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Vocabulary { get; init; }

    /// <summary>
    /// Whether the read-out's weights are those of the embedding (Press and Wolf, "Using the output embedding to improve language models", 2017): E
    /// must be what the top layer hands on, and the outputs V.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool TiesWeights { get; init; }

    /// <summary>How each token 0..V-1 is written; null where that is not known.</summary>
    public IReadOnlyList<string>? Tokens { get; init; }

    /// <summary>What a token is, where the tokens are those of a text.</summary>
    public TextUnit? Unit { get; init; }

    /// <summary>H of each layer, from the input up.</summary>
    public required IReadOnlyList<int> Hidden { get; init; }

    /// <summary>
    /// Whether every layer has a second direction, which walks from the last step to the first with weights of its own. What a layer hands on is h of
    /// both side by side, forward first: 2H numbers a step.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsBidirectional { get; init; }

    /// <summary>
    /// Rank of each layer's recurrent matrix where it is kept as two factors, W_hh = left right ([G*H, r] and [r, H]); 0 for a whole matrix. Null:
    /// all whole.
    /// </summary>
    public IReadOnlyList<int>? RecurrentRank { get; init; }

    /// <summary>Which hidden states the read-out sees.</summary>
    public Readout Readout { get; init; } = Readout.Last;

    /// <summary>O: classes, or extent of the target vector.</summary>
    public required int Outputs { get; init; }

    /// <summary>What the outputs mean.</summary>
    public override TaskKind Task { get; init; } = TaskKind.Classification;

    /// <summary>How the data were presented (<c>row</c>, <c>pixel</c>, <c>permuted</c>), where that is a choice.</summary>
    public string? View { get; init; }

    /// <summary>What else is worth keeping about the data the network was made for, for example its name; free form.</summary>
    public IReadOnlyDictionary<string, string> Data { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Number of recurrent layers.</summary>
    [JsonIgnore]
    public int Layers => Hidden.Count;

    /// <summary>Whether the outputs are the chances of the next token at every step.</summary>
    [JsonIgnore]
    public bool IsLanguageModel => Vocabulary > 0 && Readout == Readout.Every && Task == TaskKind.Classification && Outputs == Vocabulary;

    /// <summary>D, directions of every layer: 1 or 2.</summary>
    [JsonIgnore]
    public int Directions => IsBidirectional ? 2 : 1;

    /// <summary>
    /// Recurrences: one for each layer and direction, each with weights of its own. They are counted from the input up, the directions of a layer
    /// side by side, forward first.
    /// </summary>
    [JsonIgnore]
    public int Recurrences => Layers * Directions;

    /// <summary>Whether the inputs are tokens, which an embedding turns into numbers.</summary>
    [JsonIgnore]
    public bool HasEmbedding => Vocabulary > 0;

    /// <summary>
    /// Whether dropout works on the top layer's states of all steps: networks with an embedding drop on its output, between the layers and before the
    /// read-out (Zaremba, Sutskever, Vinyals 2014), others between the layers only. A read-out of one state drops on what it sees.
    /// </summary>
    internal bool DropsLastLayer => HasEmbedding && Readout == Readout.Every;

    /// <summary>Number of weights and biases.</summary>
    [JsonIgnore]
    public long ParameterCount => CreateGraph().ParameterCount;

    /// <summary>Multiply-adds of the recurrent layers for one step of one sequence; a read-out of every step included.</summary>
    [JsonIgnore]
    public long MultiplyAddsPerStep => CreateGraph().MultiplyAddsPerStep;

    /// <summary>Reads what <see cref="ToJson"/> wrote, and checks it.</summary>
    /// <exception cref="InvalidCallException">It is no valid JSON, a member is missing, unknown or out of range.</exception>
    public static new Architecture FromJson(string json)
    {
        Architecture architecture;
        try
        {
            architecture = JsonSerializer.Deserialize<Architecture>(json, Json)
                ?? throw new InvalidCallException("The architecture is null; it must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidCallException($"The architecture cannot be read: {JsonFault.Describe(e)}.", e);
        }

        architecture.Validate();
        return architecture;
    }

    /// <summary>What <see cref="ToJson"/> gives, without the written tokens: for messages.</summary>
    public override string ToString() => (this with { Tokens = null }).ToJson();

    /// <summary>For example <c>a bidirectional lstm 28-64-32-10, read-out last, classification</c>: for messages.</summary>
    [JsonIgnore]
    public string Summary =>
        $"{(IsBidirectional ? "a bidirectional" : Cell.Article())} {Cell.Name()} {(HasEmbedding ? $"of {Vocabulary} tokens " : "")}{Inputs}-{string.Join('-', Hidden)}-{Outputs}, " +
        $"read-out {Readout.Name()}, {Task.Name()}";

    /// <summary>One JSON object, members named as here in camel case, enumerations by their written names.</summary>
    public override string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Title =>
        $"{Cell.Name()} {(HasEmbedding ? $"{Vocabulary}-" : "")}{Inputs}-{string.Join("-", Hidden)}-{Outputs}";

    /// <inheritdoc/>
    /// <remarks>
    /// Values and modules: the field <c>inputs</c>, or <c>tokens</c> and the <c>embedding</c>; each recurrence by the end of its parameters' names,
    /// <c>l0</c>, <c>l0_reverse</c>; <c>l0.both</c>, the directions side by side; <c>seen</c>, what the read-out reads, where that is not the top
    /// layer's output; <c>readout</c>. Axes: one for each recurrence, of the same name; <c>inputs</c> or <c>embedding</c>; <c>outputs</c>.
    /// </remarks>
    public override Graph Build()
    {
        Validate();
        return CreateGraph();
    }

    /// <inheritdoc/>
    public override Architecture Change(
        IReadOnlyDictionary<string, int> sizes, IReadOnlyDictionary<string, int>? ranks = null, IReadOnlySet<string>? apart = null)
    {
        for (int r = 0; r < Recurrences; r++)
        {
            if (sizes.GetValueOrDefault(RecurrenceName(r), RecurrenceUnits(r)) is var units
                && units != sizes.GetValueOrDefault(RecurrenceName(r - (r % Directions)), units))
                throw new InvalidCallException($"{units} units of {RecurrenceName(r)} and another number in the other direction; a stack has as many in both.");
        }

        return this with
        {
            Inputs = sizes.GetValueOrDefault(InputAxis, Inputs),
            TiesWeights = TiesWeights && apart?.Contains("readout") != true,
            Hidden = [.. Hidden.Select((units, layer) => sizes.GetValueOrDefault($"l{layer}", units))],
            RecurrentRank = ranks is null ? null : [.. Enumerable.Range(0, Layers).Select(layer => ranks.GetValueOrDefault($"l{layer}"))],
        };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<IReadOnlyList<string>> GroupUnits(Graph graph) =>
        [.. Enumerable.Range(0, Recurrences).Select(RecurrenceName).Chunk(Directions)];

    /// <summary>What the tokens of a text are numbered by; null for a network that reads no text.</summary>
    /// <exception cref="InvalidCallException">The written tokens are not ones of a text, or one is there twice.</exception>
    public GpuSpectralRnn.Data.Vocabulary? CreateVocabulary() => Tokens is not null && Unit is { } unit ? new(unit, Tokens, isClosed: true) : null;

    /// <summary>Inputs of layer <paramref name="layer"/> (0-based): I for the first, else the outputs of the one below.</summary>
    public int LayerInputs(int layer) => layer == 0 ? Inputs : LayerOutputs(layer - 1);

    /// <summary>D*H: what layer <paramref name="layer"/> (0-based) hands on per step.</summary>
    public int LayerOutputs(int layer) => Directions * Hidden[layer];

    /// <summary>H of recurrence <paramref name="recurrence"/> (0-based).</summary>
    public int RecurrenceUnits(int recurrence) => Hidden[recurrence / Directions];

    /// <summary>Whether recurrence <paramref name="recurrence"/> (0-based) walks from the last step to the first.</summary>
    public bool IsReverse(int recurrence) => recurrence % Directions == 1;

    /// <summary>
    /// How the parameters' names end that belong to recurrence <paramref name="recurrence"/> (0-based): <c>l0</c>, <c>l0_reverse</c>.
    /// </summary>
    public string RecurrenceName(int recurrence) => $"l{recurrence / Directions}{(IsReverse(recurrence) ? ParameterSpec.Reverse : "")}";

    /// <summary>The name of the read-out's weights: the embedding's where they are tied.</summary>
    [JsonIgnore]
    public string ReadoutWeight => TiesWeights ? ParameterSpec.Embedding : ParameterSpec.Readout;

    /// <summary>Rank of layer <paramref name="layer"/>'s recurrent matrix where it is kept as two factors, else 0.</summary>
    public int Rank(int layer) => RecurrentRank?[layer] ?? 0;

    /// <summary>Multiply-adds for one whole sequence of <paramref name="steps"/> steps, read-out included.</summary>
    public long MultiplyAddsPerSequence(int steps) => CreateGraph().MultiplyAdds(new SequenceLayout(steps, Inputs));

    /// <summary>Checks every extent and choice.</summary>
    /// <exception cref="InvalidCallException">One is out of range.</exception>
    public void Validate()
    {
        CheckDefined(Cell, "cell");
        CheckDefined(Readout, "read-out");
        CheckDefined(Task, "task");
        CheckExtent(Inputs, "inputs per step");
        CheckExtent(Outputs, "outputs");
        CheckVocabulary();
        if (Hidden.Count == 0) throw new InvalidCallException("A network needs at least one recurrent layer; give one hidden size or more.");
        if (Layers > MostLayers) throw new InvalidCallException($"{Layers} layers: choose 1 to {MostLayers}.");
        for (int layer = 0; layer < Layers; layer++) CheckExtent(Hidden[layer], $"hidden units in layer {layer}");
        if (RecurrentRank is not null && RecurrentRank.Count != Layers)
            throw new InvalidCallException(
                $"{RecurrentRank.Count} ranks of recurrent matrices do not fit {Layers} layers; give one for each, 0 for a whole matrix.");
        for (int layer = 0; layer < Layers; layer++)
        {
            if (Rank(layer) < 0 || Rank(layer) > Hidden[layer])
                throw new InvalidCallException(
                    $"Rank {Rank(layer)} of layer {layer}'s recurrent matrix: choose 1 to {Hidden[layer]}, or 0 for a whole matrix.");
        }

        if (RecurrentRank is not null && IsBidirectional)
            throw new InvalidCallException("Recurrent matrices in two factors are for networks of one direction; this one is bidirectional.");
        if (CreateGraph().Extent > int.MaxValue)
            throw new InvalidCallException($"Hidden sizes {string.Join(",", Hidden)} make more than {int.MaxValue} parameters; choose smaller ones.");
    }

    /// <summary>Checks that data of <paramref name="layout"/> can be fed to this network, targets included where there are some.</summary>
    /// <param name="layout">What the sequences have in common.</param>
    /// <param name="name">The data's name, for the message.</param>
    /// <exception cref="InvalidCallException">They do not fit.</exception>
    public override void CheckFits(SequenceLayout layout, string name)
    {
        if (layout.Vocabulary > 0 && Vocabulary == 0)
            throw new InvalidCallException($"{name} holds tokens but the model takes {Inputs} real inputs per step; give it an embedding, or other data.");
        if (layout.Vocabulary == 0 && Vocabulary > 0)
            throw new InvalidCallException($"{name} holds real inputs but the model takes tokens; choose other data.");
        if (layout.Vocabulary > Vocabulary)
            throw new InvalidCallException($"{name} has {layout.Vocabulary} tokens but the model knows {Vocabulary}; use the model's own vocabulary.");
        if (layout.IsStream && IsBidirectional)
            throw new InvalidCallException($"{name} is one long stream, whose end a bidirectional model cannot know; use a model of one direction.");
        if (layout.IsStream && Readout != Readout.Every)
            throw new InvalidCallException($"{name} is one long stream but the model answers once per sequence; use the read-out every.");
        if (Vocabulary == 0 && layout.Features != Inputs)
            throw new InvalidCallException($"{name} has {layout.Features} inputs per step but the model takes {Inputs}; choose other data or another view.");
        switch (layout.Target)
        {
            case TargetKind.None:
                return;
            case TargetKind.Value when Task != TaskKind.Regression:
                throw new InvalidCallException($"{name} has target values but the model is a classifier; give class labels.");
            case TargetKind.Value when Readout == Readout.Every:
                throw new InvalidCallException($"{name} has one target per sequence but the model answers at every step.");
            case TargetKind.Value when layout.Outputs != Outputs:
                throw new InvalidCallException($"{name} has {layout.Outputs} target values per sequence but the model gives {Outputs}.");
            case TargetKind.Label or TargetKind.LabelPerStep when Task != TaskKind.Classification:
                throw new InvalidCallException($"{name} has class labels but the model is a regression; give target values.");
            case TargetKind.Label when Readout == Readout.Every:
                throw new InvalidCallException($"{name} has one label per sequence but the model answers at every step; use a read-out of last or mean.");
            case TargetKind.LabelPerStep when Readout != Readout.Every:
                throw new InvalidCallException($"{name} has one label per step but the model answers once per sequence; use the read-out every.");
            case TargetKind.Label or TargetKind.LabelPerStep when layout.Outputs > Outputs:
                throw new InvalidCallException($"{name} has {layout.Outputs} classes but the model knows {Outputs}.");
        }
    }

    /// <inheritdoc/>
    public bool Equals(Architecture? other) =>
        other is not null
        && (Cell, Inputs, Readout, Outputs, Task, View) == (other.Cell, other.Inputs, other.Readout, other.Outputs, other.Task, other.View)
        && (IsBidirectional, Vocabulary, TiesWeights, Unit) == (other.IsBidirectional, other.Vocabulary, other.TiesWeights, other.Unit)
        && (Tokens ?? []).SequenceEqual(other.Tokens ?? [])
        && Hidden.SequenceEqual(other.Hidden)
        && Enumerable.Range(0, Layers).All(layer => Rank(layer) == other.Rank(layer))
        && Data.Count == other.Data.Count
        && Data.All(pair => other.Data.TryGetValue(pair.Key, out string? value) && value == pair.Value);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.Add((Cell, Inputs, Readout, Outputs, Task, View));
        foreach (int hidden in Hidden) hash.Add(hidden);
        return hash.ToHashCode();
    }

    private string InputAxis => HasEmbedding ? "embedding" : "inputs";

    private Graph CreateGraph()
    {
        List<UnitAxis> axes = [new(InputAxis, Inputs)];
        List<Module> modules = [];
        bool canDrop = Layers > 1 || HasEmbedding;
        string x = HasEmbedding ? "tokens" : "inputs";
        Field field = HasEmbedding ? new() { Name = x, Vocabulary = Vocabulary } : new() { Name = x, Axis = InputAxis };
        if (HasEmbedding)
        {
            x = Add(new Embedding { Name = "embedding", Inputs = [x], Axis = InputAxis, IsTied = TiesWeights });
            x = Drop(x, DropoutMask.Embedding);
        }

        for (int layer = 0; layer < Layers; layer++)
        {
            string below = x;
            for (int r = layer * Directions; r < (layer + 1) * Directions; r++)
            {
                string name = RecurrenceName(r);
                axes.Add(new UnitAxis(name, RecurrenceUnits(r)));
                x = Add(new Recurrent
                {
                    Name = name, Inputs = [below], Cell = Cell, Axis = name, IsReverse = IsReverse(r), Rank = Rank(layer), Weights = $"rnn.*_{name}",
                });
            }

            bool isTop = layer == Layers - 1;
            if (IsBidirectional && !(isTop && Readout == Readout.Last))
                x = Add(new Concat { Name = $"l{layer}.both", Inputs = [$"l{layer}", $"l{layer}{ParameterSpec.Reverse}"] });
            if (canDrop && (!isTop || DropsLastLayer)) x = Drop(x, layer);
        }

        string top = $"l{Layers - 1}";
        switch (Readout)
        {
            case Readout.Last when IsBidirectional:
                string forward = Add(new LastStep { Name = $"{top}.last", Inputs = [top] });
                string reverse = Add(new LastStep { Name = $"{x}.last", Inputs = [x], IsReverse = true });
                x = Add(new Concat { Name = "seen", Inputs = [forward, reverse] });
                break;
            case Readout.Last or Readout.LastStep:
                x = Add(new LastStep { Name = "seen", Inputs = [x] });
                break;
            case Readout.Mean:
                x = Add(new MeanOverSteps { Name = "seen", Inputs = [x] });
                break;
        }

        if (HasEmbedding && Readout != Readout.Every) x = Drop(x, Layers - 1);
        axes.Add(new UnitAxis("outputs", Outputs));
        modules.Add(new Linear { Name = "readout", Inputs = [x], Axes = ["outputs"], Weight = ReadoutWeight });
        return new Graph([field], axes, modules, ["readout"]);

        string Add(Module module)
        {
            modules.Add(module);
            return module.Name;
        }

        string Drop(string value, int stream) => Add(new Dropout { Name = $"{value}.dropped", Inputs = [value], Stream = stream });
    }

    private void CheckVocabulary()
    {
        if (Vocabulary is < 0 or > LargestExtent) throw new InvalidCallException($"{Vocabulary} tokens: choose 1 to {LargestExtent}, or 0 for real inputs.");
        if (Tokens is not null && Tokens.Count != Vocabulary)
            throw new InvalidCallException($"{Tokens.Count} written tokens do not fit a vocabulary of {Vocabulary}; give one for each.");
        if (Unit is not null && Tokens is null) throw new InvalidCallException("The network reads a text but its tokens are not written down; give them.");
        if (Tokens is not null && Tokens.Any(token => token is null)) throw new InvalidCallException("A written token is null; give each as text.");
        _ = CreateVocabulary(); // which checks them
        if (!TiesWeights) return;
        if (Vocabulary == 0) throw new InvalidCallException("Tied weights need an embedding to share; give a vocabulary, or leave them untied.");
        int seen = LayerOutputs(Layers - 1);
        if (Inputs != seen)
            throw new InvalidCallException($"Tied weights need an embedding as wide as what the read-out sees: {Inputs} is not {seen}; make them equal.");
        if (Outputs != Vocabulary)
            throw new InvalidCallException($"Tied weights need as many outputs as tokens: {Outputs} is not {Vocabulary}; make them equal, or leave them untied.");
    }

    private static void CheckExtent(int value, string what)
    {
        if (value is < 1 or > LargestExtent) throw new InvalidCallException($"{value} {what}: choose 1 to {LargestExtent}.");
    }

    private static void CheckDefined<T>(T value, string what)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value)) throw new InvalidCallException($"{value} is no {what}; choose one of {string.Join(", ", EnumNames.All<T>())}.");
    }
}
