using GpuSpectralRnn.Numerics;
using GpuSpectralRnn.Spectral;
using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Spectral;

/// <summary>The bounds against what they bound, on random cases.</summary>
public class BoundTests
{
    [Fact]
    public void Leverage_sampling_keeps_both_losses_below_the_lemmas_bounds()
    {
        const int Units = 120;
        const double Delta = 0.1;

        // Two strong directions and a faint rest, so that the lemma's demanding condition can be met.
        Matrix states = RandomMatrix.Uniform(400, Units, 1);
        for (int i = 0; i < states.Rows; i++)
            for (int l = 2; l < Units; l++) states[i, l] *= 0.01;
        Matrix gram = RandomMatrix.Moments(states * RandomMatrix.Uniform(Units, Units, 2));
        Matrix criterion = Criterion.Output(RandomMatrix.Uniform(5, Units, 3));
        Spectrum spectrum = Spectrum.Compute(gram);
        Random random = new(4);
        int violations = 0, cases = 0;
        foreach (double lambda in new[] { 0.02, 0.1 }.Select(share => share * spectrum.Eigenvalues[0]))
        {
            double freedom = spectrum.DegreesOfFreedom(lambda);
            int draws = (int)LeverageBound.LeastUnits(freedom, Delta);
            double[] scores = spectrum.Leverage(lambda);
            for (int trial = 0; trial < 50; trial++, cases++)
            {
                // A unit that is drawn n times with ridge tau each acts as one with tau / n.
                int[] times = new int[Units];
                for (int d = 0; d < draws; d++) times[Draw(scores, random)]++;
                double[] ridge = [.. Enumerable.Range(0, Units).Select(j => lambda * draws * scores[j] / Math.Max(1, times[j]))];
                int[] kept = [.. Enumerable.Range(0, Units).Where(j => times[j] > 0)];
                bool holds = Reconstruction.Loss(gram, ridge, kept, Criterion.Input(Units)) <= LeverageBound.InputLoss(lambda, freedom)
                    && Reconstruction.Loss(gram, ridge, kept, criterion) <= LeverageBound.Loss(lambda, gram, criterion);
                if (!holds) violations++;
            }
        }

        Assert.InRange(violations, 0, (int)(Delta * cases));
        double inputBound = LeverageBound.InputLoss(0.3, spectrum.DegreesOfFreedom(0.3));
        Close.Equal(inputBound, LeverageBound.Loss(0.3, gram, Criterion.Input(Units)), 1e-9, 0, "L_A is L_M with M = I");
        Assert.Equal(218, LeverageBound.LeastUnits(6.3, 0.1)); // 31.5 log 1008 = 217.8
    }

    // The formula in plain numbers, which do not overflow in three steps; radii that are rounded up, a power of two, and none.
    [Fact]
    public void The_generalization_bound_is_its_formula()
    {
        const double Delta = 0.05, Risk = 0.4, Apart = 0.1, Rho = 1.5;
        const int Steps = 3;
        BoundSetting setting = new(4, 3, 2, Steps, 1000, 2.5, 1, Rho, 3);
        NetworkRadii radii = new(3, 0.3, 2, 0, 0.25), up = new(4, 0.5, 2, 0, 0.25); // 2^2, 2^-1, 2^1, none, 2^-2
        double[] shares = [2.0 * 3 * 4, 2.0 * 2 * 3, 2.0 * 2 * 3, 4, 2.0 * 3 * 4];
        double h = 0, g = 0;
        for (int t = 0; t < Steps; t++) (h, g) = (up.Recurrent * h + up.Input * 2.5 + up.Bias, up.Recurrent * g + Math.Sqrt(h * h + 2.5 * 2.5 + 1));
        double lipschitz = up.Readout * g + Math.Sqrt(h * h + 1);
        double square = 16 + 0.25 + 4 + 0.0625;
        double complexity = (16 + 12 + 4 + 8 + 2) * Math.Log(1 + 2 * Math.Sqrt(square) * Rho * lipschitz * 1000) + Math.Log(1 / Delta)
            + shares.Sum(share => Math.Log(share));

        GeneralizationBound bound = GeneralizationBound.Compute(setting, radii, Risk, Apart, Delta);

        Assert.Equal(Math.Log(lipschitz), bound.LogLipschitz, 1e-12);
        Assert.Equal(Risk + Rho * Apart, bound.Bias, 1e-12);
        Assert.Equal(2.0 / 1000 + 3 * Math.Sqrt(complexity / 2000), bound.Variance, 1e-12);
        Assert.True((bound with { Variance = 3 - bound.Bias }).IsVacuous); // a bound of M says nothing
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Errors_through_time_stay_below_their_bounds(bool isRelu)
    {
        const int Hidden = 9, Inputs = 3, Outputs = 2, Steps = 7, Sequences = 20;
        for (int seed = 0; seed < 20; seed++)
        {
            Matrix recurrent = 0.5 * RandomMatrix.Uniform(Hidden, Hidden, seed), input = RandomMatrix.Uniform(Hidden, Inputs, seed + 100);
            Matrix readout = RandomMatrix.Uniform(Outputs, Hidden, seed + 200), data = RandomMatrix.Uniform(Sequences * Steps, Inputs, seed + 300);
            Matrix states = Run(recurrent, input, data, Steps, isRelu), gram = RandomMatrix.Moments(states);
            double[] ridge = Ridge.Uniform(gram, 1e-4);
            int[] kept = new GreedySelector().Select(new SelectionProblem(gram, ridge, Criterion.Input(Hidden)), 4).Kept;
            Matrix a = Reconstruction.Compute(gram, ridge, kept), keptRows = recurrent.SelectRows(kept);
            Matrix smallRecurrent = keptRows * a, smallReadout = readout * a;
            Matrix smallStates = Run(smallRecurrent, input.SelectRows(kept), data, Steps, isRelu);

            double measured = Norm(Matrix.Product(states, readout, transposeB: true) - Matrix.Product(smallStates, smallReadout, transposeB: true));
            Matrix residual = states - Matrix.Product(states.SelectColumns(kept), a, transposeB: true);
            double readoutError = Norm(Matrix.Product(residual, readout, transposeB: true));
            double recurrentError = Norm(Matrix.Product(residual, keptRows, transposeB: true));
            TimeErrorBound bound = new(Steps, 1, SingularValues.LargestTwo(smallRecurrent).First, SingularValues.LargestTwo(smallReadout).First);
            double outputLoss = Reconstruction.Loss(gram, ridge, kept, Criterion.Output(readout) + Criterion.Output(keptRows));

            Assert.InRange(measured, 0, bound.FromErrors(readoutError, recurrentError));

            // The looser bound by the output loss alone: sqrt 2 max{1, rho S_kappa ||W^o#||_op} sqrt(L_B(J)).
            double loose = Math.Sqrt(2 * outputLoss) * Math.Max(1, bound.Amplification);
            Assert.InRange(bound.FromErrors(readoutError, recurrentError), 0, loose * (1 + 1e-12));
        }
    }

    [Fact]
    public void Amplification_sums_powers_and_may_overflow()
    {
        Assert.Equal(0, new TimeErrorBound(1, 1, 2, 3).Amplification);
        Assert.Equal(3 * (1 + 2 + 4), new TimeErrorBound(4, 1, 2, 3).Amplification);
        Assert.Equal(double.PositiveInfinity, new TimeErrorBound(784, 1, 10, 3).Amplification);
        Assert.Equal(0.5, new TimeErrorBound(784, 1, 10, 3).FromErrors(0.5, 0));
        Assert.Equal(0, new TimeErrorBound(784, 1, 10, 0).Amplification);
    }

    [Fact]
    public void Log_space_recursion_equals_the_plain_one()
    {
        BoundSetting setting = new(8, 2, 3, 5, 1000, 1.5, 1, Math.Sqrt(2), 1);
        NetworkRadii radii = new(2, 1.5, 0.7, 0.3, 0.1);
        double h = 0, g = 0;
        for (int t = 0; t < 5; t++) (h, g) = (1.5 * h + 0.7 * 1.5 + 0.3, 1.5 * g + Math.Sqrt(h * h + 1.5 * 1.5 + 1));

        Assert.Equal(Math.Log(2 * g + Math.Sqrt(h * h + 1)), GeneralizationBound.LogParameterLipschitz(setting, radii), 1e-12);
        Assert.Equal(8 * 8 + 16 + 8 + 24 + 3, setting.Parameters);
    }

    [Fact]
    public void Parameter_Lipschitz_constant_bounds_finite_differences()
    {
        // Two random networks within the radii: their outputs differ by at most L times the distance of their parameters.
        const int Hidden = 4, Inputs = 2, Outputs = 2, Steps = 5;
        Matrix data = RandomMatrix.Uniform(10 * Steps, Inputs, 1);
        double radius = Enumerable.Range(0, data.Rows).Max(i => Math.Sqrt(data[i, 0] * data[i, 0] + data[i, 1] * data[i, 1]));
        for (int seed = 0; seed < 20; seed++)
        {
            Matrix[] one = Parameters(seed), other = [.. one.Select((p, i) => p + 0.01 * RandomMatrix.Uniform(p.Rows, p.Columns, 50 + seed + i))];
            double Radius(int block) => Math.Max(one[block].FrobeniusNorm(), other[block].FrobeniusNorm());
            NetworkRadii radii = new(Radius(2), Radius(0), Radius(1), 0, 0);
            BoundSetting setting = new(Hidden, Inputs, Outputs, Steps, 10, radius, 1, 1, 1);
            double lipschitz = Math.Exp(GeneralizationBound.LogParameterLipschitz(setting, radii));
            double distance = Math.Sqrt(one.Zip(other).Sum(pair => Math.Pow((pair.First - pair.Second).FrobeniusNorm(), 2)));
            Matrix difference = OutputsOf(one) - OutputsOf(other);

            for (int i = Steps - 1; i < difference.Rows; i += Steps) // f_T
                Assert.InRange(Math.Sqrt(VectorOps.Dot(difference.Row(i), difference.Row(i))), 0, lipschitz * distance);
        }

        Matrix[] Parameters(int seed) =>
        [
            RandomMatrix.Uniform(Hidden, Hidden, seed), RandomMatrix.Uniform(Hidden, Inputs, seed + 1),
            RandomMatrix.Uniform(Outputs, Hidden, seed + 2),
        ];
        Matrix OutputsOf(Matrix[] p) => Matrix.Product(Run(p[0], p[1], data, Steps, isRelu: true), p[2], transposeB: true);
    }

    [Fact]
    public void Long_sequences_stay_finite_and_the_parts_move_as_they_should()
    {
        BoundSetting setting = new(42, 1, 10, 784, 60_000, 1, 1, Math.Sqrt(2), 1);
        NetworkRadii radii = new(5, 9, 1, 1, 1);
        GeneralizationBound bound = GeneralizationBound.Compute(setting, radii, 0.1, 0.05, 0.05);

        Assert.True(double.IsFinite(bound.Total));
        Assert.Equal(0.1 + Math.Sqrt(2) * 0.05, bound.Bias, 1e-14);
        Assert.Equal(bound.Bias + bound.Variance, bound.Total, 1e-14);
        Assert.True(bound.IsVacuous);
        Assert.True(GeneralizationBound.Compute(setting with { Hidden = 20 }, radii, 0.1, 0.05, 0.05).Variance < bound.Variance);
        Assert.True(GeneralizationBound.Compute(setting, radii, 0.1, 0.05, 1e-6).Variance > bound.Variance);
        GeneralizationBound easy = GeneralizationBound.Compute(
            new BoundSetting(1, 1, 1, 3, 1_000_000, 1, 1, 1, 1), new(1, 0.5, 1, 0, 0), 0.05, 0, 0.05);
        Assert.False(easy.IsVacuous);
        foreach (double bad in new[] { 0, 1, -1, double.NaN })
            Assert.Throws<InvalidCallException>(() => GeneralizationBound.Compute(setting, radii, 0.1, 0, bad));
    }

    private static int Draw(double[] scores, Random random)
    {
        double u = random.NextDouble();
        int j = 0;
        while (j < scores.Length - 1 && (u -= scores[j]) >= 0) j++;
        return j;
    }

    // Root of the mean over rows of the squared lengths.
    private static double Norm(Matrix rows) => Math.Sqrt(Matrix.Inner(rows, rows) / rows.Rows);

    // h_1 .. h_T of every sequence, rows in the order of the data [sequences * steps, inputs].
    private static Matrix Run(Matrix recurrent, Matrix input, Matrix data, int steps, bool isRelu)
    {
        Matrix drive = Matrix.Product(data, input, transposeB: true), states = new(data.Rows, recurrent.Rows);
        for (int row = 0; row < data.Rows; row++)
        {
            for (int i = 0; i < recurrent.Rows; i++)
            {
                double sum = drive[row, i];
                for (int l = 0; row % steps > 0 && l < recurrent.Rows; l++) sum += recurrent[i, l] * states[row - 1, l];
                states[row, i] = isRelu ? Math.Max(0, sum) : Math.Tanh(sum);
            }
        }

        return states;
    }
}
