// Takes the weights of a TorchSharp module by its state dict, cuts its GRU from 64 units to 32, and gives them to a smaller module.
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Data;
using GpuSpectralRnn.Formats;
using GpuSpectralRnn.Interchange;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Pruning;
using TorchSharp;
using static TorchSharp.torch;
using Shape = GpuSpectralRnn.Compute.Shape;

string path = Path.Combine(Path.GetTempPath(), "torch-module.safetensors");
using Digit trained = new(units: 64); // by TorchSharp, elsewhere
SafetensorsFile.Write(path, [.. trained.state_dict().Select(pair => NamedArray.Create(pair.Key, ShapeOf(pair.Value), pair.Value.data<float>().ToArray()))]);

using IBackend device = Devices.Open("host");
using Network network = StateDict.Import(path, device, Cell.Gru);
ISequenceData digits = Digits.Create(500, seed: 1, ImageView.Row);
using Network small = Slicer.Slice(network, new SpectralPruning(new SpectralSettings()).Plan(new Calibration(network, digits), keep: [32]));

StateDictExport.Save(path, small);
using Digit smaller = new(units: 32);
smaller.load_state_dict(SafetensorsFile.Read(path).Arrays.ToDictionary(a => a.Name, a => tensor(a.As<float>(), [.. a.Shape.ToArray().Select(e => (long)e)])));

// Both on the same sequences [T, B, I].
float[] x = rand(28, 3, 28).data<float>().ToArray();
using GpuSpectralRnn.Compute.Tensor input = device.Allocate(new Shape(28, 3, 28));
input.CopyFrom<float>(x);
float[] ours = small.Forward(input).ToArray(), torchs = smaller.call(tensor(x, [28, 3, 28])).data<float>().ToArray();
Console.WriteLine($"{small}: the module of TorchSharp answers the same to {ours.Zip(torchs, (a, b) => Math.Abs(a - b)).Max():g2}");

static Shape ShapeOf(torch.Tensor weights) => new([.. weights.shape.Select(extent => (int)extent)]);

/// <summary>A GRU over the rows of an image, and a linear layer behind its last state.</summary>
internal sealed class Digit : nn.Module<torch.Tensor, torch.Tensor>
{
    private readonly TorchSharp.Modules.GRU rnn;
    private readonly TorchSharp.Modules.Linear readout;

    public Digit(long units)
        : base(nameof(Digit))
    {
        (rnn, readout) = (nn.GRU(28, units), nn.Linear(units, 10));
        RegisterComponents();
    }

    public override torch.Tensor forward(torch.Tensor x) => readout.call(rnn.call(x).Item1[-1]);
}
