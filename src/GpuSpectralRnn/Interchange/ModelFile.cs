using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// Model files: safetensors with PyTorch's names for the parameters; in the metadata the recipe as JSON under <c>gsrnn.architecture</c> and, where
/// single weights are pruned, their mask under <c>gsrnn.mask</c>. A matrix whose mask is of blocks is kept as these (<see cref="BlockStorage"/>).
/// </summary>
public static class ModelFile
{
    /// <summary>The metadata key of the architecture.</summary>
    public const string ArchitectureKey = "gsrnn.architecture";

    /// <summary>Writes the network, atomically. Equal networks give equal bytes.</summary>
    /// <exception cref="RunFailedException">A parameter is NaN or infinite, or the file cannot be written.</exception>
    public static void Save(string path, Network network)
    {
        Parameters parameters = network.Parameters;
        float[] block = parameters.Values.ToArray();
        if (parameters.FindNotFinite(block) is { } bad)
            throw new RunFailedException(
                $"{path} is not written: {bad.Name} holds {bad.Value} at index {bad.Index}. " +
                "The model is broken; train it again or take an earlier one.");
        BlockStorage blocks = BlockStorage.Find(parameters);
        NamedArray[] arrays =
        [
            .. parameters.Slots.Select(slot =>
                blocks.Pack(NamedArray.Create(slot.Name, slot.Shape, block.AsSpan((int)slot.Offset, (int)slot.Shape.Count).ToArray()))),
        ];
        Dictionary<string, string> metadata = new() { ["format"] = "pt", [ArchitectureKey] = network.Recipe.ToJson() };
        if (MaskText.Write(parameters, blocks.Names) is { } mask) metadata[MaskText.Key] = mask;
        if (blocks.ToJson() is { } stored) metadata[BlockStorage.Key] = stored;
        SafetensorsFile.Write(path, arrays, metadata);
    }

    /// <summary>Reads a network that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidCallException">There is no such file, or it holds no architecture (see <see cref="StateDict"/> for such
    /// files).</exception>
    /// <exception cref="BrokenFileException">The file is damaged, or its tensors are not those of its architecture.</exception>
    public static Network Load(string path, IBackend backend)
    {
        SafetensorsFile file = SafetensorsFile.Read(path);
        Recipe recipe = ReadRecipe(file);
        Dictionary<string, NamedArray> tensors = file.Arrays.ToDictionary(array => array.Name);
        BlockStorage? blocks = file.Metadata.TryGetValue(BlockStorage.Key, out string? stored) ? BlockStorage.Read(stored, path) : null;
        blocks?.Unpack(tensors, recipe.Build(), path);
        Network network = Build(file, recipe, backend, tensors);
        try
        {
            blocks?.ApplyMasks(network.Parameters);
            if (file.Metadata.TryGetValue(MaskText.Key, out string? mask)) MaskText.Apply(mask, network.Parameters, path);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Reads the recipe alone.</summary>
    /// <exception cref="InvalidCallException">There is no such file, or it holds no architecture.</exception>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public static Recipe LoadRecipe(string path) => ReadRecipe(SafetensorsFile.Read(path));

    /// <summary>Reads the architecture of a stack alone.</summary>
    /// <exception cref="InvalidCallException">There is no such file, it holds no architecture, or its network is another graph.</exception>
    /// <exception cref="BrokenFileException">The file is damaged.</exception>
    public static Architecture LoadArchitecture(string path) => LoadRecipe(path) as Architecture
        ?? throw new InvalidCallException($"{path} holds another graph than a stack of recurrent layers under one read-out, which this needs.");

    /// <summary>
    /// A network from tensors that must be exactly those of <paramref name="recipe"/>; <paramref name="tensors"/> maps our names to the file's
    /// arrays.
    /// </summary>
    internal static Network Build(SafetensorsFile file, Recipe recipe, IBackend backend, IReadOnlyDictionary<string, NamedArray> tensors)
    {
        Graph graph = recipe.Build();
        IReadOnlyList<ParameterSpec> slots = graph.Parameters;
        string[] missing = [.. slots.Select(slot => slot.Name).Except(tensors.Keys)];
        if (missing.Length > 0)
            throw new BrokenFileException(file.Path, $"the architecture needs the tensors {string.Join(", ", missing)}, which are missing.");
        string[] extra = [.. tensors.Keys.Except(slots.Select(slot => slot.Name))];
        if (extra.Length > 0) throw new BrokenFileException(file.Path, $"the architecture has no place for the tensors {string.Join(", ", extra)}.");
        foreach (ParameterSpec slot in slots)
        {
            NamedArray array = tensors[slot.Name];
            if (array.Shape != slot.Shape)
                throw new BrokenFileException(file.Path, $"{array.Name} is {array.Shape}; the architecture asks for {slot.Shape}.");
        }

        // Allocated after the checks: a damaged architecture may ask for more memory than there is.
        float[] block = new float[graph.Extent];
        foreach (ParameterSpec slot in slots)
        {
            NamedArray array = tensors[slot.Name];
            float[] values = Floats(file.Path, array);
            int bad = Array.FindIndex(values, value => !float.IsFinite(value));
            if (bad >= 0)
                throw new BrokenFileException(
                    file.Path, $"{array.Name} holds {values[bad]} at index {bad}; train the model again or take an earlier one.");
            values.CopyTo(block.AsSpan((int)slot.Offset));
        }

        Network network = new(recipe, backend);
        network.Parameters.Values.CopyFrom<float>(block);
        return network;
    }

    private static Recipe ReadRecipe(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(ArchitectureKey, out string? json))
        {
            throw new InvalidCallException(
                $"{file.Path} says nothing of the architecture (metadata '{ArchitectureKey}'). " +
                "If it is a plain PyTorch state dict, import it and name its cell.");
        }

        if (file.Metadata.ContainsKey("gsrnn.checkpoint"))
            throw new InvalidCallException($"{file.Path} is a checkpoint of a training run, not a model; resume the run to finish it.");
        try
        {
            return Recipe.FromJson(json);
        }
        catch (InvalidCallException e)
        {
            throw new BrokenFileException(file.Path, e.Message, e);
        }
    }

    /// <summary>The elements as floats.</summary>
    /// <exception cref="BrokenFileException">They are no floating-point numbers.</exception>
    internal static float[] Floats(string path, NamedArray array) => array.Values switch
    {
        float[] values => values,
        double[] values => Array.ConvertAll(values, value => (float)value),
        _ => throw new BrokenFileException(path, $"{array} holds no floating-point numbers."),
    };
}
