namespace GpuSpectralRnn.Compute;

/// <summary>How a recurrent layer takes its steps on an ILGPU device. The results agree to rounding.</summary>
public enum RecurrentStrategy
{
    /// <summary>All steps in one launch where the device has room for the weights on chip, else step by step.</summary>
    Auto,

    /// <summary>All steps in one launch; an error where that cannot be.</summary>
    Persistent,

    /// <summary>One launch a step.</summary>
    Stepwise,

    /// <summary>Two launches a step, whose products skip blocks of zeros in W_hh: for weights that a mask of blocks has made sparse.</summary>
    Blocks,
}
