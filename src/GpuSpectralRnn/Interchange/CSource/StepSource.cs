using System.Text;
using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// The C source of one network. The state holds h (of an LSTM then c) of each layer, and for the read-out mean the sum of the top states and their
/// number.
/// </summary>
internal sealed class StepSource
{
    private readonly Network network;
    private readonly string name;
    private readonly List<(string Name, float[] Values)> arrays = [];
    private readonly StringBuilder steps = new();
    private readonly int gates, products, factors; // extents of the arrays on the stack
    private readonly int state;

    /// <summary>Prepares constants and sizes; <paramref name="name"/> is the prefix of all names.</summary>
    public StepSource(Network network, string name)
    {
        (this.network, this.name) = (network, name);
        int widest = Architecture.Hidden.Max() * Cell.Gates;
        (gates, products, factors) = (
            widest, Cell.ResetsProduct ? widest : Cell.ResetsState ? Architecture.Hidden.Max() : 0,
            Enumerable.Range(0, Architecture.Layers).Max(Architecture.Rank));
        string x = "input";
        if (Architecture.HasEmbedding) x = $"{Array("embedding", network.Parameters.Read(ParameterSpec.Embedding))} + token * {Architecture.Inputs}";
        for (int layer = 0; layer < Architecture.Layers; layer++) x = AddLayer(layer, x, ref state);
        AddReadout(x, ref state);
        long weights = arrays.Sum(array => array.Values.LongLength);
        long multiplyAdds = Architecture.MultiplyAddsPerSequence(1);
        long stack = (long)gates + products + factors;
        Sizes = new CSizes(name, weights * sizeof(float), (long)state * sizeof(float), stack * sizeof(float), multiplyAdds);
    }

    /// <summary>Memory and arithmetic.</summary>
    public CSizes Sizes { get; }

    private Architecture Architecture => network.Architecture;

    private CellSpec Cell => Architecture.Cell.Spec();

    private string Input => Architecture.HasEmbedding ? "long token" : $"const float input[{Architecture.Inputs}]";

    /// <summary>Writes the file's text.</summary>
    public void Write(TextWriter writer, string call)
    {
        writer.Write(Head(call));
        writer.Write("#include <math.h>\n");
        writer.Write($$"""

            void {{name}}_reset(float state[{{state}}]);
            void {{name}}_step(float state[{{state}}], {{Input}}, float output[{{Architecture.Outputs}}]);

            """);
        foreach ((string array, float[] values) in arrays) CText.Array(writer, array, values);
        writer.Write($$"""

            /* y = bias + W x with W [rows, columns]; a bias of 0 stands for zeros */
            static void {{name}}_linear(const float *bias, const float *w, int rows, int columns, const float *x, float *y)
            {
                int i, j;
                for (i = 0; i < rows; i++) {
                    float sum = bias ? bias[i] : 0.0f;
                    for (j = 0; j < columns; j++) sum += *w++ * x[j];
                    y[i] = sum;
                }
            }

            """);
        if (!Cell.ResetsProduct)
            writer.Write($$"""

                /* y += W x with W [rows, columns] */
                static void {{name}}_add_product(const float *w, int rows, int columns, const float *x, float *y)
                {
                    int i, j;
                    for (i = 0; i < rows; i++) {
                        float sum = 0.0f;
                        for (j = 0; j < columns; j++) sum += *w++ * x[j];
                        y[i] += sum;
                    }
                }

                """);
        writer.Write(CellSource.Write(Cell.Kind, name));
        writer.Write($$"""

            void {{name}}_reset(float state[{{state}}])
            {
                int i;
                for (i = 0; i < {{state}}; i++) state[i] = 0.0f;
            }

            void {{name}}_step(float state[{{state}}], {{Input}}, float output[{{Architecture.Outputs}}])
            {
                float gates[{{gates}}];

            """);
        if (products > 0) writer.Write($"    float products[{products}];\n");
        if (factors > 0) writer.Write($"    float factors[{factors}];\n");
        writer.Write($"{steps}}}\n");
    }

    private string Head(string call)
    {
        string likeliest = $"the largest is the likeliest {(Architecture.IsLanguageModel ? "next token" : "class")}";
        string answers = (Architecture.Task, Architecture.Readout) switch
        {
            (TaskKind.Regression, Readout.Every) => "output holds the predictions for this step",
            (TaskKind.Regression, _) => "output holds the predictions for the sequence up to this step",
            (_, Readout.Every) => $"output holds the logits of this step; {likeliest}",
            _ => $"output holds the logits of the sequence up to this step; {likeliest}",
        };
        return $"""
            /*
             * {CText.Comment(Architecture.Summary)}
             * {CText.Comment(call)}
             *
             * void {name}_reset(float state[{state}]);
             *     before the first step of each sequence
             * void {name}_step(float state[{state}], {Input}, float output[{Architecture.Outputs}]);
             *     once for each step{(Architecture.HasEmbedding ? $", token 0 to {Architecture.Vocabulary - 1}" : "")}; {answers};
             *     where nobody reads it, output may be 0, and the read-out is not computed
             *
             * Weights: {Sizes.WeightBytes} bytes of constants (flash). RAM: {Sizes.StateBytes} bytes of state, which the caller owns (one for each
             * sequence that is walked at the same time), and {Sizes.StackBytes} bytes of arrays on the stack of a step.
             * A step takes {Sizes.MultiplyAdds} multiply-adds. C99; expf and tanhf come from libm.
             */

            """;
    }

    // The lines of one layer; gives where its states lie.
    private string AddLayer(int layer, string x, ref int place)
    {
        (int hidden, int rows) = (Architecture.Hidden[layer], Architecture.Hidden[layer] * Cell.Gates);
        string end = $"l{layer}", h = $"state + {place}";
        float[] inputBias = network.Parameters.Read($"rnn.bias_ih_{end}"), hiddenBias = network.Parameters.Read($"rnn.bias_hh_{end}");
        string w = Array($"weight_ih_{end}", network.Parameters.Read($"rnn.weight_ih_{end}"));
        bool isSplit = Cell.ResetsProduct;

        // Only a GRU treats its two biases differently.
        string b = Array($"bias_{(isSplit ? "ih_" : "")}{end}", isSplit ? inputBias : [.. inputBias.Zip(hiddenBias, (a, c) => a + c)]);
        string? d = isSplit ? Array($"bias_hh_{end}", hiddenBias) : null;
        Line($"{name}_linear({b}, {w}, {rows}, {Architecture.LayerInputs(layer)}, {x}, gates);");
        int rank = Architecture.Rank(layer), columns = rank > 0 ? rank : hidden;
        string recurrent = rank > 0 ? "weight_hh_left_" : "weight_hh_";
        string? right = rank > 0 ? Array($"weight_hh_right_{end}", network.Parameters.Read($"rnn.weight_hh_right_{end}")) : null;
        string seen = Seen(h);
        string r = Array(recurrent + end, network.Parameters.Read($"rnn.{recurrent}{end}"));
        int direct = Cell.ResetsState ? rows - hidden : rows;
        Line(isSplit
            ? $"{name}_linear({d}, {r}, {rows}, {columns}, {seen}, products);"
            : $"{name}_add_product({r}, {direct}, {columns}, {seen}, gates);");
        if (Cell.ResetsState)
        {
            Line($"{name}_reset_state(gates, {hidden}, {h}, products);");
            Line($"{name}_add_product({r} + {direct * columns}, {hidden}, {columns}, {Seen("products")}, gates + {direct});");
        }

        string c = Cell.HasCellState ? $", state + {place + hidden}" : "";
        if (Cell.HasPeepholes) c += $", {Array($"weight_peephole_{end}", network.Parameters.Read("rnn.weight_peephole_" + end))}";
        Line($"{name}_{CellSource.Function(Cell.Kind)}(gates{(isSplit ? ", products" : "")}, {hidden}, {h}{c});");
        place += Cell.HasCellState ? 2 * hidden : hidden;
        return h;

        // What the recurrent weights multiply; of a factored matrix the right factor's product.
        string Seen(string states)
        {
            if (right is null) return states;
            Line($"{name}_linear(0, {right}, {rank}, {hidden}, {states}, factors);");
            return "factors";
        }
    }

    private void AddReadout(string top, ref int place)
    {
        (int hidden, int outputs) = (Architecture.Hidden[^1], Architecture.Outputs);
        string w = Architecture.TiesWeights ? $"{name}_embedding" : Array("readout_weight", network.Parameters.Read(Architecture.ReadoutWeight));
        string b = Array("readout_bias", network.Parameters.Read("readout.bias"));
        if (Architecture.Readout != Readout.Mean)
        {
            Line($"if (output) {name}_linear({b}, {w}, {outputs}, {hidden}, {top}, output);");
            return;
        }

        // W mean + b = W sum / count + b
        (int sum, int count) = (place, place + hidden);
        place += hidden + 1;
        Line($"for (int i = 0; i < {hidden}; i++) state[{sum} + i] += ({top})[i];");
        Line($"state[{count}] += 1.0f;");
        Line("if (output) {");
        Line($"    {name}_linear(0, {w}, {outputs}, {hidden}, state + {sum}, output);");
        Line($"    for (int i = 0; i < {outputs}; i++) output[i] = output[i] / state[{count}] + {b}[i];");
        Line("}");
    }

    private string Array(string what, float[] values)
    {
        arrays.Add(($"{name}_{what}", values));
        return arrays[^1].Name;
    }

    private void Line(string text) => steps.Append("    ").Append(text).Append('\n');
}
