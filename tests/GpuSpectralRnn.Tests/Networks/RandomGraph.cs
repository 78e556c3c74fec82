using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Networks.Modules;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Networks;

/// <summary>Random graphs over the fields of <see cref="ModuleBatch"/>: modules of any kind that fit, parameters shared now and then.</summary>
internal sealed class RandomGraph
{
    private readonly Random random;
    private readonly Dictionary<string, int> axes = new() { ["x"] = 4, ["y"] = 4 };
    private readonly List<Made> made =
    [
        new("x", "x", [4], false), new("y", "y", [4], false), new("t", "t", [], false),
    ];

    private readonly List<Module> modules = [];

    private RandomGraph(Random random) => this.random = random;

    /// <summary>A graph of some modules, and of linear ones behind what nobody reads.</summary>
    public static GraphRecipe Make(int count, int seed) => new RandomGraph(new Random(seed)).Grow(count);

    /// <summary>A network of weights that are neither dead nor wild.</summary>
    public static Network Create(GraphRecipe recipe, IBackend backend, int seed)
    {
        Network network = new(recipe, backend);
        foreach (ParameterSpec slot in network.Parameters.Slots)
            network.Parameters.Write(slot.Name, Numbers.Normal(slot.Shape.Count, seed++, slot.Shape.Rank == 1 ? 0.3 : 0.9 / Math.Sqrt(slot.Shape.Columns)));
        return network;
    }

    /// <summary>Any plan that the graph can take: the same units where axes are tied, folds and offsets where units can be replaced.</summary>
    public static PruningPlan Plan(Graph graph, int seed)
    {
        Random random = new(seed);
        Dictionary<string, int[]> kept = [];
        List<UnitPlan> plans = [];
        foreach (PrunableAxis axis in graph.PrunableAxes)
        {
            int m = axis.Units;
            if (axis.TiedTo.Select(name => kept.GetValueOrDefault(name)).FirstOrDefault(known => known is not null) is not { } j)
                j = [.. Enumerable.Range(0, m).OrderBy(_ => random.Next()).Take(random.Next(1, m + 1)).Order()];
            kept[axis.Name] = j;
            UnitPlan plan = UnitPlan.Whole(m) with { Kept = j };
            if (axis.IsFoldable && random.Next(3) > 0) plan = plan with { Fold = 0.6 * RandomMatrix.Uniform(m, j.Length, random.Next()) };
            if (axis.IsFoldable && random.Next(3) == 0) plan = plan with { Offset = RandomMatrix.Uniform(m, 1, random.Next()).Data };
            plans.Add(plan);
        }

        return new PruningPlan("random", plans);
    }

    private GraphRecipe Grow(int count)
    {
        while (modules.Count < count) Add($"m{modules.Count}");
        List<string> outputs = [];
        foreach (Made value in made.Where(value => value.Sizes.Length > 0 && !IsRead(value.Name)).ToArray())
        {
            bool isField = value.Name is "x" or "y";
            if (isField) continue;
            if (random.Next(3) == 0)
            {
                outputs.Add(value.Name);
                continue;
            }

            axes[$"{value.Name}.out"] = 2;
            modules.Add(new Linear { Name = $"{value.Name}.out", Inputs = [value.Name], Axes = [$"{value.Name}.out"] });
            outputs.Add($"{value.Name}.out");
        }

        // Now and then what others read, or hand on as it is.
        foreach (Made value in made.Where(value => modules.Any(module => module.Name == value.Name) && !outputs.Contains(value.Name)).ToArray())
            if (random.Next(8) == 0) outputs.Add(value.Name);
        return new GraphRecipe
        {
            Fields = [.. ModuleGraph.Fields.Where(field => IsRead(field.Name) || (field.Name == "t" && IsRead("k")))],
            Axes = axes,
            Modules = modules,
            Outputs = outputs,
        };
    }

    private bool IsRead(string name) => modules.Any(module => module.Inputs.Contains(name));

    private void Add(string name)
    {
        Made? Any(Func<Made, bool> fits)
        {
            Made[] all = [.. made.Where(value => value.Sizes.Length > 0 && fits(value))];
            Made[] unread = [.. all.Where(value => !IsRead(value.Name))];
            if (unread.Length > 0 && random.Next(2) == 0) all = unread;
            return all.Length == 0 ? null : all[random.Next(all.Length)];
        }

        Made sequence = Any(value => !value.IsVector)!, any = Any(_ => true)!;
        Made Like(Made value) => Any(other => other.IsVector == value.IsVector && other.Field == value.Field && other.Sizes.SequenceEqual(value.Sizes))!;
        switch (random.Next(14))
        {
            case 0:
                Recurrent? before = modules.OfType<Recurrent>().Where(_ => random.Next(3) == 0)
                    .FirstOrDefault(other => made.Single(value => value.Name == other.Inputs[0]).Width == sequence.Width);
                string units = before?.Axis ?? NewAxis(name);
                if (before is not null && random.Next(4) == 0) axes[units = $"{name}.units"] = axes[before.Axis];
                Put(
                    new Recurrent
                    {
                        Name = name, Inputs = [sequence.Name], Axis = units, Cell = before?.Cell ?? (Cell)random.Next(Enum.GetValues<Cell>().Length), IsReverse = random.Next(2) == 0,
                        Weights = before is null ? null : before.Weights ?? $"{before.Name}.*",
                    },
                    sequence with { Sizes = [axes[units]] });
                break;
            case 1:
                string? word = modules.OfType<Embedding>().FirstOrDefault()?.Axis;
                string own = word is null || random.Next(2) == 0 ? NewAxis(name) : word;
                Put(new Embedding { Name = name, Inputs = ["t"], Axis = own, Weight = own == word ? "m.words" : null }, new("", "t", [axes[own]], false));
                if (word is null) modules[^1] = (Embedding)modules[^1] with { Weight = "m.words" };
                break;
            case 2 or 3:
                Linear? twin = modules.OfType<Linear>().Where(_ => random.Next(3) == 0)
                    .FirstOrDefault(other => made.Single(value => value.Name == other.Inputs[0]).Width == any.Width);
                string[] outs = twin is not null ? [.. twin.Axes] : random.Next(3) == 0 ? [NewAxis(name), NewAxis($"{name}.b")] : [NewAxis(name)];
                Put(
                    new Linear { Name = name, Inputs = [any.Name], Axes = outs, Weight = twin?.WeightName, Bias = twin?.BiasName },
                    any with { Sizes = [.. outs.Select(axis => axes[axis])] });
                break;
            case 4:
                Made second = Any(value => value.IsVector == any.IsVector && value.Field == any.Field)!;
                Made[] parts = random.Next(5) == 0 ? [any] : random.Next(3) == 0 ? [any, second, any] : [any, second];
                if (parts.Sum(part => part.Width) > 20) goto default;
                Put(new Concat { Name = name, Inputs = [.. parts.Select(part => part.Name)] }, any with { Sizes = [.. parts.SelectMany(part => part.Sizes)] });
                break;
            case 5:
                Put(new Activation { Name = name, Inputs = [any.Name], Kind = (ActivationKind)random.Next(3) }, any);
                break;
            case 6:
                Put(new Multiply { Name = name, Inputs = [any.Name, Like(any).Name] }, any);
                break;
            case 7:
                Put(new Highway { Name = name, Inputs = [Like(any).Name, Like(any).Name, any.Name] }, any);
                break;
            case 8 or 9:
                Put(new LastStep { Name = name, Inputs = [sequence.Name], IsReverse = random.Next(2) == 0 }, sequence with { IsVector = true, Field = "" });
                break;
            case 10:
                Put(new MeanOverSteps { Name = name, Inputs = [sequence.Name] }, sequence with { IsVector = true, Field = "" });
                break;
            case 11:
                Made other = Any(value => !value.IsVector && value.Sizes.SequenceEqual(sequence.Sizes))!;
                if (sequence.Width > 5) goto default;
                Put(
                    new GpuSpectralRnn.Networks.Modules.Attention { Name = name, Inputs = [sequence.Name, other.Name] },
                    sequence with { Sizes = [.. sequence.Sizes, .. sequence.Sizes, .. sequence.Sizes, .. sequence.Sizes] });
                break;
            case 12:
                string filters = NewAxis(name), letters = $"{name}.letters";
                axes[letters] = random.Next(1, 4);
                Put(
                    new CharacterConvolution { Name = name, Inputs = ["k"], Axis = filters, CharacterAxis = letters, Span = random.Next(1, 5) },
                    new("", "t", [axes[filters]], false));
                break;
            default:
                Put(new Dropout { Name = name, Inputs = [any.Name], Stream = modules.Count }, any);
                break;
        }
    }

    private string NewAxis(string name)
    {
        axes[$"{name}.units"] = random.Next(2, 5);
        return $"{name}.units";
    }

    private void Put(Module module, Made like)
    {
        modules.Add(module);
        made.Add(like with { Name = module.Name });
    }

    private sealed record Made(string Name, string Field, int[] Sizes, bool IsVector)
    {
        public int Width => Sizes.Sum();
    }
}
