using System.Globalization;
using System.Text.RegularExpressions;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// The tensors of a PyTorch state dict under this project's names: <c>rnn.weight_ih_l0</c>, ..., <c>embedding.weight</c>, <c>readout.weight</c>.
/// Aliases in the metadata are resolved, weight normalisation is folded, recurrent modules that feed each other become the layers of one.
/// </summary>
internal sealed partial class StateDictTensors
{
    /// <summary>Number of recurrent modules above which only the order of their names is tried: the other orders are too many.</summary>
    private const int MostOrdered = 7;

    private const int ShownNames = 40;

    private readonly SafetensorsFile file;
    private readonly Action<string> note;
    private readonly Dictionary<string, NamedArray> source = [];
    private readonly Dictionary<string, NamedArray> tensors = [];

    /// <summary>Sorts the file's tensors.</summary>
    /// <param name="file">The state dict.</param>
    /// <param name="linear">The module of the read-out; null: the only one that can be it.</param>
    /// <param name="embedding">The module of the embedding; null: the one that can be it, if any.</param>
    /// <param name="note">Receives the assumptions, a line each.</param>
    /// <exception cref="InvalidCallException">
    /// They are not those of recurrent modules in a row, one nn.Linear and perhaps one nn.Embedding.
    /// </exception>
    /// <exception cref="BrokenFileException">A tensor holds no floating-point numbers, or the parts of a normalised weight do not fit.</exception>
    public StateDictTensors(SafetensorsFile file, string? linear, string? embedding, Action<string> note)
    {
        (this.file, this.note) = (file, note);
        foreach (NamedArray array in file.Arrays) source.Add(array.Name, array);
        FollowAliases();
        FoldWeightNorm();
        Dictionary<string, List<NamedArray>> recurrent = [], others = [];
        foreach ((string name, NamedArray array) in source)
        {
            if (name.Contains("weight_hr_l", StringComparison.Ordinal))
                throw Unfit($"'{name}' is the projection of an LSTM with proj_size, which is not supported; train it without");
            if (Recurrent().Match(name) is { Success: true } weight) Group(recurrent, weight.Groups["module"].Value).Add(array);
            else if (Linear().Match(name) is { Success: true } other) Group(others, other.Groups["module"].Value).Add(array);
            else throw Unfit($"'{name}' belongs to none");
        }

        ChainLayers(recurrent);
        NameOthers(others, linear, embedding);
    }

    /// <summary>The tensors by this project's names.</summary>
    public IReadOnlyDictionary<string, NamedArray> Tensors => tensors;

    /// <summary>The tensor of this name, or null.</summary>
    public NamedArray? Find(string name) => tensors.GetValueOrDefault(name);

    /// <summary>Adds zeros where a module was made without the tensor.</summary>
    public void AddZeros(string name, int count) => tensors.Add(name, NamedArray.Create(name, new Shape(count), new float[count]));

    /// <summary>Removes the tensor.</summary>
    public void Remove(string name) => tensors.Remove(name);

    /// <summary>Extent <paramref name="dimension"/> of a matrix.</summary>
    /// <exception cref="BrokenFileException">The tensor is no matrix.</exception>
    public int Extent(NamedArray array, int dimension) => array.Shape.Rank == 2 && array.Shape[dimension] > 0
        ? array.Shape[dimension]
        : throw new BrokenFileException(file.Path, $"{array.Name} is {array.Shape}; a matrix is needed.");

    /// <summary>The exception for a file that is no such state dict, with all its names.</summary>
    public InvalidCallException Unfit(string problem) => new(
        $"{file.Path} is not the state dict of one nn.RNN, nn.LSTM or nn.GRU (or several in a row), " +
        $"one nn.Linear and perhaps one nn.Embedding: {problem}. " +
        $"It holds {string.Join(", ", file.Arrays.Take(ShownNames).Select(array => array.Name))}" +
        $"{(file.Arrays.Count > ShownNames ? $" and {file.Arrays.Count - ShownNames} more" : "")}.");

    [GeneratedRegex(@"^(?<module>(.*\.)?)(?<kind>(weight|bias)_(ih|hh))(_l(?<layer>0|[1-9]\d{0,2}))?(?<direction>(_reverse)?)$")]
    private static partial Regex Recurrent();

    [GeneratedRegex(@"^(?<module>(.*\.)?)(?<name>weight|bias)$")]
    private static partial Regex Linear();

    // torch.nn.utils.weight_norm (name_g, name_v), its successor in torch.nn.utils.parametrizations, and the raw weights under DropConnect.
    [GeneratedRegex(@"^(?<name>.+)_(?<part>g|v|raw)$|^(?<module>(.*\.)?)parametrizations\.(?<weight>[^.]+)\.(?<part>original[01])$")]
    private static partial Regex Parametrized();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();

    [GeneratedRegex("emb|encoder|lookup|wte|token|vocab|word", RegexOptions.IgnoreCase)]
    private static partial Regex EmbeddingName();

    // Other layers are encoders, too.
    [GeneratedRegex("emb|lookup|wte|token|vocab|word", RegexOptions.IgnoreCase)]
    private static partial Regex SureEmbeddingName();

    private static List<NamedArray> Group(Dictionary<string, List<NamedArray>> groups, string module)
    {
        if (!groups.TryGetValue(module, out List<NamedArray>? members)) groups.Add(module, members = []);
        return members;
    }

    // A file that must not hold memory twice keeps one name of tied weights; safetensors.torch.save_model writes the other into the metadata.
    private void FollowAliases()
    {
        foreach ((string alias, string name) in file.Metadata)
        {
            if (source.TryGetValue(name, out NamedArray? kept)) source.TryAdd(alias, kept);
        }
    }

    private void Add(string name, NamedArray array)
    {
        if (!tensors.TryAdd(name, array)) throw Unfit($"'{array.Name}' and '{tensors[name].Name}' have the same place");
    }

    private void FoldWeightNorm()
    {
        Dictionary<string, Dictionary<string, NamedArray>> parts = [];
        foreach (string name in source.Keys.ToArray())
        {
            if (Parametrized().Match(name) is not { Success: true } match) continue;
            string whole = match.Groups["weight"] is { Success: true } weight
                ? match.Groups["module"].Value + weight.Value
                : match.Groups["name"].Value;
            if (!parts.TryGetValue(whole, out Dictionary<string, NamedArray>? found)) parts.Add(whole, found = []);
            string part = match.Groups["part"].Value switch { "original0" => "g", "original1" => "v", var other => other };
            if (!found.TryAdd(part, source[name])) throw Unfit($"'{name}' is a part of '{whole}' that is there twice");
            source.Remove(name);
        }

        foreach ((string name, Dictionary<string, NamedArray> found) in parts)
        {
            source[name] = found.TryGetValue("raw", out NamedArray? raw) ? raw
                : found.TryGetValue("g", out NamedArray? length) && found.TryGetValue("v", out NamedArray? direction)
                    ? Normalized(name, length, direction)
                : throw Unfit($"'{name}' is parametrized, with {string.Join(" and ", found.Values.Select(array => array.Name))} only; " +
                    "fold it before saving " +
                              "(torch.nn.utils.remove_weight_norm or parametrize.remove_parametrizations)");
        }

        if (parts.Count > 0) note($"weight normalisation is folded into {string.Join(", ", parts.Keys)}");
    }

    // w = g v / |v|, by rows (dim=0, g [rows, 1]), by columns (g [1, columns]) or as a whole (one g); summed in double.
    private NamedArray Normalized(string name, NamedArray length, NamedArray direction)
    {
        (int rows, int columns) = (Extent(direction, 0), Extent(direction, 1));
        float[] g = ModelFile.Floats(file.Path, length), v = ModelFile.Floats(file.Path, direction);
        bool isByRow = g.Length == rows && (length.Shape.Rank < 2 || length.Shape[0] == rows), isByColumn = !isByRow && g.Length == columns;
        if (!isByRow && !isByColumn && g.Length != 1)
            throw new BrokenFileException(file.Path, $"{length.Name} is {length.Shape}, which does not fit {direction.Name} {direction.Shape}.");
        double[] squares = new double[g.Length];
        for (int i = 0; i < v.Length; i++) squares[Place(i)] += (double)v[i] * v[i];
        float[] folded = new float[v.Length];
        for (int i = 0; i < v.Length; i++) folded[i] = (float)(g[Place(i)] / Math.Sqrt(squares[Place(i)]) * v[i]);
        return NamedArray.Create(name, direction.Shape, folded);

        int Place(int i) => isByRow ? i / columns : isByColumn ? i % columns : 0;
    }

    // Modules in the order in which each takes what the one before hands on; their layers are numbered through.
    private void ChainLayers(Dictionary<string, List<NamedArray>> modules)
    {
        string[] order = Chain(modules);
        int first = 0;
        foreach (string module in order)
        {
            int layers = 0;
            foreach (NamedArray array in modules[module])
            {
                Match match = Recurrent().Match(NameOf(array));
                int layer = match.Groups["layer"] is { Success: true, Value: var digits }
                    && int.TryParse(digits, CultureInfo.InvariantCulture, out int number) ? number : 0;
                layers = Math.Max(layers, layer + 1);
                Add($"rnn.{match.Groups["kind"].Value}_l{first + layer}{match.Groups["direction"].Value}", array);
            }

            first += layers;
        }

        if (order.Length > 1)
            note($"the modules {string.Join(" ", order.Select(module => module.TrimEnd('.')))} are taken for layers, in this order");
    }

    // Their order by name where it is one in which each feeds the next, else the only such order there is.
    private string[] Chain(Dictionary<string, List<NamedArray>> modules)
    {
        string[] named = [.. modules.Keys.OrderBy(name => Digits().Replace(name, number => number.Value.PadLeft(9, '0')), StringComparer.Ordinal)];
        if (named.Length < 2) return named;
        Dictionary<string, (int Inputs, int Outputs)> widths = modules.ToDictionary(module => module.Key, module => Widths(module.Value));
        if (Feeds(named)) return named;
        string[][] chains = named.Length > MostOrdered ? [] : [.. Orders([.. named]).Where(Feeds).Take(2)];
        return chains.Length == 1 ? chains[0] : throw Unfit(
            $"the recurrent modules '{string.Join("', '", named)}' do not feed each other in one clear order; " +
            "if they do, rename them to the layers of one " +
            $"(the second's _l0 to _l1 under the prefix '{named[0]}')");

        bool Feeds(IReadOnlyList<string> order) => order.Zip(order.Skip(1)).All(pair => widths[pair.Second].Inputs == widths[pair.First].Outputs);

        // Only orders whose beginnings feed each other are followed.
        IEnumerable<string[]> Orders(IReadOnlyList<string> left, string[]? begun = null)
        {
            begun ??= [];
            if (left.Count == 0) return [begun];
            return left.Where(next => Feeds([.. begun.TakeLast(1), next]))
                .SelectMany(next => Orders([.. left.Where(name => name != next)], [.. begun, next]));
        }
    }

    private (int Inputs, int Outputs) Widths(List<NamedArray> members)
    {
        NamedArray? input = members.Find(array => IsAt(array, "weight_ih", 0));
        int top = members.Max(array => LayerOf(array));
        NamedArray[] last = [.. members.Where(array => IsAt(array, "weight_hh", top))];
        return input is null || last.Length == 0 ? (-1, -2) : (Extent(input, 1), last.Sum(array => Extent(array, 1)));

        bool IsAt(NamedArray array, string kind, int layer) =>
            Recurrent().Match(NameOf(array)).Groups["kind"].Value == kind && LayerOf(array) == layer;
    }

    private int LayerOf(NamedArray array) =>
        Recurrent().Match(NameOf(array)).Groups["layer"] is { Success: true, Value: var digits }
            && int.TryParse(digits, CultureInfo.InvariantCulture, out int layer) ? layer : 0;

    // An alias shares the array of another name.
    private string NameOf(NamedArray array) => Recurrent().IsMatch(array.Name) ? array.Name : source.First(pair => pair.Value == array).Key;

    private void NameOthers(Dictionary<string, List<NamedArray>> others, string? linear, string? embedding)
    {
        if (others.FirstOrDefault(module =>
                module.Value.Exists(array => array.Shape.Rank == 1 && array.Name.EndsWith("weight", StringComparison.Ordinal)))
            is { Key: { } norm })
            throw Unfit($"'{norm.TrimEnd('.')}' is a normalisation layer, which is not supported");
        string? readout = linear is null ? null : Module(others, linear, "linear");
        string? table = embedding is null ? null : Module(others, embedding, "embedding");
        if (readout is not null) others = LeaveOut(others, readout, table);
        table ??= others.Count < 2 ? null : EmbeddingModule(others);
        if (table is not null && table == readout) throw Unfit($"'{readout.TrimEnd('.')}' cannot be the nn.Linear and the nn.Embedding");
        if (readout is null && others.Count > (table is null ? 1 : 2))
            throw Unfit($"each of '{string.Join("', '", others.Keys.Where(module => module != table))}' could be the nn.Linear; say which as `linear`");
        foreach ((string module, List<NamedArray> members) in others)
        {
            string room = module == table ? "embedding." : "readout.";
            foreach (NamedArray array in members) Add(room + (array.Shape.Rank == 1 ? "bias" : "weight"), array);
        }
    }

    // The module that the caller names, with or without ".weight".
    private string Module(Dictionary<string, List<NamedArray>> others, string name, string parameter)
    {
        string module = name.EndsWith(".weight", StringComparison.Ordinal) ? name[..^"weight".Length] : name.Length == 0 ? name : name.TrimEnd('.') + '.';
        return others.ContainsKey(module)
            ? module
            : throw Unfit($"`{parameter}` {ForeignText.Show(name)} is none of '{string.Join("', '", others.Keys.Select(key => key.TrimEnd('.')))}'");
    }

    // Modules that are neither the read-out nor could be the embedding belong to something else.
    private Dictionary<string, List<NamedArray>> LeaveOut(Dictionary<string, List<NamedArray>> others, string readout, string? table)
    {
        Dictionary<string, List<NamedArray>> kept =
            others.Where(pair => pair.Key == readout || (table is null ? CanEmbed(pair.Value) : pair.Key == table)).ToDictionary();
        string[] left = [.. others.Keys.Except(kept.Keys)];
        if (left.Length > 0) note($"left out: {string.Join(", ", left.Select(module => module.TrimEnd('.')))}");
        return kept;
    }

    // No bias, and rows as wide as the recurrent input.
    private bool CanEmbed(List<NamedArray> members) =>
        members is [{ Shape: { Rank: 2 } table }] && Find("rnn.weight_ih_l0") is { Shape: { Rank: 2 } shape } && table[1] == shape[1];

    // nn.Embedding: no bias, as wide as the recurrent input. Its name tells, or a read-out of as many outputs as it has rows: a language model.
    private string EmbeddingModule(Dictionary<string, List<NamedArray>> others)
    {
        int inputs = Find("rnn.weight_ih_l0") is { Shape: { Rank: 2 } shape } ? shape[1] : -1;
        string[] fitting = [.. others.Where(pair => CanEmbed(pair.Value)).Select(pair => pair.Key)];
        string[] named = [.. fitting.Where(module => EmbeddingName().IsMatch(module))];
        if (others.Count != 2 || fitting.Length == 0)
            throw Unfit($"'{string.Join("', '", others.Keys)}' are not one nn.Embedding of width {inputs} and one nn.Linear; say which are as `embedding` and `linear`");
        if (fitting.Length == 2 && named.Length == 1) fitting = named;
        if (fitting.Length == 2)
            throw Unfit($"each of '{string.Join("', '", fitting)}' could be the nn.Embedding; say which as `embedding`");

        // A linear layer before the recurrent ones would be square; its name, or a read-out of as many outputs, then tells that it is none.
        int rows = others[fitting[0]][0].Shape[0];
        bool isLanguageModel = others.Any(pair => pair.Key != fitting[0] && pair.Value.Any(array => array.Shape.Rank > 0 && array.Shape[0] == rows));
        bool isSure = rows != inputs || SureEmbeddingName().IsMatch(fitting[0]) || (isLanguageModel && named.Contains(fitting[0]));
        return isSure
            ? fitting[0]
            : throw Unfit(
                $"'{fitting[0]}weight' may be an nn.Linear before the recurrent layers, which is not supported, " +
                $"or an nn.Embedding of {rows} tokens; " +
                "if it is an embedding, say so as `embedding`");
    }
}
