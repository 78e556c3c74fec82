using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Graphs;

/// <summary>Opens graphs in ONNX Runtime, with one thread and without log output.</summary>
internal static class RuntimeSession
{
    /// <summary>Opens a graph.</summary>
    /// <exception cref="RunFailedException">ONNX Runtime does not load it; <paramref name="what"/> describes it in the message.</exception>
    public static InferenceSession Open(byte[] model, string what)
    {
        try
        {
            using SessionOptions options = new()
            {
                IntraOpNumThreads = 1,
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            return new InferenceSession(model, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new RunFailedException($"ONNX Runtime cannot open {what}: {e.Message}", e);
        }
    }
}
