using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>
/// What a training step takes of both memories once two have run: next batch, forward, loss, backward, clipping, optimiser, mask. Seen from the data,
/// which are read once a step.
/// </summary>
public abstract class StepMemoryTests(DeviceFixture device)
{
    private const int Steps = 40;
    private const int BatchSize = 3;

    /// <summary>Irnn, LSTM, GRU; sequences of numbers, of tokens with lengths, a stream; gates on all units.</summary>
    public static TheoryData<Cell, string> Cases
    {
        get
        {
            TheoryData<Cell, string> cases = [];
            foreach (Cell cell in new[] { Cell.Irnn, Cell.Lstm, Cell.Gru })
            {
                foreach (string data in new[] { "numbers", "lengths", "stream", "gates" }) cases.Add(cell, data);
            }

            return cases;
        }
    }

    private IBackend Backend => device.Backend;

    /// <summary>Managed bytes that a step may allocate.</summary>
    protected abstract long MostBytes { get; }

    private (long Managed, long Device) Allocated =>
        (GC.GetAllocatedBytesForCurrentThread(), Backend is IlgpuBackend ilgpu ? ilgpu.Memory.Allocations : 0);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void A_step_takes_no_device_memory_and_next_to_none_of_the_host(Cell cell, string kind)
    {
        bool isToken = kind != "numbers";
        using Network network = isToken
            ? TestNetworks.MakeLanguageModel(Backend, cell, [9, 5])
            : TestNetworks.Make(Backend, cell, [9, 5], Readout.Last, inputs: 2, outputs: 3);
        float[] ones = [.. Enumerable.Range(0, 9 * (cell == Cell.Lstm ? 4 : cell == Cell.Gru ? 3 : 1) * 9).Select(i => i % 5 == 0 ? 0f : 1f)];
        network.Parameters.SetMask("rnn.weight_hh_l0", ones);
        ISequenceData source = isToken ? new TokenData(Steps * BatchSize, 9, 7, kind == "stream") : new ToyData(Steps * BatchSize, steps: 9);
        Watched data = new(source, () => Allocated);
        TrainingSettings settings = new() { Epochs = 1, BatchSize = BatchSize, LearningRate = 0.01, Dropout = 0.1, Clip = 1 };
        using L0Pruning? gates = kind == "gates" ? new(new L0Settings { TargetFraction = 0.5 }) : null;
        using Trainer trainer = new(network, data, null, settings, gates) { ReportEvery = TimeSpan.FromDays(1) };
        trainer.Run();

        // Between the reads of batches n and n + 1 lies step n. The first of all makes room; lengths come first with the second at the latest; graphs
        // are taken down when operands come again, in either of two places and with or without lengths.
        const int Settled = 12;
        long most = kind == "gates" ? 3 * MostBytes : MostBytes; // the gates of three axes are another 75 operations
        int above = 0;
        for (int n = Settled; n < Steps - 1; n++)
        {
            Assert.Equal(data.Seen[n].Device, data.Seen[n + 1].Device);
            if (data.Seen[n + 1].Managed - data.Seen[n].Managed > most) above++;
        }

        // A collection, of another test's garbage too, drops the rest of the thread's piece of the heap, up to 32 KB, which then counts as allocated.
        Assert.InRange(above, 0, 2);
    }

    private sealed class Watched(ISequenceData data, Func<(long Managed, long Device)> look) : ISequenceData
    {
        public List<(long Managed, long Device)> Seen { get; } = new(2 * Steps);

        public string Name => data.Name;

        public int Count => data.Count;

        public SequenceLayout Layout => data.Layout;

        public void Read(ReadOnlySpan<int> indices, Batch batch)
        {
            Seen.Add(look());
            data.Read(indices, batch);
        }
    }
}

public sealed class OneThreadDevice() : DeviceFixture("host", () => new HostBackend(threads: 1));

public sealed class HostStepMemoryTests(OneThreadDevice device) : StepMemoryTests(device), IClassFixture<OneThreadDevice>
{
    // Each operation is handed to the threads as a closure of some 150 bytes: 25 to 45 of them, whatever the sizes.
    protected override long MostBytes => 8192;
}

[Collection("ilgpu-cpu")]
public sealed class IlgpuCpuStepMemoryTests(IlgpuCpuDevice device) : StepMemoryTests(device)
{
    // The simulator runs every launch as tasks of its own making, 3 KB each; a step has up to 110.
    protected override long MostBytes => 400_000;
}
