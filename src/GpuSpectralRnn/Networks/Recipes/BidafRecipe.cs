using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Networks;

/// <summary>
/// A bidirectional attention reader (Seo, Kembhavi, Farhadi, Hajishirzi 2017; docs/method.md, section 17): the words of a text and of a question,
/// with their characters where there are some, through highway layers and a contextual encoder that both share, attention of both to each other,
/// modelling layers, and the scores of every word of the text to be the first and the last of the answer. Every width is free, and recurrences are
/// of any cell.
/// </summary>
public sealed record BidafRecipe : Recipe
{
    /// <summary>The columns of the table of words.</summary>
    public const string WordAxis = "word";

    /// <summary>The filters over characters.</summary>
    public const string SpellingAxis = "spelling";

    /// <summary>The columns of the table of characters.</summary>
    public const string LetterAxis = "letter";

    /// <summary>The contextual encoder's forward states.</summary>
    public const string EncoderAxis = "encoder";

    /// <summary>The forward states of the recurrence before the end's scores.</summary>
    public const string EndAxis = "end";

    /// <summary>The name of the table of words.</summary>
    public const string WordTable = "words.weight";

    private const string Reverse = ParameterSpec.Reverse;
    private const string Mark = "reader";
    private const string MarkValue = "bidaf";
    private const string Start = "start", EndScores = "end.scores", Attended = "attention";
    private const string Question = ReadingData.QuestionField, Context = ReadingData.ContextField;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { GraphRecipe.WriteRequired } },
    };

    /// <summary>What tells its JSON from that of other recipes; always <c>bidaf</c>.</summary>
    public required string Reader { get; init; }

    /// <summary>The cell of all recurrences.</summary>
    public required Cell Cell { get; init; }

    /// <summary>The words, by their numbers; the first stands for unknown ones.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>The characters, by their numbers; the first stands for unknown ones. None for readers of words alone.</summary>
    public IReadOnlyList<string> Characters { get; init; } = [];

    /// <summary>
    /// Sizes of the axes: <c>word</c>, with characters <c>letter</c> and <c>spelling</c>, then <c>encoder</c>, <c>model0</c>, <c>model1</c>, ... and
    /// <c>end</c>, these with another of the same name and <c>_reverse</c>. There are as many modelling layers as names.
    /// </summary>
    public required IReadOnlyDictionary<string, int> Units { get; init; }

    /// <summary>Highway layers over the words.</summary>
    public required int HighwayLayers { get; init; }

    /// <summary>Characters that a filter sees.</summary>
    public int CharacterSpan { get; init; }

    /// <summary>The most words that a text is read up to; 0 for no limit. Of the data, not of the graph.</summary>
    public int ContextLength { get; init; }

    /// <summary>Whether the table of words stays as it was given.</summary>
    public bool HasFixedWords { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override TaskKind Task { get => TaskKind.Classification; init => _ = value; }

    /// <summary>Modelling layers.</summary>
    [JsonIgnore]
    public int ModelLayers => Units.Keys.Count(name => IsModel(name) && !name.EndsWith(Reverse, StringComparison.Ordinal));

    /// <summary>What words and characters are numbered by.</summary>
    [JsonIgnore]
    public ReadingVocabulary Vocabulary => new(Words, Characters);

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Title
    {
        get
        {
            IEnumerable<string> sizes = GroupNames().Where(name => name != WordAxis && name != SpellingAxis).Select(name => $"{Units[name]}");
            return $"bidaf reader {Cell.Name()} {Units[WordAxis]}{(HasCharacters ? $"+{Units[SpellingAxis]}" : "")}-{string.Join('-', sizes)}";
        }
    }

    private bool HasCharacters => Characters.Count > 0;

    /// <summary>A reader with d hidden units in every recurrence and direction.</summary>
    /// <param name="vocabulary">Its words and characters; without characters it reads words alone.</param>
    /// <param name="hidden">d.</param>
    /// <param name="word">Columns of the table of words.</param>
    /// <param name="spelling">Filters over characters.</param>
    /// <param name="letter">Columns of the table of characters.</param>
    /// <param name="cell">The cell of all recurrences.</param>
    /// <param name="modelLayers">Modelling layers.</param>
    public static BidafRecipe Create(
        ReadingVocabulary vocabulary,
        int hidden = 100,
        int word = 100,
        int spelling = 100,
        int letter = 16,
        Cell cell = Cell.Lstm,
        int modelLayers = 2)
    {
        bool spells = vocabulary.Characters.Count > 0;
        Dictionary<string, int> units = new() { [WordAxis] = word };
        if (spells) (units[LetterAxis], units[SpellingAxis]) = (letter, spelling);
        foreach (string name in (string[])[EncoderAxis, .. Enumerable.Range(0, modelLayers).Select(Model), EndAxis])
            units[name] = units[name + Reverse] = hidden;
        return new BidafRecipe
        {
            Reader = MarkValue,
            Cell = cell,
            Words = vocabulary.Words,
            Characters = vocabulary.Characters,
            Units = units,
            HighwayLayers = 2,
            CharacterSpan = spells ? 5 : 0,
        };
    }

    /// <summary>Whether a JSON value is such a recipe, perhaps a damaged one.</summary>
    internal static bool IsOne(JsonElement json) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(Mark, out _);

    /// <summary>Reads what <see cref="ToJson"/> wrote, and checks it.</summary>
    /// <exception cref="InvalidCallException">It is no valid JSON, a member is missing, unknown or out of range.</exception>
    internal static BidafRecipe Read(string json)
    {
        BidafRecipe recipe;
        try
        {
            recipe = JsonSerializer.Deserialize<BidafRecipe>(json, Json)
                ?? throw new InvalidCallException("The reader is null; it must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidCallException($"The reader cannot be read: {JsonFault.Describe(e)}.", e);
        }

        _ = recipe.Build();
        return recipe;
    }

    /// <inheritdoc/>
    public override string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <inheritdoc/>
    public override Graph Build()
    {
        Check();
        return Written().Build();
    }

    /// <summary>The same graph written out, without words and characters.</summary>
    public GraphRecipe Written() => new() { Fields = [.. Fields()], Axes = Axes(), Modules = [.. AllModules()], Outputs = [Start, EndScores] };

    /// <summary>
    /// Recurrent axes in both directions keep as many units; words and spelling are groups with all that the highway ties to them.
    /// </summary>
    public override IReadOnlyList<IReadOnlyList<string>> GroupUnits(Graph graph)
    {
        Dictionary<string, PrunableAxis> prunable = graph.PrunableAxes.ToDictionary(axis => axis.Name);
        return
        [
            .. from name in GroupNames()
               where prunable.ContainsKey(name)
               select (IReadOnlyList<string>)(prunable.ContainsKey(name + Reverse) ? [name, name + Reverse] : [name, .. prunable[name].TiedTo]),
        ];
    }

    /// <inheritdoc/>
    public override Recipe Change(
        IReadOnlyDictionary<string, int> sizes, IReadOnlyDictionary<string, int>? ranks = null, IReadOnlySet<string>? apart = null)
    {
        BidafRecipe changed = this with { Units = Units.ToDictionary(pair => pair.Key, pair => sizes.GetValueOrDefault(pair.Key, pair.Value)) };
        bool isSmall = ranks?.Values.Any(rank => rank > 0) != true && apart is not { Count: > 0 };
        return isSmall ? changed : changed.Written().Change(sizes, ranks, apart); // which only a graph can say
    }

    /// <inheritdoc/>
    public override void CheckFits(SequenceLayout layout, string name) => Written().CheckFits(layout, name);

    /// <inheritdoc/>
    public bool Equals(BidafRecipe? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc/>
    public override int GetHashCode() => ToJson().GetHashCode(StringComparison.Ordinal);

    private static string Model(int layer) => $"model{layer}";

    private static bool IsModel(string name) => name.StartsWith("model", StringComparison.Ordinal);

    private IEnumerable<string> GroupNames() =>
        [EncoderAxis, .. Enumerable.Range(0, ModelLayers).Select(Model), EndAxis, WordAxis, .. HasCharacters ? [SpellingAxis] : Array.Empty<string>()];

    private void Check()
    {
        if (Reader != MarkValue)
            throw new InvalidCallException($"The reader '{ForeignText.Show(Reader)}' is not known; a newer version may have written it.");
        if (Words.Contains(null!) || Characters.Contains(null!))
            throw new InvalidCallException("A word or a character of the reader is null; give each as text.");
        _ = Vocabulary; // which checks them
        string[] recurrent = [.. GroupNames().Where(name => name != WordAxis && name != SpellingAxis)];
        string[] needed =
        [
            WordAxis, .. HasCharacters ? [LetterAxis, SpellingAxis] : Array.Empty<string>(), .. recurrent, .. recurrent.Select(name => name + Reverse),
        ];
        if (needed.FirstOrDefault(name => !Units.ContainsKey(name)) is { } missing)
            throw new InvalidCallException($"The reader has no size for {missing}; give one.");
        if (Units.Keys.FirstOrDefault(name => !needed.Contains(name)) is { } extra)
            throw new InvalidCallException($"The reader has no place for {extra}; leave it out.");
        if (ModelLayers < 1) throw new InvalidCallException("A reader has one modelling layer or more.");
        const int mostHighways = 16;
        if (HighwayLayers is < 0 or > mostHighways) throw new InvalidCallException($"{HighwayLayers} highway layers: choose 0 to {mostHighways}.");
        if (HasCharacters && CharacterSpan is < 1 or > ReadingData.MostCharacters)
            throw new InvalidCallException($"Filters over {CharacterSpan} characters: choose 1 to {ReadingData.MostCharacters}.");
        if (ContextLength < 0) throw new InvalidCallException($"A text of {ContextLength} words: choose 1 or more, or 0 for no limit.");
    }

    private IEnumerable<Field> Fields()
    {
        foreach (string text in (string[])[Context, Question])
        {
            yield return new Field { Name = text, Vocabulary = Words.Count };
            if (HasCharacters) yield return new Field { Name = text + ReadingData.Letters, Vocabulary = Characters.Count, CharactersOf = text };
        }
    }

    private Dictionary<string, int> Axes()
    {
        Dictionary<string, int> axes = Units.ToDictionary();
        foreach (string part in WordParts())
            foreach (string axis in HighwayAxes(part)) axes[axis] = Units[part];
        axes["start.score"] = axes["end.score"] = 1;
        return axes;
    }

    private IEnumerable<string> WordParts() => HasCharacters ? [WordAxis, SpellingAxis] : [WordAxis];

    private IEnumerable<string> HighwayAxes(string part) =>
        Enumerable.Range(0, HighwayLayers).SelectMany(layer => (string[])[$"highway{layer}.gate.{part}", $"highway{layer}.candidate.{part}"]);

    private IEnumerable<Module> AllModules()
    {
        int stream = 0;
        List<Module> modules = [.. Encoder(Context), .. Encoder(Question)];
        modules.Add(new Modules.Attention { Name = Attended, Inputs = [$"{Context}.encoded", $"{Question}.encoded"] });
        string below = Attended;
        for (int layer = 0; layer < ModelLayers; layer++) below = Layer(Model(layer), below, Model(layer), Model(layer));
        Score("start", below);
        Score("end", Layer(EndAxis, below, EndAxis, EndAxis));
        return modules;

        string Drop(string name)
        {
            modules.Add(new Dropout { Name = $"{name}.dropped", Inputs = [name], Stream = stream++ });
            return $"{name}.dropped";
        }

        // Both directions side by side.
        string Layer(string name, string input, string axis, string weights)
        {
            string read = Drop($"{input}");
            modules.Add(new Recurrent { Name = $"{name}.forward", Inputs = [read], Cell = Cell, Axis = axis, Weights = $"{weights}.*" });
            modules.Add(new Recurrent
            { Name = $"{name}.backward", Inputs = [read], Cell = Cell, Axis = axis + Reverse, IsReverse = true, Weights = $"{weights}.*{Reverse}" });
            modules.Add(new Concat { Name = name, Inputs = [$"{name}.forward", $"{name}.backward"] });
            return name;
        }

        // w . [G ; M] for each word.
        void Score(string place, string model)
        {
            modules.Add(new Concat { Name = $"{place}.read", Inputs = [Attended, model] });
            modules.Add(new Linear
            { Name = $"{place}.score", Inputs = [Drop($"{place}.read")], Axes = [$"{place}.score"], Weight = $"{place}.weight", Bias = $"{place}.bias" });
            modules.Add(new StepScores { Name = place == "start" ? Start : EndScores, Inputs = [$"{place}.score"] });
        }

        // Of either text, by parameters that both share.
        IEnumerable<Module> Encoder(string text)
        {
            List<Module> own = [new Embedding { Name = $"{text}.words", Inputs = [text], Axis = WordAxis, Weight = WordTable, IsFixed = HasFixedWords }];
            List<string> parts = [$"{text}.words"];
            if (HasCharacters)
            {
                own.Add(new CharacterConvolution
                {
                    Name = $"{text}.spelling", Inputs = [text + ReadingData.Letters], Axis = SpellingAxis, CharacterAxis = LetterAxis,
                    Span = CharacterSpan, Weights = "spelling.*",
                });
                parts.Add($"{text}.spelling");
            }

            string below = $"{text}.input";
            own.Add(new Concat { Name = below, Inputs = [.. parts] });
            for (int layer = 0; layer < HighwayLayers; layer++)
            {
                foreach (string part in (string[])["gate", "candidate"])
                {
                    string name = $"highway{layer}.{part}";
                    own.Add(new Linear
                    {
                        Name = $"{text}.{name}", Inputs = [below], Axes = [.. WordParts().Select(words => $"{name}.{words}")],
                        Weight = $"{name}.weight", Bias = $"{name}.bias",
                    });
                }

                string highway = $"{text}.highway{layer}";
                own.Add(new Highway { Name = highway, Inputs = [$"{text}.highway{layer}.gate", $"{text}.highway{layer}.candidate", below] });
                below = highway;
            }

            string dropped = $"{below}.dropped";
            own.Add(new Dropout { Name = dropped, Inputs = [below], Stream = stream++ });
            own.Add(new Recurrent { Name = $"{text}.forward", Inputs = [dropped], Cell = Cell, Axis = EncoderAxis, Weights = "encoder.*" });
            own.Add(new Recurrent
            {
                Name = $"{text}.backward", Inputs = [dropped], Cell = Cell, Axis = EncoderAxis + Reverse, IsReverse = true,
                Weights = $"encoder.*{Reverse}",
            });
            own.Add(new Concat { Name = $"{text}.encoded", Inputs = [$"{text}.forward", $"{text}.backward"] });
            return own;
        }
    }
}
