using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Keras;

/// <summary>One layer of a Keras model and the place of its variables.</summary>
/// <param name="Name">Its name, for messages.</param>
/// <param name="Path">Its group in the weights file: <c>layers/lstm</c>.</param>
/// <param name="IsBidirectional">Whether it is a Bidirectional, with a forward_layer and a backward_layer.</param>
internal sealed record KerasLayer(string Name, string Path, bool IsBidirectional = false);

/// <summary>The layers of a Keras model that is a stack: an Embedding perhaps, recurrent layers in a row, a Dense.</summary>
/// <param name="Embedding">Takes the tokens; null: real inputs.</param>
/// <param name="Recurrent">From the input up; at least one.</param>
/// <param name="Dense">The linear read-out.</param>
/// <param name="Cell">The cell of every recurrent layer; null where the file does not tell it.</param>
/// <param name="Readout">Input of the Dense; null where the file does not tell it.</param>
/// <param name="EndsInSoftmax">Whether the Dense's activation is softmax, which the logits leave out.</param>
internal sealed record KerasStack(
    KerasLayer? Embedding, IReadOnlyList<KerasLayer> Recurrent, KerasLayer Dense, Cell? Cell, Readout? Readout, bool EndsInSoftmax);
