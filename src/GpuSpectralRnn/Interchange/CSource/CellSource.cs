using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Interchange;

/// <summary>
/// The cells in C, from the gates' pre-activations to the states, unit by unit. Gates are in PyTorch's order, LSTM i, f, g, o and GRU r, z, n.
/// </summary>
internal static class CellSource
{
    /// <summary>Name of the cell's function.</summary>
    public static string Function(CellKind kind) =>
        kind switch { CellKind.Lstm or CellKind.LstmPeephole => "lstm", CellKind.Gru or CellKind.GruResetBefore => "gru", _ => "elman" };

    /// <summary>The cell's function, called <paramref name="name"/> and the cell, and what it needs.</summary>
    public static string Write(CellKind kind, string name) => kind switch
    {
        CellKind.Lstm => Sigmoid(name) + $$"""

            static void {{name}}_lstm(const float *gates, int units, float *h, float *c)
            {
                int i;
                for (i = 0; i < units; i++) {
                    c[i] = {{name}}_sigmoid(gates[units + i]) * c[i] + {{name}}_sigmoid(gates[i]) * tanhf(gates[2 * units + i]);
                    h[i] = {{name}}_sigmoid(gates[3 * units + i]) * tanhf(c[i]);
                }
            }

            """,
        CellKind.Gru => Sigmoid(name) + $$"""

            static void {{name}}_gru(const float *gates, const float *products, int units, float *h)
            {
                int i;
                for (i = 0; i < units; i++) {
                    float reset = {{name}}_sigmoid(gates[i] + products[i]);
                    float update = {{name}}_sigmoid(gates[units + i] + products[units + i]);
                    float candidate = tanhf(gates[2 * units + i] + reset * products[2 * units + i]);
                    h[i] = (1.0f - update) * candidate + update * h[i];
                }
            }

            """,
        CellKind.LstmPeephole => Sigmoid(name) + $$"""

            /* peepholes [3, units]: what i, f and o see of c */
            static void {{name}}_lstm(const float *gates, int units, float *h, float *c, const float *peepholes)
            {
                int i;
                for (i = 0; i < units; i++) {
                    float input = {{name}}_sigmoid(gates[i] + peepholes[i] * c[i]);
                    float forget = {{name}}_sigmoid(gates[units + i] + peepholes[units + i] * c[i]);
                    c[i] = forget * c[i] + input * tanhf(gates[2 * units + i]);
                    h[i] = {{name}}_sigmoid(gates[3 * units + i] + peepholes[2 * units + i] * c[i]) * tanhf(c[i]);
                }
            }

            """,
        CellKind.GruResetBefore => Sigmoid(name) + $$"""

            /* reset = r h, before the product of the candidate */
            static void {{name}}_reset_state(const float *gates, int units, const float *h, float *reset)
            {
                int i;
                for (i = 0; i < units; i++) reset[i] = {{name}}_sigmoid(gates[i]) * h[i];
            }

            static void {{name}}_gru(const float *gates, int units, float *h)
            {
                int i;
                for (i = 0; i < units; i++) {
                    float update = {{name}}_sigmoid(gates[units + i]);
                    h[i] = (1.0f - update) * tanhf(gates[2 * units + i]) + update * h[i];
                }
            }

            """,
        _ => $$"""

            static void {{name}}_elman(const float *sums, int units, float *h)
            {
                int i;
                for (i = 0; i < units; i++) h[i] = {{Nonlinearity(kind)}};
            }

            """,
    };

    private static string Nonlinearity(CellKind kind) => kind switch
    {
        CellKind.RnnTanh => "tanhf(sums[i])",
        CellKind.RnnRelu => "sums[i] > 0.0f ? sums[i] : 0.0f",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "This cell is not written in C yet."),
    };

    private static string Sigmoid(string name) => $$"""

        static float {{name}}_sigmoid(float x)
        {
            return 1.0f / (1.0f + expf(-x));
        }

        """;
}
