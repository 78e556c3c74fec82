namespace ILGPU.Runtime;

/// <summary>A device refused; the stand-in's never does.</summary>
public abstract class AcceleratorException : Exception
{
    private protected AcceleratorException()
    {
    }
}
