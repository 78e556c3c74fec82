namespace GpuSpectralRnn.Cli;

/// <summary>
/// Architecture and hyperparameters of a published language model. The papers sum the loss over the steps of a window where this program takes the
/// mean over all tokens: their rate r and gradient limit c are here r T and c / T, which gives the same updates.
/// </summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Cell">Recurrent cell.</param>
/// <param name="Hidden">Units of each layer; the embedding is as wide as the first.</param>
/// <param name="Steps">T, tokens of a window.</param>
/// <param name="Epochs">Passes over the text.</param>
/// <param name="SummedRate">The rate for the loss summed over the steps.</param>
/// <param name="HeldEpochs">Epochs before the rate falls.</param>
/// <param name="Divisor">Divisor of the rate before each epoch after those.</param>
/// <param name="SummedClip">Limit on the gradient of the loss summed over the steps.</param>
/// <param name="Dropout">Share dropped.</param>
/// <param name="InitialRange">All weights begin uniform in +- this.</param>
internal sealed record TrainingRecipe(
    string Name,
    string Cell,
    int[] Hidden,
    int Steps,
    int Epochs,
    double SummedRate,
    int HeldEpochs,
    double Divisor,
    double SummedClip,
    double Dropout,
    double InitialRange)
{
    /// <summary>Text columns side by side.</summary>
    public const int Batch = 20;

    /// <summary>
    /// Zaremba, Sutskever, Vinyals, "Recurrent neural network regularization" (2014), section 4.1: small (not regularized), medium and
    /// large. ptb-rnn has the 128 units of the network on which spectral pruning was published; how that was trained is not told, so all else is
    /// as in small but for the rate: 1 is too much for a tanh network, whose loss it drives beyond that of equal chances.
    /// </summary>
    private static readonly TrainingRecipe[] All =
    [
        new("ptb-small", "lstm", [200, 200], 20, 13, 1, 4, 2, 5, 0, 0.1),
        new("ptb-medium", "lstm", [650, 650], 35, 39, 1, 6, 1.2, 5, 0.5, 0.05),
        new("ptb-large", "lstm", [1500, 1500], 35, 55, 1, 14, 1.15, 10, 0.65, 0.04),
        new("ptb-rnn", "rnn-tanh", [128], 20, 13, 0.1, 4, 2, 5, 0, 0.1),
    ];

    /// <summary>The recipe of that name.</summary>
    /// <exception cref="InvalidCallException">There is none.</exception>
    public static TrainingRecipe Find(string name) => All.FirstOrDefault(recipe => recipe.Name == name)
        ?? throw new InvalidCallException($"--recipe {name} is not known; choose one of {string.Join(", ", All.Select(recipe => recipe.Name))}.");

    /// <summary>The rate for the mean over windows of <paramref name="steps"/> tokens.</summary>
    public double Rate(int steps) => SummedRate * steps;

    /// <summary>The limit on the gradient of that mean.</summary>
    public double Clip(int steps) => SummedClip / steps;
}
