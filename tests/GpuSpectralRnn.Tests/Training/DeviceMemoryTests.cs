using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Tests.Support;
using GpuSpectralRnn.Training;

namespace GpuSpectralRnn.Tests.Training;

/// <summary>How much of a device a run of training takes, full and partial batches and the validation between the epochs included.</summary>
public abstract class DeviceMemoryTests
{
    private const int Steps = 20;
    private const int Batch = 10;
    private const int Vocabulary = 400;
    private const int Hidden = 96;

    /// <summary>What the kernels keep whatever the network's size, at most: sums of squares, for the norm of the gradients.</summary>
    protected virtual long KernelsOwn => 150_000;

    /// <summary>Opens the device for this test alone; the caller ends it.</summary>
    protected abstract IlgpuBackend Open();

    [SkippableTheory]
    [InlineData(Cell.Irnn, 0, 0)]
    [InlineData(Cell.Lstm, 4, 1)]
    [InlineData(Cell.Gru, 6, 0)] // the gates, and the recurrent products beside them
    public void A_run_takes_little_more_than_its_tensors(Cell cell, int gates, int cellStates)
    {
        using IlgpuBackend backend = Open();
        using Network network = TestNetworks.MakeLanguageModel(backend, cell, [Hidden, Hidden], Vocabulary, embedding: Hidden);
        TrainingSettings settings = new() { Epochs = 2, BatchSize = Batch, LearningRate = 0.01 };
        TokenData data = new(2 * Batch + 3, Steps, Vocabulary, isStream: false);
        TokenData watched = new(Batch + 4, Steps, Vocabulary, isStream: false);
        using Trainer trainer = new(network, data, watched, settings);
        trainer.Run();

        long cells = Steps * Batch;
        long weights = 4 * network.Parameters.Values.Count; // and gradients, and Adam's moments
        long batches = 2 * (2 * cells + Batch); // of training and of validation: tokens, labels, lengths

        // What a layer hands on, its gates, its states before and after the steps.
        long layers = 2 * ((1 + gates) * cells + (1 + cellStates) * (cells + Batch)) * Hidden;
        long gradients = 2 * cells * Hidden; // of two layers in turn
        long embedded = 2 * cells * Hidden;
        long outputs = cells * Vocabulary; // logits, then their gradients
        double needed = 4.0 * (weights + batches + layers + gradients + embedded + outputs);
        Assert.InRange(backend.Memory.LiveBytes, 0.95 * needed, 1.2 * needed + KernelsOwn);
    }

    // Without lengths the states that backpropagation needs are the outputs.
    [SkippableTheory]
    [InlineData(Cell.Irnn, 0, 0)]
    [InlineData(Cell.Lstm, 4, 1)]
    [InlineData(Cell.Gru, 6, 0)]
    public void Where_all_sequences_are_whole_states_are_kept_once(Cell cell, int gates, int cellStates)
    {
        const int Long = 2 * Steps;
        using IlgpuBackend backend = Open();
        using Network network = TestNetworks.Make(backend, cell, [Hidden, Hidden], Readout.Last, inputs: 2, outputs: 3);
        using Trainer trainer = new(network, new ToyData(Batch + 3, steps: Long), null, new() { Epochs = 2, BatchSize = Batch, LearningRate = 0.01 });
        trainer.Run();

        long cells = Long * Batch;
        long weights = 4 * network.Parameters.Values.Count;
        long layers = 2 * (gates * cells + (1 + cellStates) * (cells + Batch)) * Hidden;
        double needed = 4.0 * (weights + 2 * cells + layers + 2 * cells * Hidden);
        Assert.InRange(backend.Memory.LiveBytes, 0.95 * needed, 1.2 * needed + KernelsOwn);
    }
}

public sealed class IlgpuCpuDeviceMemoryTests : DeviceMemoryTests
{
    protected override IlgpuBackend Open()
    {
        IlgpuDevice simulator = IlgpuDevices.All.First(device => device.Info.Id == "ilgpu-cpu");
        return new IlgpuBackend(simulator.Info, simulator.Device.CreateAccelerator(IlgpuDevices.Context));
    }
}
