using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>The attention of contexts and questions to each other, and its backward by finite differences of its definition.</summary>
public abstract class AttentionTests(DeviceFixture device) : OperationTests(device)
{
    public static TheoryData<int, int, int, int> Extents => new()
    {
        { 1, 1, 1, 1 },
        { 1, 2, 3, 2 },
        { 2, 1, 2, 3 },
        { 3, 3, 1, 17 },
        { 5, 7, 4, 5 },
        { 17, 3, 2, 16 },
        { 7, 5, 3, 33 },
        { 31, 17, 3, 2 },
    };

    [SkippableTheory]
    [MemberData(nameof(Extents))]
    public void Forward_agrees_with_the_definition(int t, int j, int b, int f)
    {
        foreach (bool hasLengths in new[] { false, true })
        {
            Case data = new(t, j, b, f, hasLengths);
            (double[] output, double[] shares, double[] contextShares) = data.Reference();
            AttentionForward operands = Operands(data, hasLengths, isTraining: false);
            Backend.Attention.Forward(operands);
            Close.Equal(output, operands.Output, 1e-5, 2e-5, "G"); // shares err by the rounding of scores of size up to ten
            Close.Equal(shares, operands.Workspace.View(0, t, b, j), 1e-5, 2e-6, "a");
            Close.Equal(contextShares, operands.Workspace.View(t * b * j, t, b), 1e-5, 2e-6, "b");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Extents))]
    public void Backward_agrees_with_finite_differences(int t, int j, int b, int f)
    {
        foreach (bool hasLengths in new[] { false, true })
        {
            Case data = new(t, j, b, f, hasLengths);
            double[] slope = Numbers.Normal(t * b * 4 * f, 4).ToDoubles(), before = Numbers.Normal(3 * f, 5).ToDoubles();
            double[] Numeric(double[] of) => FiniteDifferences.Gradient(() => ReferenceMatrix.Dot(slope, data.Reference().Output), of);
            double[] toContext = Numeric(data.Context), toQuestion = Numeric(data.Question), toWeights = Numeric(data.Weights);

            AttentionForward forward = Operands(data, hasLengths, isTraining: true);
            Tensor d = Make([.. slope.Select((v, i) => i / (4 * f * b) < data.Valid[i / (4 * f) % b] ? v : double.NaN)], t, b, 4 * f);
            Tensor context = Garbage(t, b, f), question = Garbage(j, b, f), weights = Make(before, 3 * f);
            Backend.Attention.Forward(forward);
            Backend.Attention.Backward(new(forward, d, context, question, weights));

            double atol = 2e-5 + 2e-6 * t; // sums of t terms of size one and more
            Close.Equal(toContext, context, 3e-5, atol, "dh");
            Close.Equal(toQuestion, question, 3e-5, atol, "du");
            Close.Equal([.. toWeights.Zip(before, (v, w) => v + w)], weights, 3e-5, atol * b, "dw");

            float[] bits = context.ToArray();
            Backend.Attention.Backward(new(forward, d, context, question, weights));
            Assert.Equal(bits, context.ToArray());
        }
    }

    // By one derivative along a direction: too many numbers for one each. Enough of them for several threads.
    [SkippableFact]
    public void Backward_agrees_with_a_derivative_along_a_direction()
    {
        Case data = new(61, 13, 4, 37, hasLengths: true);
        AttentionShape s = data.Shape;
        double[] slope = Numbers.Normal(s.ContextSteps * s.Batch * 4 * s.Width, 4).ToDoubles();
        double[][] inputs = [data.Context, data.Question, data.Weights];
        double[][] direction = [.. inputs.Select((x, i) => Numbers.Normal(x.Length, 10 + i).ToDoubles())];
        double[] distance = [0];
        double At()
        {
            double[][] moved = [.. inputs.Select((x, i) => x.Zip(direction[i], (v, d) => v + distance[0] * d).ToArray())];
            return ReferenceMatrix.Dot(
                slope,
                ReferenceAttention.Attention(
                    s.ContextSteps, s.QuestionSteps, s.Batch, s.Width, moved[0], moved[1], moved[2], data.Valid, data.Asked).Output);
        }

        double numeric = FiniteDifferences.Gradient(At, distance)[0];
        Tensor[] gradients = [Garbage(s.ContextSteps, s.Batch, s.Width), Garbage(s.QuestionSteps, s.Batch, s.Width), Zeros(3 * s.Width)];
        AttentionForward forward = Operands(data, hasLengths: true, isTraining: true);
        Backend.Attention.Forward(forward);
        Backend.Attention.Backward(new(forward, Make(slope, s.ContextSteps, s.Batch, 4 * s.Width), gradients[0], gradients[1], gradients[2]));
        double[] terms = [.. gradients.SelectMany((gradient, i) => gradient.ToArray().Zip(direction[i], (g, d) => g * d))];
        double size = Math.Sqrt(terms.Sum(term => term * term)); // of the sum of as many terms with random signs
        Close.Equal(numeric, terms.Sum(), 0, 1e-5 * size, "derivative");
    }

    [SkippableFact]
    public void The_first_of_equal_scores_takes_the_gradient()
    {
        // Two words alike: only the first is the largest. h = 2, u = 1 twice, w = (0, 1, 0): the scores are u's.
        Tensor h = Make([2f, 3f], 2, 1, 1), u = Make([1f, 1f], 2, 1, 1), w = Make([0f, 0f, 1f], 3);
        AttentionForward forward = new(h, u, w, Garbage(2, 1, 4), Zeros(100));
        Tensor slope = Make([0f, 0, 0, 1, 0, 0, 0, 0], 2, 1, 4), du = Garbage(2, 1, 1);
        Backend.Attention.Forward(forward);
        Backend.Attention.Backward(new(forward, slope, Garbage(2, 1, 1), du, Zeros(3)));

        // c = sum b_t h_t and dL/dc = 2; dL/dm_t = 2 b_t (h_t - c), dS_t1/du = h_t: sum_t 2 b_t h_t (h_t - c) = 2 Var(h) = 2 b_1 b_2
        double share = 1 / (1 + Math.E);
        Close.Equal([2 * share * (1 - share), 0], du, 1e-5, 1e-6);
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        IAttentionOps attention = Backend.Attention;
        AttentionForward right = new(Zeros(3, 2, 5), Zeros(4, 2, 5), Zeros(15), Zeros(3, 2, 20), Zeros(500));
        attention.Forward(right);
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Context = Zeros(6, 5) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Context = Zeros(3, 3, 5) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Question = Zeros(4, 2, 6) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Question = Zeros(0, 2, 5) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Weights = Zeros(14) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Output = Zeros(3, 2, 15) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { ContextLengths = MakeIntegers(1, 2, 3) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { QuestionLengths = MakeIntegers(1) }));
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Context = right.Output.View(0, 3, 2, 5) }));
        Assert.Throws<InvalidOperationException>(() => attention.Forward(right with { Question = Foreign(4, 2, 5) }));
        Assert.Throws<ObjectDisposedException>(() => attention.Forward(right with { Output = Disposed(3, 2, 20) }));
        long least = new AttentionShape(3, 4, 2, 5).WorkspaceFor(isTraining: false), most = new AttentionShape(3, 4, 2, 5).WorkspaceFor(isTraining: true);
        Assert.Equal((3 * 2 * 7) + 10, least);
        Assert.Equal(least + (3 * 2 * 6) + 10 + (4 * 2 * 6), most);
        Assert.Throws<ArgumentException>(() => attention.Forward(right with { Workspace = Zeros((int)least - 1) }));

        AttentionBackward back = new(right, Zeros(3, 2, 20), Zeros(3, 2, 5), Zeros(4, 2, 5), Zeros(15));
        attention.Backward(back);
        Assert.Throws<ArgumentException>(() => attention.Backward(back with { Forward = right with { Workspace = Zeros((int)most - 1) } }));
        Assert.Throws<ArgumentException>(() => attention.Backward(back with { OutputGradient = Zeros(3, 2, 5) }));
        Assert.Throws<ArgumentException>(() => attention.Backward(back with { ContextGradient = right.Context }));
        Assert.Throws<ArgumentException>(() => attention.Backward(back with { WeightGradient = Zeros(5) }));
        Assert.Throws<ArgumentNullException>(() => attention.Backward(back with { QuestionGradient = null! }));
    }

    private AttentionForward Operands(Case data, bool hasLengths, bool isTraining)
    {
        AttentionShape shape = data.Shape;
        Tensor workspace = Garbage((int)shape.WorkspaceFor(isTraining));
        return new(
            Make(data.Context, shape.ContextSteps, shape.Batch, shape.Width),
            Make(data.Question, shape.QuestionSteps, shape.Batch, shape.Width),
            Make(data.Weights, 3 * shape.Width),
            Garbage(shape.ContextSteps, shape.Batch, 4 * shape.Width),
            workspace,
            hasLengths ? MakeIntegers(data.Valid) : null,
            hasLengths ? MakeIntegers(data.Asked) : null);
    }

    private sealed class Case(int t, int j, int b, int f, bool hasLengths)
    {
        public AttentionShape Shape { get; } = new(t, j, b, f);

        public double[] Context { get; } = Numbers.Normal(t * b * f, 1).ToDoubles();

        public double[] Question { get; } = Numbers.Normal(j * b * f, 2).ToDoubles();

        public double[] Weights { get; } = Numbers.Normal(3 * f, 3, scale: 1 / Math.Sqrt(f)).ToDoubles();

        // One sequence without a context and another without a question, where there are so many.
        public int[] Valid { get; } = [.. Enumerable.Range(0, b).Select(row => !hasLengths ? t : row == 1 ? 0 : 1 + (row * 5 + t - 1) % t)];

        public int[] Asked { get; } = [.. Enumerable.Range(0, b).Select(row => !hasLengths ? j : row == 2 ? 0 : 1 + (row * 3 + j - 1) % j)];

        public (double[] Output, double[] Shares, double[] ContextShares) Reference() =>
            ReferenceAttention.Attention(t, j, b, f, Context, Question, Weights, Valid, Asked);
    }
}
