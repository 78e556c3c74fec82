using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

public abstract class LinearTests(DeviceFixture device) : OperationTests(device)
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 },
        { 2, 3, 1 },
        { 5, 1, 7 },
        { 17, 31, 33 },
        { 64, 128, 10 },
        { 3, 443, 2 },
        { 443, 2, 3 },
        { 65, 16, 15 },
    };

    [SkippableTheory]
    [MemberData(nameof(Sizes))]
    public void Forward_and_backward_agree_with_the_definition(int n, int i, int o)
    {
        double[] x = Numbers.Normal(n * i, 1).ToDoubles();
        double[] w = Numbers.Normal(o * i, 2).ToDoubles();
        double[] bias = Numbers.Normal(o, 3).ToDoubles();
        double[] dy = Numbers.Normal(n * o, 4).ToDoubles();
        double[] dw = Numbers.Normal(o * i, 5).ToDoubles();
        double[] db = Numbers.Normal(o, 6).ToDoubles();
        Tensor input = Make(x, n, i);
        Tensor weights = Make(w, o, i);
        Tensor y = Garbage(n, o);
        double Tolerance(int terms) => 3e-7 * terms + 1e-6; // sums of unit normal products, see GemmTests

        Backend.Matrix.Linear(new(input, weights, Make(bias, o), y));
        Close.Equal(ReferenceMatrix.Linear(n, i, o, x, w, bias), y, 1e-6, Tolerance(i), "y");
        Backend.Matrix.Linear(new(input, weights, null, y));
        Close.Equal(ReferenceMatrix.Linear(n, i, o, x, w, null), y, 1e-6, Tolerance(i), "y without bias");

        Tensor inputGradient = Garbage(n, i);
        Tensor weightGradient = Make(dw, o, i);
        Tensor biasGradient = Make(db, o);
        Tensor outputGradient = Make(dy, n, o);
        Backend.Matrix.LinearBackward(new(input, weights, outputGradient, inputGradient, weightGradient, biasGradient));
        Close.Equal(ReferenceMatrix.Gemm(n, i, o, 1, dy, false, w, false), inputGradient, 1e-6, Tolerance(o), "dx");
        double[] expectedWeights = ReferenceMatrix.Gemm(o, i, n, 1, dy, true, x, false, 1, dw);
        Close.Equal(expectedWeights, weightGradient, 1e-6, Tolerance(n), "dW");
        Close.Equal(ReferenceMatrix.ColumnSums(n, o, dy).Zip(db, (a, b) => a + b).ToArray(), biasGradient, 1e-6, Tolerance(n), "db");

        Tensor alone = Make(dw, o, i);
        Backend.Matrix.LinearBackward(new(input, weights, outputGradient, null, alone, null));
        Close.Equal(expectedWeights, alone, 1e-6, Tolerance(n), "dW alone");
        Close.Equal(dy, outputGradient, 0, 0, "the output gradient stays");
    }

    [SkippableFact]
    public void Backward_agrees_with_finite_differences()
    {
        (int n, int i, int o) = (3, 5, 2);
        double[] x = Numbers.Normal(n * i, 1).ToDoubles();
        double[] w = Numbers.Normal(o * i, 2).ToDoubles();
        double[] bias = Numbers.Normal(o, 3).ToDoubles();
        double[] dy = Numbers.Normal(n * o, 4).ToDoubles();
        double Loss() => ReferenceMatrix.Dot(ReferenceMatrix.Linear(n, i, o, x, w, bias), dy);
        double[] Slope(double[] operand) => FiniteDifferences.Gradient(Loss, operand);
        Tensor dx = Garbage(n, i);
        Tensor dw = Zeros(o, i);
        Tensor db = Zeros(o);
        Backend.Matrix.LinearBackward(new(Make(x, n, i), Make(w, o, i), Make(dy, n, o), dx, dw, db));
        Close.Equal(Slope(x), dx, 1e-6, 1e-6, "dx"); // a few roundings of single precision
        Close.Equal(Slope(w), dw, 1e-6, 1e-6, "dW");
        Close.Equal(Slope(bias), db, 1e-6, 1e-6, "db");
    }

    [SkippableFact]
    public void Folds_steps_and_batch()
    {
        Tensor x = Random(1, 4, 3, 5); // [T, B, I]
        Tensor w = Random(2, 2, 5);
        Tensor y = Garbage(4, 3, 2);
        Backend.Matrix.Linear(new(x, w, null, y));
        Close.Equal(ReferenceMatrix.Linear(12, 5, 2, x.ToArray().ToDoubles(), w.ToArray().ToDoubles(), null), y, 1e-6, 3e-6); // see GemmTests
    }

    [SkippableFact]
    public void Refuses_operands_that_do_not_fit()
    {
        IMatrixOps matrix = Backend.Matrix;
        Tensor x = Zeros(4, 3);
        Tensor w = Zeros(2, 3);
        Assert.Throws<ArgumentException>(() => matrix.Linear(new(x, Zeros(2, 4), null, Zeros(4, 2)))); // I
        Assert.Throws<ArgumentException>(() => matrix.Linear(new(x, Zeros(3, 3), null, Zeros(4, 2)))); // O
        Assert.Throws<ArgumentException>(() => matrix.Linear(new(x, w, Zeros(3), Zeros(4, 2)))); // bias
        Assert.Throws<ArgumentException>(() => matrix.Linear(new(x, w, null, Zeros(5, 2)))); // N
        Assert.Throws<ArgumentException>(() => matrix.LinearBackward(new(x, w, Zeros(4, 2), Zeros(4, 2), Zeros(2, 3), null))); // dx
        Assert.Throws<ArgumentException>(() => matrix.LinearBackward(new(x, w, Zeros(4, 2), null, Zeros(3, 2), null))); // dW
        Assert.Throws<InvalidOperationException>(() => matrix.Linear(new(x, Foreign(2, 3), null, Zeros(4, 2))));
        Assert.Throws<ObjectDisposedException>(() => matrix.Linear(new(Disposed(4, 3), w, null, Zeros(4, 2))));
    }
}
