namespace GpuSpectralRnn.Compute.Host;

/// <summary>Packed weights and sums of one recurrent layer. All memory is taken here, none in the passes.</summary>
internal sealed unsafe class HostRecurrentWorkspace : RecurrentWorkspace
{
    private readonly HostScratch input;
    private readonly HostScratch hidden;
    private readonly HostScratch back;
    private readonly HostScratch bias;

    /// <summary>Takes the memory.</summary>
    public HostRecurrentWorkspace(RecurrentShape shape, bool isTraining, HostThreads threads)
        : base(shape, isTraining)
    {
        long width = GemmKernel.PanelWidth;
        long panels = GemmKernel.Panels(shape.Hidden);
        input = new HostScratch(1, panels * width * shape.Inputs);
        hidden = new HostScratch(1, panels * width * shape.Hidden);
        bias = new HostScratch(1, panels * width);
        back = new HostScratch(1, isTraining ? panels * width * shape.Hidden : 0);
        Gradient = isTraining ? new WeightGradient(threads, shape.Hidden + shape.Inputs + 1, shape.Hidden) : null;
    }

    /// <summary>W_ih^T in panels, [panel][I][width].</summary>
    public float* Input => input.Of(0);

    /// <summary>W_hh^T in panels, [panel][H][width].</summary>
    public float* Hidden => hidden.Of(0);

    /// <summary>W_hh in panels, for the way back.</summary>
    public float* Back => back.Of(0);

    /// <summary>b_ih + b_hh [H].</summary>
    public float* Bias => bias.Of(0);

    /// <summary>The product that all weight gradients come from; with training only.</summary>
    public WeightGradient? Gradient { get; }

    /// <summary>Whether it was given back.</summary>
    public bool IsDisposed => hidden.IsDisposed;

    /// <inheritdoc/>
    public override void Dispose()
    {
        input.Dispose();
        hidden.Dispose();
        back.Dispose();
        bias.Dispose();
        Gradient?.Dispose();
    }
}
