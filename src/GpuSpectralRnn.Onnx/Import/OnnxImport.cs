using Google.Protobuf;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;
using GpuSpectralRnn.Onnx.Export;
using GpuSpectralRnn.Onnx.Graphs;
using GpuSpectralRnn.Onnx.Protos;
using GpuSpectralRnn.Onnx.Recurrent;
using Microsoft.ML.OnnxRuntime;

namespace GpuSpectralRnn.Onnx.Import;

/// <summary>
/// Imports ONNX graphs that are a stack of recurrent nodes with a linear read-out, as PyTorch's exporter and <see cref="OnnxExport"/> write them. A
/// network is returned only if its outputs equal the graph's in ONNX Runtime.
/// </summary>
public static class OnnxImport
{
    /// <summary>Reads a network.</summary>
    /// <param name="path">An ONNX file.</param>
    /// <param name="backend">Backend of the network.</param>
    /// <param name="cell">The cell where two share a recurrence (irnn or rnn-relu); null: what the file says.</param>
    /// <param name="readout">Input of the read-out; null: the one that reproduces the graph's outputs.</param>
    /// <param name="task">Task of the network; null: what the file says, else a regression where there is one output.</param>
    /// <param name="note">Receives findings and assumptions, a line each.</param>
    /// <returns>
    /// The network, and the largest difference of its outputs from the graph's (relative to the largest output where that is above 1).
    /// </returns>
    /// <exception cref="InvalidCallException">There is no such file, or a node of the graph cannot be represented; the message names it.</exception>
    /// <exception cref="RunFailedException">The file is damaged, or ONNX Runtime does not take it.</exception>
    public static (Network Network, double MaxDifference) Read(
        string path, IBackend backend, Cell? cell = null, Readout? readout = null, TaskKind? task = null, Action<string>? note = null)
    {
        ModelProto model = OnnxFile.Load(path);
        using InferenceSession session = RuntimeSession.Open(model.ToByteArray(), path);
        try
        {
            return Read(model, session, backend, (cell, readout, task), note ?? (_ => { }));
        }
        catch (InvalidCallException e)
        {
            throw new InvalidCallException($"{path}: {e.Message}", e);
        }
        catch (RunFailedException e)
        {
            throw new RunFailedException($"{path}: {e.Message}", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new RunFailedException($"{path}: ONNX Runtime cannot run it: {e.Message}", e);
        }
    }

    private static (Network Network, double MaxDifference) Read(
        ModelProto model, InferenceSession session, IBackend backend, (Cell? Cell, Readout? Readout, TaskKind? Task) asked, Action<string> note)
    {
        StackParts parts = StackParts.Find(model);
        if (RecurrentNode.FindDoubt(model, RecurrentNode.FindAll(model)) is { } doubt) note(doubt);
        Architecture? told = ModelNotes.Read(model);
        ReadoutProof proof = new(session, parts);
        if (proof.Problem is { } problem) throw new RunFailedException($"ONNX Runtime cannot run the graph: {problem}");
        (Readout Readout, double Difference)[] tried =
            [.. Candidates(parts, proof, asked.Readout, told).Select(readout => (readout, Measure(proof, parts, readout, backend)))];
        (Readout Readout, double Difference)[] fitting = [.. tried.Where(candidate => candidate.Difference <= Answers.Tolerance)];
        if (fitting.Length == 0)
        {
            (Readout closest, double difference) = tried.MinBy(candidate => candidate.Difference);
            throw new InvalidCallException(
                $"{StackParts.Describe(parts.Readout.Node)} cannot be represented: what lies between it and {parts.Top} is none of the read-outs "
                + $"{string.Join(", ", tried.Select(candidate => candidate.Readout.Name()))}; "
                + $"with the closest, {closest.Name()}, answers differ by {difference:g3}.");
        }

        (Readout chosen, double found) = fitting[0];
        if (fitting.Length > 1)
        {
            string alike = string.Join(", ", fitting.Select(candidate => candidate.Readout.Name()));
            string reason = proof.HasOneStep ? ", for it takes a single step" : "";
            note($"the read-outs {alike} answer the graph alike{reason}; taken for {chosen.Name()}, `readout` says otherwise");
        }

        if (parts.Unused.Length > 0) note($"the outputs {string.Join(", ", parts.Unused)} are states, which the model keeps itself");
        Architecture architecture = Describe(parts, chosen) is var plain && told is not null && IsSame(plain, told)
            ? told with { RecurrentRank = null, TiesWeights = plain.TiesWeights }
            : plain;
        if (asked.Cell is { } cell && cell.Kind() != architecture.Cell.Kind())
            throw new InvalidCallException($"{parts.Top} is no {cell.Name()}; leave out `cell`, the graph says it.");
        architecture = architecture with { Cell = asked.Cell ?? architecture.Cell, Task = asked.Task ?? architecture.Task };
        return (Make(parts, architecture, backend), found);
    }

    // Those that the graph's author may have meant, the likeliest first; of one direction last and last-step are the same.
    private static IEnumerable<Readout> Candidates(StackParts parts, ReadoutProof proof, Readout? asked, Architecture? told)
    {
        if (asked is { } one) return [one];
        Readout[] all = parts.Layers[0].Weights.Directions == 1 ? [Readout.Last, Readout.Mean, Readout.Every] : Enum.GetValues<Readout>();
        if (proof.KeepsSteps) all = [Readout.Every, .. all];
        return (told is null ? all : all.Prepend(told.Readout)).Distinct();
    }

    private static double Measure(ReadoutProof proof, StackParts parts, Readout readout, IBackend backend)
    {
        using Network network = Make(parts, Describe(parts, readout), backend);
        _ = network.Parameters.ReadFinite();
        return proof.Difference(network);
    }

    private static Architecture Describe(StackParts parts, Readout readout) => new()
    {
        Cell = parts.Layers[0].Cell,
        Inputs = parts.Layers[0].Weights.Inputs,
        Vocabulary = parts.Embedding?.Extents[0] ?? 0,
        TiesWeights = parts.Embedding is { } table && parts.Readout.Weights.AsSpan().SequenceEqual(table.Values),
        Hidden = [.. parts.Layers.Select(layer => layer.Weights.Hidden)],
        IsBidirectional = parts.Layers[0].Weights.Directions == 2,
        Readout = readout,
        Outputs = parts.Readout.Outputs,
        Task = parts.Readout.Outputs == 1 ? TaskKind.Regression : TaskKind.Classification,
    };

    // Whether the metadata tell of this graph: they may have stayed behind in an edited file.
    private static bool IsSame(Architecture graph, Architecture told) =>
        (graph.Cell.Kind(), graph.Inputs, graph.Vocabulary, graph.IsBidirectional, graph.Outputs, graph.Readout)
            == (told.Cell.Kind(), told.Inputs, told.Vocabulary, told.IsBidirectional, told.Outputs, told.Readout)
        && graph.Hidden.SequenceEqual(told.Hidden);

    private static Network Make(StackParts parts, Architecture architecture, IBackend backend)
    {
        Network network = new(architecture, backend);
        if (parts.Embedding is { } table) network.Parameters.Write(ParameterSpec.Embedding, table.Values);
        for (int layer = 0; layer < parts.Layers.Length; layer++) parts.Layers[layer].WriteTo(network.Parameters, layer);
        if (!architecture.TiesWeights) network.Parameters.Write(ParameterSpec.Readout, parts.Readout.Weights);
        network.Parameters.Write("readout.bias", parts.Readout.Bias);
        return network;
    }
}
