namespace GpuSpectralRnn.Spectral;

/// <summary>Bounds on the Frobenius norms of an Elman network's blocks.</summary>
/// <param name="Readout">R_o of W^o.</param>
/// <param name="Recurrent">R_h of W^h.</param>
/// <param name="Input">R_I of W^I.</param>
/// <param name="Bias">R_b of b.</param>
/// <param name="ReadoutBias">R_bo of b^o.</param>
public readonly record struct NetworkRadii(double Readout, double Recurrent, double Input, double Bias, double ReadoutBias)
{
    /// <summary>R^2, the sum of the squared radii.</summary>
    public double Square => Readout * Readout + Recurrent * Recurrent + Input * Input + Bias * Bias + ReadoutBias * ReadoutBias;
}

/// <summary>The class of networks and the data that a generalisation bound applies to.</summary>
/// <param name="Hidden">k.</param>
/// <param name="Inputs">d_x.</param>
/// <param name="Outputs">d_y.</param>
/// <param name="Steps">T.</param>
/// <param name="Samples">n, the number of training sequences.</param>
/// <param name="InputRadius">R_x: no ||x_t|| is larger.</param>
/// <param name="ActivationLipschitz">rho; 1 for ReLU and tanh.</param>
/// <param name="LossLipschitz">rho_psi in the outputs; sqrt 2 for cross-entropy.</param>
/// <param name="LossCeiling">M: losses are clipped to [0, M].</param>
public sealed record BoundSetting(
    int Hidden,
    int Inputs,
    int Outputs,
    int Steps,
    long Samples,
    double InputRadius,
    double ActivationLipschitz,
    double LossLipschitz,
    double LossCeiling)
{
    /// <summary>p = k^2 + k d_x + k + d_y k + d_y.</summary>
    public long Parameters => (long)Hidden * Hidden + (long)Hidden * Inputs + Hidden + (long)Outputs * Hidden + Outputs;
}

/// <summary>
/// A computable generalisation bound for Elman networks by a covering argument over the parameters (derived for this project, docs/method.md, section
/// 9.2; not a theorem of the paper). With probability at least 1 - delta, for every network within the radii, risk &lt;= empirical risk + 2/n + M
/// sqrt((p log(1 + 2 R rho_psi L n) + log(1/delta)) / (2 n)). The radii may be those of the trained network: each is rounded up to a power of two
/// 2^c, and delta is divided among all of them (union bound) with the share 1 / (2 (|c| + 1)(|c| + 2)) for a radius and 1/4 for a block of zeros;
/// these sum to 1.
/// </summary>
/// <param name="Bias">The empirical risk, plus rho_psi ||f - f#|| where f# replaces f.</param>
/// <param name="Variance">2/n and the complexity term.</param>
/// <param name="LogLipschitz">log L, of the outputs at the last step in the parameters.</param>
/// <param name="Ceiling">M.</param>
public sealed record GeneralizationBound(double Bias, double Variance, double LogLipschitz, double Ceiling)
{
    /// <summary>The bound on the risk.</summary>
    public double Total => Bias + Variance;

    /// <summary>Whether the bound is vacuous: not below M, the ceiling of the loss.</summary>
    public bool IsVacuous => !(Total < Ceiling);

    /// <summary>Computes the bound; in logarithms, as the recursions overflow for long sequences.</summary>
    /// <param name="setting">Class and data.</param>
    /// <param name="radii">The network's Frobenius norms, or bounds on them.</param>
    /// <param name="empiricalRisk">The mean clipped training loss.</param>
    /// <param name="approximation">
    /// ||f - f#||_{n,T}, measured or bounded by <see cref="TimeErrorBound"/>; 0 for a network that is not compressed.
    /// </param>
    /// <param name="delta">The probability of failure, in (0, 1).</param>
    /// <exception cref="InvalidCallException">delta lies outside (0, 1).</exception>
    public static GeneralizationBound Compute(BoundSetting setting, NetworkRadii radii, double empiricalRisk, double approximation, double delta)
    {
        CheckDelta(delta);
        double logUnion = 0;
        double RoundUp(double radius)
        {
            int exponent = radius == 0 ? 0 : (int)Math.Ceiling(Math.Log2(radius));
            logUnion += Math.Log(radius == 0 ? 4 : 2 * (Math.Abs(exponent) + 1.0) * (Math.Abs(exponent) + 2.0));
            return radius == 0 ? 0 : Math.ScaleB(1, exponent);
        }

        NetworkRadii rounded = new(
            RoundUp(radii.Readout), RoundUp(radii.Recurrent), RoundUp(radii.Input), RoundUp(radii.Bias), RoundUp(radii.ReadoutBias));
        double logLipschitz = LogParameterLipschitz(setting, rounded);
        double logN = Math.Log(setting.Samples);

        // log(1 + 2 R rho_psi L n), with the argument's logarithm
        double logCover = Softplus(Math.Log(2) + 0.5 * Math.Log(rounded.Square) + Math.Log(setting.LossLipschitz) + logLipschitz + logN);
        double complexity = setting.Parameters * logCover + Math.Log(1 / delta) + logUnion;
        double variance = 2.0 / setting.Samples + setting.LossCeiling * Math.Sqrt(complexity / (2.0 * setting.Samples));
        double bias = empiricalRisk + (approximation == 0 ? 0 : setting.LossLipschitz * approximation);
        return new GeneralizationBound(bias, variance, logLipschitz, setting.LossCeiling);
    }

    /// <summary>
    /// log L of the recursions H_t = rho (R_h H_{t-1} + R_I R_x + R_b), G_t = rho (R_h G_{t-1} + sqrt(H_{t-1}^2 + R_x^2 + 1)), L = R_o G_T +
    /// sqrt(H_T^2 + 1).
    /// </summary>
    public static double LogParameterLipschitz(BoundSetting setting, NetworkRadii radii)
    {
        double logRho = Math.Log(setting.ActivationLipschitz), logRecurrent = Math.Log(radii.Recurrent);
        double logDrive = Math.Log(radii.Input * setting.InputRadius + radii.Bias);
        double logFixed = Math.Log(setting.InputRadius * setting.InputRadius + 1);
        double logH = double.NegativeInfinity, logG = double.NegativeInfinity;
        for (int t = 0; t < setting.Steps; t++)
        {
            double logSensitivity = 0.5 * LogSum(2 * logH, logFixed);
            logG = logRho + LogSum(logRecurrent + logG, logSensitivity);
            logH = logRho + LogSum(logRecurrent + logH, logDrive);
        }

        return LogSum(Math.Log(radii.Readout) + logG, 0.5 * LogSum(2 * logH, 0));
    }

    /// <summary>Checks that delta lies in (0, 1).</summary>
    internal static void CheckDelta(double delta)
    {
        if (!(delta > 0 && delta < 1)) throw new InvalidCallException($"`delta` {delta} is not a probability between 0 and 1; try 0.05.");
    }

    // log(e^a + e^b)
    private static double LogSum(double a, double b)
    {
        double high = Math.Max(a, b), low = Math.Min(a, b);
        return double.IsInfinity(high) ? high : high + Math.Log(1 + Math.Exp(low - high));
    }

    private static double Softplus(double x) => LogSum(0, x);
}
