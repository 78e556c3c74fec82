using GpuSpectralRnn.Numerics;

namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// Recurrent layers on the processor. The rows of the batch are shared out over the threads, and each thread runs all steps of its rows without
/// waiting for the others; in the smallest batches, and in small ones where the weights are large, the units are.
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
        own.PackBack(threads, hiddenWeights);
        own.BackOfReset?.Pack(threads, hiddenWeights + own.StateRows * (long)shape.Hidden, isTransposed: false);
        float* given = backend.Address(o.OutputGradient); // [T, B, H]

        // The state before a reverse sequence's first step is the initial one, wherever the sequence begins.
        bool startsInside = o.Lengths is not null && shape.IsReverse && o.Initial is not null;
        StepPart all = StepPart.OfRows(0, 0, shape.Batch, shape.Hidden);
        if (startsInside) pass.FillPadding(pass.Output, all, pass.InitialHidden);
        for (long b = 0; shape.Spec.HasPeepholes && b < shape.Batch; b++) new Span<float>(own.PeepholeSums + b * 3 * shape.Hidden, 3 * shape.Hidden).Clear();
        own.Peepholes = backend.ReadOrNull(o.Weights.Peepholes);
        HostCell cell = shape.Spec.Host;
        BackwardPass back = new(given, o.GradientFrom, backend.AddressOrNull(o.InitialGradient?.Hidden), backend.AddressOrNull(o.InitialGradient?.Cell));
        Walk(pass, own, (number, part) =>
        {
            if (number < shape.Steps) cell.StepBack(pass, own, back, shape.Steps - 1 - number, part);
            else cell.FinishBack(pass, own, back, part);
        });
        DividedRows? deltas = own.Deltas;
        own.ProductGradient = deltas is null ? o.OutputGradient : null;
        if (deltas is not null) own.KeepDeltas();
        DividedRows delta = deltas ?? new DividedRows(given, shape.Batch, shape.Hidden); // of the inputs' product, [T, B, G*H]
        AddGradients(own, pass, delta, o.Gradients);
        if (startsInside) pass.FillPadding(pass.Output, all, null);
        if (o.InputGradient is null) return;
        own.BackToInput!.Pack(threads, backend.Read(o.Weights.InputWeights), isTransposed: false);
        MultiplyBack(own, delta, backend.Address(o.InputGradient));
    }

    // dL/dx [T, B, I] = delta W_ih: each thread's own rows, or where there is one block of them the steps shared out.
    private void MultiplyBack(HostRecurrentWorkspace own, DividedRows delta, float* inputGradient)
    {
        (_, int steps, int batch, int inputs, _) = own.Shape;
        int width = own.Shape.GateRows;
        StepPart[] parts = delta.Parts;
        if (parts.Length > 1) threads.Run(parts.Length, i => Multiply(parts[i], 0, steps));
        else threads.Split(steps, 1, (long)steps * batch * width * inputs, (_, from, to) => Multiply(parts[0], (int)from, (int)to));

        void Multiply(StepPart part, int from, int to)
        {
            float* target = inputGradient + (from * (long)batch + part.From) * inputs;
            (nint, nint, nint) walk = (to - from, part.Rows * width, (nint)batch * inputs);
            own.BackToInput![0].Multiply(walk, part.Rows, delta.At(from, part), width, target, inputs, null);
        }
    }

    // Calls step with 0..T, T to finish, for each part: threads share out the units and meet after each step, or the rows, of which each walks all steps.
    private void Walk(RecurrentPass pass, HostRecurrentWorkspace own, Action<int, StepPart> step)
    {
        int steps = pass.Shape.Steps;
        StepPart[] parts = own.Parts;
        if (own.SharesUnits)
        {
            threads.RunPhases(steps + 1, parts.Length, (number, i) => step(number, parts[i]));
            return;
        }

        threads.Run(parts.Length, i =>
        {
            for (int number = 0; number <= steps; number++) step(number, parts[i]);
        });
    }

    private void PackForward(HostRecurrentWorkspace own, RecurrentWeights weights)
    {
        RecurrentShape shape = own.Shape;
        float* hiddenWeights = backend.Read(weights.HiddenWeights);
        float* hiddenBias = backend.Read(weights.HiddenBias);
        bool isApart = shape.Spec.ResetsProduct;
        own.Input.Pack(threads, backend.Read(weights.InputWeights), backend.Read(weights.InputBias), isApart ? null : hiddenBias);
        own.Hidden.Pack(threads, hiddenWeights, isApart ? hiddenBias : null, null);
        own.HiddenOfReset?.Pack(threads, hiddenWeights + own.StateRows * (long)shape.Hidden, isTransposed: true);
    }

    private HostRecurrentWorkspace Own(RecurrentWorkspace workspace) =>
        OperandChecks.Own<HostRecurrentWorkspace>(backend, workspace, nameof(workspace));

    private void AddGradients(HostRecurrentWorkspace own, RecurrentPass pass, DividedRows delta, RecurrentWeights gradients)
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
            own.HiddenGradient!.Add(pass, delta, inputWeights, hiddenWeights, inputBias, hiddenBias);
            if (own.ResetStates is null) return;
            (int count, int hidden) = (pass.Shape.Steps * pass.Shape.Batch, pass.Shape.Hidden);
            float* fresh = backend.Address(own.FreshGradients!);
            gemm.Run(hidden, hidden, count, 1, fresh, true, backend.Address(own.ResetStates), false, 1, hiddenWeights + own.StateRows * (long)hidden);
            return;
        }

        own.HiddenGradient!.Add(pass, own.ProductDeltas!.Value, null, hiddenWeights, hiddenBias, null);
        own.InputGradient.Add(pass, delta, inputWeights, null, inputBias, null);
    }
}
