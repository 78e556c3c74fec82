using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>
/// Words by their characters, [W, T, B] to [T, B, F]: rows of a table [V, E] for the characters, F filters over K of them in a row, and the maximum
/// over each word (<see cref="ICharacterOps.ConvolveMax"/>). Zero for words without characters.
/// </summary>
public sealed record CharacterConvolution : Module
{
    /// <summary>The axis of the filters.</summary>
    public required string Axis { get; init; }

    /// <summary>
    /// The axis of the table's columns, E. It stays inside the module, so that its units cannot be taken away.
    /// </summary>
    public required string CharacterAxis { get; init; }

    /// <summary>K, the characters that a filter sees, one or more.</summary>
    public required int Span { get; init; }

    /// <summary>
    /// The parameters' names with a star in place of the parameter's own (<c>table</c>, <c>weight</c>, <c>bias</c>); by default the module's with
    /// <c>.*</c>. Modules with the same share their parameters.
    /// </summary>
    public string? Weights { get; init; }

    internal override Value Infer(Scope scope)
    {
        if (Span < 1) throw scope.Refuse($"has filters over {Span} characters; they need one or more");
        return new(Name, ValueKind.Sequence, scope.Take(scope.Input, ValueKind.Characters).Field, [scope.Axis(Axis)]);
    }

    // The table as an embedding's, the filters uniform in +-1/sqrt(inputs), as PyTorch.
    internal override IEnumerable<ParameterSpec> DeclareParameters(Scope scope)
    {
        (int extent, int filters) = (scope.Axis(CharacterAxis).Size, scope.Axis(Axis).Size);
        Initializer uniform = Initializer.Uniform(1f / MathF.Sqrt(Span * extent));
        return
        [
            new(Parameter("table"), new Shape(scope.Input.Vocabulary, extent)) { Initializer = Initializer.Normal(1) },
            new(Parameter("weight"), new Shape(filters, Span * extent)) { Initializer = uniform },
            new(Parameter("bias"), new Shape(filters)) { Initializer = uniform },
        ];
    }

    // The filters read a character's units through K blocks of columns, but no value of the graph holds these units.
    internal override IEnumerable<UnitUse> Uses(Scope scope)
    {
        (UnitAxis character, UnitAxis filters) = (scope.Axis(CharacterAxis), scope.Axis(Axis));
        return
        [
            new ProducesByColumns(character, Parameter("table")),
            .. Enumerable.Range(0, Span).Select(k => new ReadsLinearly(character, Parameter("weight"), k * character.Size, Parameter("bias"))),
            new Opaque(character, $"they stay inside {Name}"),
            new Produces(filters, Parameter("weight")),
            new Produces(filters, Parameter("bias")),
        ];
    }

    internal override Module WithOwnParameters() => this with { Weights = null };

    internal override long MultiplyAdds(Scope scope, SequenceLayout layout) => scope.Steps(scope.Output, layout) * scope.Characters(scope.Input, layout)
        * Span * scope.Axis(CharacterAxis).Size * scope.Axis(Axis).Size;

    internal override IDisposable Reserve(Scope scope, IBackend backend, Reservation size) => new Buffers(backend);

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, this);

    private string Parameter(string name) => (Weights ?? $"{Name}.*").Replace("*", name);

    // Of the shape that ran last: the characters' numbers [W, N, E], the gradients of them, and where the maxima are [N, F]. W and T vary apart, so
    // that the largest are known only once they are met.
    private sealed class Buffers(IBackend backend) : IDisposable
    {
        private readonly GrowingTensor numbers = new(backend), gradients = new(backend), places = new(backend, ElementType.Int32);

        public Tensor Numbers(Shape shape) => numbers.Take(shape.Count);

        public Tensor Gradients(Shape shape) => gradients.Take(shape.Count);

        public Tensor Places(Shape shape) => places.Take(shape.Count);

        public void Dispose()
        {
            numbers.Dispose();
            gradients.Dispose();
            places.Dispose();
        }
    }

    private sealed class Run : ModuleRun
    {
        private readonly CharacterConvolution module;
        private readonly Tensor table, filters, bias;
        private readonly int place;
        private readonly Shape numbersShape, placesShape;
        private Tensor? tableGradient, filterGradient, biasGradient;
        private (Tensor Memory, Tensor View) numbers, gradients, places;

        public Run(ModuleBinding binding, CharacterConvolution module)
            : base(binding)
        {
            this.module = module;
            (table, filters, bias) = (
                binding.Formed(module.Parameter("table")), binding.Formed(module.Parameter("weight")), binding.Formed(module.Parameter("bias")));
            place = binding.Node.Scope.FieldIndex(binding.Node.Inputs[0].Name);
            int words = binding.Steps(binding.Node.Output) * binding.Shape.Batch;
            numbersShape = new Shape(binding.Shape.Characters(place), words, table.Shape.Columns);
            placesShape = new Shape(words, filters.Shape.Rows);
        }

        private Buffers Memory => (Buffers)Binding.Memory!;

        private ConvolveMaxForward Operands => new(
            View(ref numbers, Memory.Numbers(numbersShape), numbersShape),
            filters,
            bias,
            Binding.Pass.Batch[place].Lengths!,
            Output,
            View(ref places, Memory.Places(placesShape), placesShape));

        public override void Forward()
        {
            Tensor characters = View(ref numbers, Memory.Numbers(numbersShape), numbersShape);
            Backend.Embedding.Forward(new(Input, table, characters));
            Backend.Character.ConvolveMax(Operands);
        }

        public override void Backward()
        {
            Tensor gradient = View(ref gradients, Memory.Gradients(numbersShape), numbersShape);
            Backend.Character.ConvolveMaxBackward(new(
                Operands,
                OutputGradient,
                gradient,
                filterGradient ??= Binding.FormedGradient(module.Parameter("weight")),
                biasGradient ??= Binding.FormedGradient(module.Parameter("bias"))));
            Backend.Embedding.Backward(new(Input, tableGradient ??= Binding.FormedGradient(module.Parameter("table")), gradient));
        }

        private static Tensor View(ref (Tensor Memory, Tensor View) known, Tensor memory, Shape shape)
        {
            if (!ReferenceEquals(known.Memory, memory)) known = (memory, memory.View(0, shape.ToArray()));
            return known.View;
        }
    }
}
