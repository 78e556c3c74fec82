using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>Who gives a module's inputs.</summary>
internal enum Producer
{
    /// <summary>A linear layer, whose padding is not zero.</summary>
    Linear,

    /// <summary>A recurrence.</summary>
    Forward,

    /// <summary>A recurrence that walks from the end.</summary>
    Reverse,
}

/// <summary>What becomes of a module's output.</summary>
internal enum Fate
{
    /// <summary>It is the graph's.</summary>
    IsOutput,

    /// <summary>A linear layer reads it.</summary>
    IsRead,

    /// <summary>It is the graph's, and two others read it, one of them the last step only.</summary>
    IsBoth,

    /// <summary>It is overwritten.</summary>
    IsOverwritten,

    /// <summary>Only its last step is read, or the whole of a vector.</summary>
    IsLast,

    /// <summary>It is handed on as it is, and both are the graph's.</summary>
    IsPassedOn,
}

/// <summary>Small graphs around one module.</summary>
internal static class ModuleGraph
{
    /// <summary>T, J, B, V, W.</summary>
    public const int Steps = 4, OtherSteps = 3, Batch = 3, Vocabulary = 5, Characters = 3;

    /// <summary>All fields there may be.</summary>
    public static IReadOnlyList<Field> Fields { get; } =
    [
        new Field { Name = "x", Axis = "x" },
        new Field { Name = "y", Axis = "y" },
        new Field { Name = "t", Vocabulary = Vocabulary },
        new Field { Name = "k", Vocabulary = Vocabulary, CharactersOf = "t" },
    ];

    /// <summary>The graph.</summary>
    /// <param name="module">What is tested.</param>
    /// <param name="producer">Who gives its inputs.</param>
    /// <param name="isShared">Whether others read its inputs too, before it and after.</param>
    /// <param name="fate">What becomes of its output.</param>
    public static GraphRecipe Around(Module module, Producer producer, bool isShared, Fate fate)
    {
        string[] inputs = [.. module.Inputs.Distinct()];
        HashSet<string> fields = [.. inputs.Select(FieldOf)];
        if (fields.Contains("k")) fields.Add("t");
        List<Module> modules = [];
        List<string> outputs = [];
        foreach (string made in inputs.Where(input => input is not ("x" or "y" or "t" or "k")).Select(input => input.TrimStart('v')).Distinct())
            modules.Add(Make(made, FieldOf(made), producer));
        foreach (string vector in inputs.Where(input => input[0] == 'v')) modules.Add(new MeanOverSteps { Name = vector, Inputs = [vector[1..]] });
        if (isShared) Read("before");
        modules.Add(module);
        bool isVector = module is LastStep or MeanOverSteps || (module is not Embedding && inputs[0][0] == 'v');
        Follow();
        if (isShared) Read("behind");
        Dictionary<string, int> axes = new()
        {
            ["x"] = 4, ["y"] = 4, ["a"] = 4, ["b"] = 4, ["c"] = 4, ["s"] = 1, ["u"] = 4, ["out"] = 3, ["more"] = 2, ["end"] = 2,
        };
        return new GraphRecipe
        {
            Fields = [.. Fields.Where(field => fields.Contains(field.Name))],
            Axes = axes,
            Modules = modules,
            Outputs = outputs,
        };

        void Read(string when)
        {
            foreach (string input in inputs.Where(input => input is not ("t" or "k")))
            {
                modules.Add(new Linear { Name = $"{input}.{when}", Inputs = [input], Axes = ["end"] });
                outputs.Add($"{input}.{when}");
            }
        }

        void Follow()
        {
            string name = module.Name;
            if (module is StepScores)
            {
                outputs.Add(name); // nobody else reads scores
                return;
            }

            Linear end = new() { Name = "end", Inputs = [name], Axes = ["end"] };
            if (fate is Fate.IsOutput or Fate.IsBoth or Fate.IsPassedOn) outputs.Add(name);
            if (fate == Fate.IsPassedOn)
            {
                modules.Add(new Dropout { Name = "passed", Inputs = [name], Stream = 4 });
                modules.Add(new Concat { Name = "passed.on", Inputs = ["passed"] });
                modules.Add(end with { Inputs = ["passed.on"] });
                outputs.AddRange(["passed.on", "end"]);
            }

            if (fate is Fate.IsRead or Fate.IsBoth)
            {
                modules.Add(end);
                outputs.Add("end");
            }

            if (fate is Fate.IsBoth or Fate.IsLast)
            {
                if (!isVector) modules.Add(new LastStep { Name = "at.end", Inputs = [name] });
                modules.Add(new Activation { Name = "at.end.tanh", Inputs = [isVector ? name : "at.end"], Kind = ActivationKind.Tanh });
                outputs.Add("at.end.tanh");
            }

            if (fate == Fate.IsOverwritten)
            {
                modules.Add(new Dropout { Name = "dropped", Inputs = [name], Stream = 4 });
                modules.Add(new Activation { Name = "over", Inputs = ["dropped"], Kind = ActivationKind.Sigmoid });
                outputs.Add("over");
            }
        }
    }

    private static string FieldOf(string input) => input.TrimStart('v') switch { "y" or "u" => "y", "t" or "k" => input, _ => "x" };

    private static Module Make(string name, string field, Producer producer) => producer == Producer.Linear
        ? new Linear { Name = name, Inputs = [field], Axes = [name] }
        : new Recurrent { Name = name, Inputs = [field], Axis = name, Cell = Cell.RnnTanh, IsReverse = producer == Producer.Reverse };
}
