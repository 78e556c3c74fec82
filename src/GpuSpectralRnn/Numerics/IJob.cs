namespace GpuSpectralRnn.Numerics;

/// <summary>What the threads of a <see cref="WorkerPool"/> do together.</summary>
internal interface IJob
{
    /// <summary>Takes parts until none is left for the calling thread; never throws.</summary>
    void Work();

    /// <summary>Returns when all parts have returned; throws what one of them threw.</summary>
    void Wait();
}
