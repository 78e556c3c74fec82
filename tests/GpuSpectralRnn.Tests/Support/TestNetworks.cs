using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>Small networks with weights that are neither dead nor wild.</summary>
internal static class TestNetworks
{
    /// <summary>A network of normal weights; the recurrence has a spectral radius of about 0.9.</summary>
    public static Network Make(
        IBackend backend,
        Cell cell,
        int[] hidden,
        Readout readout,
        int inputs = 3,
        int outputs = 4,
        TaskKind task = TaskKind.Classification,
        int seed = 5,
        bool isBidirectional = false)
    {
        Architecture architecture = new()
        {
            Cell = cell,
            Inputs = inputs,
            Hidden = hidden,
            IsBidirectional = isBidirectional,
            Outputs = outputs,
            Readout = readout,
            Task = task,
        };
        return Make(backend, architecture, seed);
    }

    /// <summary>A language model; with tied weights the embedding is as wide as what the top layer hands on.</summary>
    public static Network MakeLanguageModel(
        IBackend backend, Cell cell, int[] hidden, int vocabulary = 7, int embedding = 6, bool isTied = false, bool isBidirectional = false)
    {
        Architecture architecture = new()
        {
            Cell = cell,
            Vocabulary = vocabulary,
            Inputs = isTied ? hidden[^1] * (isBidirectional ? 2 : 1) : embedding,
            TiesWeights = isTied,
            Hidden = hidden,
            IsBidirectional = isBidirectional,
            Outputs = vocabulary,
            Readout = Readout.Every,
        };
        return Make(backend, architecture, seed: 5);
    }

    /// <summary>A network of normal weights.</summary>
    public static Network Make(IBackend backend, Architecture architecture, int seed)
    {
        Network network = new(architecture, backend);
        foreach (ParameterSpec slot in network.Parameters.Slots)
        {
            bool isRecurrent = slot.Name.Contains("weight_hh");
            double scale = slot.Shape.Rank == 1 ? 0.2 : (isRecurrent ? 0.9 : 1) / Math.Sqrt(slot.Shape.Columns);
            network.Parameters.Write(slot.Name, Numbers.Normal(slot.Shape.Count, seed++, scale));
        }

        return network;
    }
}
