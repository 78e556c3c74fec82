using System.Globalization;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Onnx.Calibration;
using GpuSpectralRnn.Onnx.Compression;
using GpuSpectralRnn.Onnx.Tests.Support;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Onnx.Tests.Compression;

/// <summary>
/// Graphs that were valid once, with bytes changed, cut out or doubled: each is compressed, or refused with an error of our own, within its time and
/// memory. GSRNN_MUTANTS gives their number.
/// </summary>
public class MutantTests
{
    private const int Usual = 2000, Steps = 6, Inputs = 2, Hidden = 4;

    /// <summary>Far more than a graph of some hundred numbers needs, far less than a broken extent may ask for.</summary>
    private const long MostBytes = 64 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Mutants_are_compressed_or_refused()
    {
        GraphMaker maker = new GraphMaker().Input("x", Steps, 1, Inputs).Recurrent("GRU", "cell", "x", Inputs, Hidden).Integers("one", 1)
            .Node("Squeeze", ["cell_y", "one"], ["h"]).Constant("w", [Hidden, 2]).Node("MatMul", ["h", "w"], ["a"])
            .Node("Sigmoid", ["a"], ["p"]).Output("p");
        byte[] valid = maker.ToFile();
        Dictionary<string, NamedArray> data = Runs.Data("x", 5, Steps, 1, Inputs);
        int count = int.TryParse(Environment.GetEnvironmentVariable("GSRNN_MUTANTS"), CultureInfo.InvariantCulture, out int asked) ? asked : Usual;
        int compressed = 0;
        for (int n = 0; n < count; n++)
        {
            byte[] mutant = Mutant(valid, new Random(n));
            long start = System.Diagnostics.Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Runs.WithFile(mutant, path =>
                {
                    using GraphCompression compression = new(path, data, CallOptions.None) { Refine = RefinementBudget.OfSteps(2) };
                    compression.Prove(compression.Compress(compression.OfShare(0.5)), rounds: 0);
                });
                compressed++;
            }
            catch (RunFailedException)
            {
            }
            catch (InvalidCallException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"mutant {n}: {e}");
            }

            TimeSpan time = System.Diagnostics.Stopwatch.GetElapsedTime(start);
            Assert.True(time < Patience, $"mutant {n} took {time.TotalSeconds:0.0} s");
            long bytes = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(bytes < MostBytes, $"mutant {n} took {bytes:N0} bytes");
        }

        Assert.InRange(compressed, 1, count - 1);
    }

    private static byte[] Mutant(byte[] valid, Random random)
    {
        List<byte> bytes = [.. valid];
        for (int changes = 1 + random.Next(3); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count), length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 4: bytes.RemoveRange(at, bytes.Count - at); break;
                default: bytes[at] = (byte)(bytes[at] + random.Next(-2, 3)); break; // numbers of fields, types and extents beside the true ones
            }
        }

        return [.. bytes];
    }
}
