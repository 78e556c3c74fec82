// Trains a GRU on the built-in digits, cuts it from 64 units to 24, trains it on for an epoch and exports it for ONNX Runtime and C.
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Pruning;
using GpuSpectralRnn.Training;

string folder = Directory.CreateDirectory(args.FirstOrDefault() ?? "digits").FullName;
using IBackend device = Devices.Open("auto");
ISequenceData train = Digits.Create(4000, seed: 1, ImageView.Row);
ISequenceData test = Digits.Create(500, seed: 1, ImageView.Row, DataPart.Test);

using Network network = Network.Create(new Architecture { Cell = Cell.Gru, Inputs = 28, Hidden = [64], Outputs = 10 }, device, seed: 1);
Console.WriteLine($"64 units: {Train(network, epochs: 4)}");

PruningPlan plan = new SpectralPruning(new SpectralSettings()).Plan(new Calibration(network, train), keep: [24]);
using Network small = Slicer.Slice(network, plan);
Console.WriteLine($"sliced against masked: {Parity.OfPlan(network, small, plan, test)}");
Console.WriteLine($"24 units: {Train(small, epochs: 1)}");

OnnxExport.Save(Path.Combine(folder, "digits.onnx"), small, new GraphOptions());
OnnxExport.Save(Path.Combine(folder, "stream.onnx"), small, new GraphOptions { IsStateful = true });
CSourceFile.Save(Path.Combine(folder, "digits.c"), small, "samples/TrainPruneExport");

Batch one = new(test.Layout, capacity: 1); // the images, for the other samples: [N, T, I]
NpyFile.Write(Path.Combine(folder, "images.npy"), new Shape(test.Count, 28, 28), write =>
{
    for (int n = 0; n < test.Count; n++)
    {
        test.Read([n], one);
        write(n, one.Inputs);
    }
});

Evaluation Train(Network trained, int epochs)
{
    using Trainer trainer = new(trained, train, test, new TrainingSettings { Epochs = epochs, LearningRate = 0.003 });
    return trainer.Run().Validation!;
}
