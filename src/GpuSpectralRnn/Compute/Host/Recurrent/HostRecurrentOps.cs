using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Recurrent layers on the processor. The rows of the batch are shared out over the threads, and each thread runs all steps of its rows without
/// waiting for the others; of a single sequence the units are.
/// </summary>
internal sealed unsafe class HostRecurrentOps(HostBackend backend, HostParallel threads, Gemm gemm) : IRecurrentOps
{
    /// <inheritdoc/>
    public RecurrentWorkspace Prepare(RecurrentShape shape, bool isTraining, RecurrentMemory? memory = null)
    {
        OperandChecks.RecurrentShape(shape);
        return new HostRecurrentWorkspace(shape, isTraining, backend, threads);
    }

    /// <inheritdoc/>
    public void Forward(RecurrentForward o)
    {
        HostRecurrentWorkspace own = Own(o.Workspace);
        OperandChecks.RecurrentForward(backend, o);
        o.Workspace.ProductGradient = null;
        RecurrentShape shape = o.Workspace.Shape;
        RecurrentPass pass = new(backend, shape, o.Input, o.Initial, o.Output, o.Final, o.Lengths);
        WeightsVersion now = new(backend, o.Weights);
        if (own.Packed != now) PackForward(own, o.Weights);
        own.Packed = now;
        own.Peepholes = backend.ReadOrNull(o.Weights.Peepholes);
        HostCell cell = shape.Spec.Host;
        Walk(pass, own, (number, part) =>
        {
            if (number < shape.Steps) cell.Step(pass, own, number, part);
            else cell.Finish(pass, own, part);
        });
    }

    /// <inheritdoc/>
    public void Backward(RecurrentBackward o)
    {
        HostRecurrentWorkspace own = Own(o.Workspace);
        OperandChecks.RecurrentBackward(backend, o);
        RecurrentShape shape = o.Workspace.Shape;
        RecurrentPass pass = new(backend, shape, o.Input, o.Initial, o.Output, null, o.Lengths);
        float* hiddenWeights = backend.Read(o.Weights.HiddenWeights);
        own.Back!.Pack(threads, hiddenWeights, isTransposed: false);
        own.BackOfReset?.Pack(threads, hiddenWeights + own.StateRows * (long)shape.Hidden, isTransposed: false);
        float* given = backend.Address(o.OutputGradient); // [T, B, H]
        float* first = backend.AddressOrNull(o.InitialGradient?.Hidden); // [B, H]

        // The state before a reverse sequence's first step is the initial one, wherever the sequence begins.
        bool startsInside = o.Lengths is not null && shape.IsReverse && o.Initial is not null;
        if (startsInside) pass.FillPadding(pass.Output, 0, shape.Batch, pass.InitialHidden);
        for (long b = 0; shape.Spec.HasPeepholes && b < shape.Batch; b++) new Span<float>(own.PeepholeSums + b * 3 * shape.Hidden, 3 * shape.Hidden).Clear();
        own.Peepholes = backend.ReadOrNull(o.Weights.Peepholes);
        HostCell cell = shape.Spec.Host;
        BackwardPass back = new(given, o.GradientFrom, first);
        Walk(pass, own, (number, part) =>
        {
            if (number < shape.Steps) cell.StepBack(pass, own, back, shape.Steps - 1 - number, part);
            else cell.FinishBack(pass, own, back, part);
        });
        Tensor delta = own.Gates ?? o.OutputGradient; // of the inputs' product, [T, B, G*H]
        o.Workspace.ProductGradient = own.Products ?? delta;
        AddGradients(own, pass, delta, o.Gradients);
        if (startsInside) pass.FillPadding(pass.Output, 0, shape.Batch, null);
        if (first != null && own.Gates is not null) Copy(own.Carry, first, (long)shape.Batch * shape.Hidden);
        if (o.InitialGradient?.Cell is { } cells) Copy(own.CellCarry, backend.Address(cells), (long)shape.Batch * shape.Hidden);
        if (o.InputGradient is null) return;
        float* inputWeights = backend.Read(o.Weights.InputWeights); // [G*H, I]
        gemm.Run(
            shape.Steps * shape.Batch, shape.Inputs, shape.GateRows, 1, backend.Address(delta), false, inputWeights, false, 0, backend.Address(o.InputGradient));
    }

    // Calls step with 0..T, T to finish, for each part: threads share out the units and meet after each step, or the rows, of which each walks all steps.
    private void Walk(RecurrentPass pass, HostRecurrentWorkspace own, Action<int, StepPart> step)
    {
        RecurrentShape shape = pass.Shape;
        int parts = own.UnitParts;
        if (parts > 1 && pass.Lengths == null)
        {
            threads.RunPhases(shape.Steps + 1, parts, (number, i) => step(number, StepPart.OfUnits(i, parts, shape.Batch, shape.Hidden)));
            return;
        }

        threads.Split(shape.Batch, RowUnit(shape.Batch), Work(shape), (_, from, to) =>
        {
            StepPart part = StepPart.OfRows(from, to, shape.Hidden);
            for (int number = 0; number <= shape.Steps; number++) step(number, part);
        });
    }

    private void PackForward(HostRecurrentWorkspace own, RecurrentWeights weights)
    {
        RecurrentShape shape = own.Shape;
        own.Input.Pack(threads, backend.Read(weights.InputWeights));
        float* hiddenWeights = backend.Read(weights.HiddenWeights);
        own.Hidden.Pack(threads, hiddenWeights);
        own.HiddenOfReset?.Pack(threads, hiddenWeights + own.StateRows * (long)shape.Hidden, isTransposed: true);
        float* inputBias = backend.Read(weights.InputBias);
        float* hiddenBias = backend.Read(weights.HiddenBias);
        for (int j = 0; j < shape.GateRows; j++)
        {
            own.Bias[j] = shape.Spec.ResetsProduct ? inputBias[j] : inputBias[j] + hiddenBias[j];
            own.HiddenBias[j] = hiddenBias[j];
        }
    }

    private static void Copy(float* source, float* destination, long count) =>
        Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float));

    private HostRecurrentWorkspace Own(RecurrentWorkspace workspace) =>
        OperandChecks.Own<HostRecurrentWorkspace>(backend, workspace, nameof(workspace));

    private static long Work(RecurrentShape shape) => (long)shape.Steps * shape.Batch * shape.GateRows * (shape.Hidden + shape.Inputs);

    // Whole tiles per thread, smaller ones where the batch is too small for that: of 20 rows two threads take 10 each.
    private long RowUnit(int batch) => batch >= 16 * threads.Count ? 8 : batch >= 8 * threads.Count ? 2 : 1;

    private void AddGradients(HostRecurrentWorkspace own, RecurrentPass pass, Tensor delta, RecurrentWeights gradients)
    {
        float* inputWeights = backend.Address(gradients.InputWeights);
        float* hiddenWeights = backend.Address(gradients.HiddenWeights);
        float* inputBias = backend.Address(gradients.InputBias);
        float* hiddenBias = backend.Address(gradients.HiddenBias);
        float* peepholes = backend.AddressOrNull(gradients.Peepholes);
        for (long b = 0; peepholes != null && b < pass.Shape.Batch; b++)
            Elementwise.Run(new AddTo(peepholes, own.PeepholeSums + b * 3 * pass.Shape.Hidden), 0, 3 * pass.Shape.Hidden);
        if (own.InputGradient is null)
        {
            own.HiddenGradient!.Add(pass, backend.Address(delta), inputWeights, hiddenWeights, inputBias, hiddenBias);
            if (own.ResetStates is null) return;
            (int count, int hidden) = (pass.Shape.Steps * pass.Shape.Batch, pass.Shape.Hidden);
            float* fresh = backend.Address(own.FreshGradients!);
            gemm.Run(hidden, hidden, count, 1, fresh, true, backend.Address(own.ResetStates), false, 1, hiddenWeights + own.StateRows * (long)hidden);
            return;
        }

        own.HiddenGradient!.Add(pass, backend.Address(own.Products!), null, hiddenWeights, hiddenBias, null);
        own.InputGradient.Add(pass, backend.Address(delta), inputWeights, null, inputBias, null);
    }
}
