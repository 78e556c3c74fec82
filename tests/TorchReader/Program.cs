// A bidirectional attention reader in PyTorch, by its definition (Seo, Kembhavi, Farhadi, Hajishirzi 2017), one question at a time: no padding, no masks.
// Prints logits, the loss and a fingerprint of each gradient, for BidafRecipeTests. Weights are a function of their names' order and their places.
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

const int Words = 9, Letters = 7, Word = 4, Letter = 3, Spelling = 3, Span = 5, Hidden = 3;
const int Wide = Word + Spelling, Both = 2 * Hidden;
(string Name, long[] Shape)[] shapes =
[
    ("words.weight", [Words, Word]), ("spelling.table", [Letters, Letter]), ("spelling.weight", [Spelling, Span * Letter]), ("spelling.bias", [Spelling]),
    .. Enumerable.Range(0, 2).SelectMany(i => new[] { "gate", "candidate" }.SelectMany(part => new (string, long[])[]
        { ($"highway{i}.{part}.weight", [Wide, Wide]), ($"highway{i}.{part}.bias", [Wide]) })),
    .. new[] { ("encoder", Wide), ("model0", 4 * Both), ("model1", Both), ("end", Both) }.SelectMany(layer => new[] { "", "_reverse" }.SelectMany(way => new (string, long[])[]
    {
        ($"{layer.Item1}.weight_ih{way}", [4 * Hidden, layer.Item2]), ($"{layer.Item1}.weight_hh{way}", [4 * Hidden, Hidden]),
        ($"{layer.Item1}.bias_ih{way}", [4 * Hidden]), ($"{layer.Item1}.bias_hh{way}", [4 * Hidden]),
    })),
    ("attention.weight", [3 * Both]), ("start.weight", [1, 5 * Both]), ("start.bias", [1]), ("end.weight", [1, 5 * Both]), ("end.bias", [1]),
];
string[] order = [.. shapes.Select(shape => shape.Name).Order(StringComparer.Ordinal)];
Dictionary<string, Tensor> p = shapes.ToDictionary(shape => shape.Name, shape =>
{
    int k = Array.IndexOf(order, shape.Name);
    double[] values = [.. Enumerable.Range(0, (int)shape.Shape.Aggregate(1L, (a, b) => a * b)).Select(i => 0.4 * Math.Sin((1.3 * i) + (0.9 * k) + 0.1))];
    return tensor(values, shape.Shape, dtype: ScalarType.Float32).requires_grad_();
});

// torch.nn.LSTM, of which the same weights are now parameters: model0's weight_ih_reverse is weight_ih_l0_reverse there.
Dictionary<string, TorchSharp.Modules.LSTM> recurrent = [];
foreach (string layer in (string[])["encoder", "model0", "model1", "end"])
{
    TorchSharp.Modules.LSTM lstm = nn.LSTM(p[$"{layer}.weight_ih"].shape[1], Hidden, bidirectional: true);
    foreach ((string name, TorchSharp.Modules.Parameter own) in lstm.named_parameters())
    {
        string full = $"{layer}.{name.Replace("_l0", "")}";
        using (no_grad()) own.copy_(p[full]);
        p[full] = own;
    }

    recurrent.Add(layer, lstm);
}

// The words and the letters of each word; the first and the last word of the answer.
(int[] Context, int[][] Spelt, int[] Question, int[][] Asked, int First, int Last)[] questions =
[
    ([1, 5, 3, 8, 2, 4, 7], [[1, 2], [3], [4, 5, 6, 1, 2, 3], [2], [6, 6, 1], [5, 4], [3, 2, 1]], [3, 6, 1], [[4, 5], [1, 1, 1], [2]], 2, 3),
    ([2, 0, 6, 1], [[6], [5, 1, 0, 4], [3, 3], [1]], [7, 2, 4, 5, 0], [[1], [2, 3], [6, 5], [4], [2, 2]], 0, 2),
];

Tensor loss = zeros(1);
foreach (var q in questions)
{
    Tensor h = Encode(q.Context, q.Spelt), u = Encode(q.Question, q.Asked); // [T, 2d], [J, 2d]
    Tensor w = p["attention.weight"];
    Tensor scores = h.matmul(w[..Both]).unsqueeze(1) + u.matmul(w[Both..(2 * Both)]).unsqueeze(0) + (h * w[(2 * Both)..]).matmul(u.t()); // [T, J]
    Tensor asked = scores.softmax(1).matmul(u), told = scores.amax([1L]).softmax(0).unsqueeze(0).matmul(h);
    Tensor g = cat([h, asked, h * asked, h * told], 1);
    Tensor m = Run("model1", Run("model0", g)), m2 = Run("end", m);
    Tensor start = cat([g, m], 1).matmul(p["start.weight"].t()).squeeze(1) + p["start.bias"], end = cat([g, m2], 1).matmul(p["end.weight"].t()).squeeze(1) + p["end.bias"];
    loss = loss - start.log_softmax(0)[q.First] - end.log_softmax(0)[q.Last];
    Show("start", start);
    Show("end", end);
}

loss /= questions.Length;
loss.sum().backward();
Show("loss", loss);
foreach (string name in order)
{
    Tensor gradient = p[name].grad!.flatten();
    Show(name, (gradient * arange(1, gradient.shape[0] + 1, dtype: ScalarType.Float32).sin()).sum().reshape(1));
}

Tensor Encode(int[] words, int[][] spelt)
{
    Tensor letters = stack([.. spelt.Select(word =>
    {
        Tensor known = cat([p["spelling.table"].index_select(0, tensor(word.Select(c => (long)c).ToArray())), zeros(Span - 1, Letter)], 0);
        return stack([.. Enumerable.Range(0, word.Length).Select(i => p["spelling.weight"].matmul(known[i..(i + Span)].flatten()) + p["spelling.bias"])], 0).amax([0L]);
    })], 0);
    Tensor x = cat([p["words.weight"].index_select(0, tensor(words.Select(i => (long)i).ToArray())), letters], 1);
    for (int i = 0; i < 2; i++)
    {
        Tensor gate = (x.matmul(p[$"highway{i}.gate.weight"].t()) + p[$"highway{i}.gate.bias"]).sigmoid();
        x = (gate * (x.matmul(p[$"highway{i}.candidate.weight"].t()) + p[$"highway{i}.candidate.bias"]).relu()) + ((1 - gate) * x);
    }

    return Run("encoder", x);
}

Tensor Run(string layer, Tensor x) => recurrent[layer].call(x.unsqueeze(1)).Item1.squeeze(1);

static void Show(string name, Tensor values) => Console.WriteLine(
    $"[\"{name}\"] = [{string.Join(", ", values.detach().data<float>().ToArray().Select(x => x.ToString("g8", CultureInfo.InvariantCulture)))}],");
