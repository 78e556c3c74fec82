namespace GpuSpectralRnn.Compute;

/// <content>Steps of optimisers.</content>
internal static partial class OperandChecks
{
    /// <summary>The proximal step of a group lasso: returns the number of groups.</summary>
    public static int ShrinkGroups(IBackend backend, in GroupShrink o)
    {
        int groups = (int)Float(backend, o.Squares);
        Float(backend, o.Before, groups);
        Float(backend, o.Factors, groups);
        foreach (Tensor number in (ReadOnlySpan<Tensor>)[o.Penalty, o.Scale, o.Count]) Float(backend, number, 1);
        foreach (Tensor written in (ReadOnlySpan<Tensor>)[o.Factors, o.Count])
            foreach (Tensor read in (ReadOnlySpan<Tensor>)[o.Squares, o.Before, o.Penalty, o.Scale]) Apart(backend, written, read);
        Apart(backend, o.Factors, o.Count);
        return groups;
    }

    /// <summary>An optimiser's parameters, gradients and states: all of one count, apart from each other. Returns the count.</summary>
    public static long Optimizer(IBackend backend, Tensor parameters, params ReadOnlySpan<Tensor> others)
    {
        Float(backend, parameters);
        for (int i = 0; i < others.Length; i++)
        {
            Float(backend, others[i]);
            if (others[i].Count != parameters.Count) Fail($"{others[i]} does not fit the {parameters.Count} parameters.", nameof(others));
            Apart(backend, others[i], parameters);
            for (int j = 0; j < i; j++) Apart(backend, others[i], others[j]);
        }

        return parameters.Count;
    }

    /// <summary>Gradients to clip and the scalar for their norm: returns the count.</summary>
    public static long ClipGlobalNorm(IBackend backend, ClipOperands o)
    {
        if (!(o.Limit > 0)) throw new ArgumentOutOfRangeException(nameof(o.Limit), o.Limit, "A limit of the norm is above zero.");
        (Tensor gradients, Tensor norm) = (o.Gradients, o.Norm);
        Float(backend, gradients);
        Float(backend, norm);
        if (norm.Count != 1) Fail($"The norm is one number, not {norm.Shape}.", nameof(norm));
        Apart(backend, norm, gradients);
        return gradients.Count;
    }
}
