using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks.Execution;

namespace GpuSpectralRnn.Networks.Modules;

/// <summary>
/// One recurrent layer in one direction, [T, B, I] to [T, B, H]. Its parameters are PyTorch's: weight_ih [G*H, I], weight_hh [G*H, H] or two factors of
/// it, bias_ih and bias_hh [G*H]; peepholes [3H] where the cell has them.
/// </summary>
public sealed record Recurrent : Module
{
    /// <summary>The standard deviation of an IRNN's first input weights: the paper's 0.001 learned more slowly on rows and on pixels of MNIST.</summary>
    public const float IrnnInputDeviation = 0.01f;

    /// <summary>The cell.</summary>
    public required Cell Cell { get; init; }

    /// <summary>The axis of its hidden states.</summary>
    public required string Axis { get; init; }

    /// <summary>Whether it walks from the last step to the first.</summary>
    public bool IsReverse { get; init; }

    /// <summary>Rank of weight_hh where it is kept as two factors, left [G*H, r] and right [r, H]; 0 for a whole matrix.</summary>
    public int Rank { get; init; }

    /// <summary>
    /// The parameters' names with a star in place of the parameter's own, for example <c>rnn.*_l0</c>; by default the module's with <c>.*</c>. Modules
    /// with the same share their parameters.
    /// </summary>
    public string? Weights { get; init; }

    internal string InputWeight => Parameter("weight_ih");

    internal string HiddenWeight => Parameter("weight_hh");

    internal string LeftFactor => Parameter("weight_hh_left");

    internal string RightFactor => Parameter("weight_hh_right");

    internal string InputBias => Parameter("bias_ih");

    internal string HiddenBias => Parameter("bias_hh");

    internal string Peephole => Parameter("weight_peephole");

    internal override bool KeepsOutput => true;

    internal override bool TakesGradientOf(Placement step) => step == (IsReverse ? Placement.FirstStep : Placement.LastStep);

    internal override Value Infer(Scope scope)
    {
        UnitAxis axis = scope.Axis(Axis);
        if (Rank < 0 || Rank > axis.Size)
            throw scope.Refuse($"keeps its recurrent matrix at rank {Rank}; choose 1 to {axis.Size}, or 0 for a whole matrix");
        return new(Name, ValueKind.Sequence, scope.Take(scope.Input, ValueKind.Sequence).Field, [axis]) { IsClear = true };
    }

    internal override IEnumerable<ParameterSpec> DeclareParameters(Scope scope)
    {
        (int inputs, int hidden) = (scope.Input.Width, scope.Axis(Axis).Size);
        int rows = Cell.Gates() * hidden;
        Initializer uniform = Initializer.Uniform(1f / MathF.Sqrt(hidden)); // of everything, as PyTorch
        bool isIrnn = Cell == Cell.Irnn;

        // Le, Jaitly, Hinton 2015: the identity, and the inputs kept small; above a recurrence, whose states are small, the identity too where it fits.
        Initializer input = !isIrnn ? uniform
            : !scope.Input.Units.All(scope.IsRecurrent) ? Initializer.Normal(IrnnInputDeviation)
            : rows == inputs ? Initializer.Identity : uniform;
        Initializer recurrent = isIrnn ? Initializer.Identity : uniform, bias = isIrnn ? Initializer.Zeros : uniform;
        yield return new ParameterSpec(InputWeight, new Shape(rows, inputs)) { Initializer = input };
        if (Rank > 0)
        {
            yield return new ParameterSpec(LeftFactor, new Shape(rows, Rank)) { Initializer = recurrent };
            yield return new ParameterSpec(RightFactor, new Shape(Rank, hidden)) { Initializer = recurrent };
        }
        else
        {
            yield return new ParameterSpec(HiddenWeight, new Shape(rows, hidden)) { Initializer = recurrent };
        }

        yield return new ParameterSpec(InputBias, new Shape(rows)) { Initializer = bias };
        yield return new ParameterSpec(HiddenBias, new Shape(rows)) { Initializer = bias };
        if (Cell.Spec().HasPeepholes) yield return new ParameterSpec(Peephole, new Shape(3 * hidden)) { Initializer = uniform };
    }

    internal override IEnumerable<UnitUse> Uses(Scope scope)
    {
        UnitAxis axis = scope.Axis(Axis);
        int gates = Cell.Gates();
        return
        [
            .. Scope.ReadColumns(scope.Input, InputWeight, InputBias),
            new Produces(axis, InputWeight, gates),
            new Produces(axis, HiddenWeight, gates),
            new Produces(axis, InputBias, gates),
            new Produces(axis, HiddenBias, gates),
            new ReadsLinearly(axis, HiddenWeight, 0, HiddenBias),
            .. Cell.Spec().HasPeepholes ? [new WeighsUnits(axis, Peephole, 3)] : Array.Empty<UnitUse>(),
        ];
    }

    internal override Module WithOwnParameters() => this with { Weights = null };

    internal override long MultiplyAdds(Scope scope, SequenceLayout layout)
    {
        (long rows, long hidden) = ((long)Cell.Gates() * scope.Axis(Axis).Size, scope.Axis(Axis).Size);
        return scope.Steps(scope.Output, layout) * ((rows * scope.Input.Width) + (Rank > 0 ? (rows + hidden) * Rank : rows * hidden));
    }

    internal override IDisposable? Reserve(Scope scope, IBackend backend, Reservation size) =>
        backend.Recurrent.Reserve(Cell.Kind(), scope.Axis(Axis).Size, size.Cells, size.Batch, size.IsTraining);

    internal override ModuleRun Bind(ModuleBinding binding) => new Run(binding, this);

    private string Parameter(string name) => (Weights ?? $"{Name}.*").Replace("*", name);

    private sealed class Run : ModuleRun
    {
        private readonly Recurrent module;
        private readonly RecurrentWorkspace workspace;
        private readonly RecurrentWeights weights;
        private RecurrentWeights? gradients;

        public Run(ModuleBinding binding, Recurrent module)
            : base(binding)
        {
            this.module = module;
            Node node = binding.Node;
            RecurrentShape shape = new(
                module.Cell.Kind(), binding.Steps(node.Output), binding.Shape.Batch, node.Inputs[0].Width, node.Output.Width) { IsReverse = module.IsReverse };
            weights = binding.Parameters.Recurrent(module.Name);
            workspace = Backend.Recurrent.Prepare(shape, binding.Shape.IsTraining, (RecurrentMemory?)binding.Memory);
            binding.Output.Values = binding.Shape.HasLengths(node.Scope.FieldIndex(node.Output)) ? binding.TakeOutput() : workspace.Outputs ?? binding.TakeOutput();
        }

        private Tensor? Lengths() => Lengths(Binding.Node.Output);

        public override void Forward() => Backend.Recurrent.Forward(
            new(workspace, weights, Input, Binding.Pass.State?.Start(module.Name), Output, Binding.Pass.State?.End(module.Name), Lengths()));

        public override void Backward()
        {
            Backend.Recurrent.Backward(new(
                workspace,
                weights,
                Input,
                Binding.Pass.State?.Start(module.Name),
                Output,
                OutputGradient,
                Binding.Output.GradientFrom,
                gradients ??= Binding.Parameters.RecurrentGradients(module.Name),
                InputGradient,
                InitialGradient: null,
                Lengths()));
            Binding.Pass.Observer?.Products(Binding.Node.Output, workspace.ProductGradient!);
        }

        public override void Dispose()
        {
            workspace.Dispose();
            base.Dispose();
        }
    }
}
