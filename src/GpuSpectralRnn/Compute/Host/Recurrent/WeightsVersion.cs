namespace GpuSpectralRnn.Compute.Host;

/// <summary>
/// The weights and biases of a layer as they were when a workspace packed them: equal to those of now as long as nobody has asked for their memory to
/// write to it.
/// </summary>
internal readonly record struct WeightsVersion
{
    private readonly Source inputWeights;
    private readonly Source hiddenWeights;
    private readonly Source inputBias;
    private readonly Source hiddenBias;

    /// <summary>The weights of now.</summary>
    public WeightsVersion(HostBackend backend, RecurrentWeights weights)
    {
        inputWeights = new Source(backend, weights.InputWeights);
        hiddenWeights = new Source(backend, weights.HiddenWeights);
        inputBias = new Source(backend, weights.InputBias);
        hiddenBias = new Source(backend, weights.HiddenBias);
    }

    private readonly record struct Source(HostStorage Storage, long Offset, long Version)
    {
        public Source(HostBackend backend, Tensor tensor)
            : this(backend.StorageOf(tensor), tensor.Offset, backend.StorageOf(tensor).Version)
        {
        }
    }
}
