namespace GpuSpectralRnn.Compute.Host;

/// <summary>Bidirectional attention flow for one sequence of a batch, whose rows lie B rows apart.</summary>
internal readonly unsafe struct Attention
{
    private readonly AttentionLayout layout;
    private readonly int steps, words, batch, width;
    private readonly float* context, question, weights, output, workspace; // [T, B, F], [J, B, F], [3 F], [T, B, 4 F]
    private readonly int* contextLengths, questionLengths; // [B], or null

    /// <summary>Going forward.</summary>
    public Attention(HostBackend backend, AttentionForward o, AttentionShape shape)
    {
        layout = new AttentionLayout(shape);
        (steps, words, batch, width) = (shape.ContextSteps, shape.QuestionSteps, shape.Batch, shape.Width);
        context = backend.Address(o.Context);
        question = backend.Address(o.Question);
        weights = backend.Address(o.Weights);
        output = backend.Address(o.Output);
        workspace = backend.Address(o.Workspace);
        contextLengths = o.ContextLengths is null ? null : backend.Address<int>(o.ContextLengths);
        questionLengths = o.QuestionLengths is null ? null : backend.Address<int>(o.QuestionLengths);
    }

    /// <summary>dL/dS summed over j [T B].</summary>
    public float* StepSums => workspace + layout.LargestGradient;

    /// <summary>dL/dS summed over t [J B].</summary>
    public float* WordSums => workspace + layout.ScoreSums;

    /// <summary>sum_t dL/dS_tj h_t [J B, F].</summary>
    public float* ContextSums => workspace + layout.ContextSums;

    /// <summary>Goes forward.</summary>
    public void Run(long sequence)
    {
        (long valid, long asked) = Valid(sequence);
        float* largest = workspace + layout.Largest + sequence, winners = workspace + layout.Winners + sequence;
        float* summary = workspace + layout.Summary + sequence * width;
        for (long t = 0; t < steps; t++)
        {
            long cell = t * batch + sequence;
            float* shares = workspace + AttentionLayout.Shares + cell * words;
            new Span<float>(shares, words).Clear();
            new Span<float>(output + cell * 4 * width, 4 * width).Clear();
            (largest[t * batch], winners[t * batch]) = t < valid && asked > 0 ? Share(cell, sequence, asked, shares) : (0, -1);
        }

        float* contextShares = workspace + layout.ContextShares + sequence;
        SoftmaxOverSteps.Run(largest, contextShares, steps, valid, batch);
        new Span<float>(summary, width).Clear();
        for (long t = 0; t < valid; t++)
            Elementwise.Run(new AddScaled(contextShares[t * batch], context + (t * batch + sequence) * width, summary), 0, width);
        for (long t = 0; t < valid; t++)
        {
            long cell = t * batch + sequence;
            Elementwise.Run(new AttentionRows.Output(context + cell * width, summary, output + cell * 4 * width, width), 0, width);
        }
    }

    /// <summary>Goes back, but for the weights.</summary>
    public void RunBackward(long sequence, float* outputGradient, float* contextGradient, float* questionGradient)
    {
        (long valid, long asked) = Valid(sequence);
        float* summary = workspace + layout.Summary + sequence * width, summaryGradient = workspace + layout.SummaryGradient + sequence * width;
        float* contextShares = workspace + layout.ContextShares + sequence, largest = workspace + layout.LargestGradient + sequence;
        new Span<float>(summaryGradient, width).Clear();
        for (long t = 0; t < valid; t++)
        {
            long cell = t * batch + sequence;
            float* h = context + cell * width, d = outputGradient + cell * 4 * width, gathered = contextGradient + cell * width;
            Elementwise.Run(new AttentionRows.ProductSum(d + 3 * width, h, summaryGradient, summaryGradient), 0, width);
            Elementwise.Run(new AttentionRows.ProductSum(d + 2 * width, h, d + width, gathered), 0, width);
        }

        for (long t = 0; t < valid; t++) largest[t * batch] = RowDot.Run(summaryGradient, context + (t * batch + sequence) * width, width);
        SoftmaxOverSteps.RunBackward(contextShares, largest, largest, steps, asked > 0 ? valid : 0, batch);
        for (long j = 0; j < words; j++)
        {
            long word = j * batch + sequence;
            new Span<float>(questionGradient + word * width, width).Clear();
            new Span<float>(workspace + layout.ContextSums + word * width, width).Clear();
            workspace[layout.ScoreSums + word] = 0;
        }

        for (long t = 0; t < steps; t++)
        {
            long cell = t * batch + sequence;
            float* gradient = contextGradient + cell * width;
            if (t < valid) ScoreGradients(cell, sequence, asked, largest[t * batch], gradient, questionGradient);
            else new Span<float>(gradient, width).Clear();
            if (t >= valid) continue;
            float* d = outputGradient + cell * 4 * width, g = output + cell * 4 * width;
            float share = contextShares[t * batch];
            Elementwise.Run(
                new AttentionRows.ContextGradient(weights, g, d, summary, summaryGradient, share, largest[t * batch], gradient, width), 0, width);
        }

        for (long j = 0; j < asked; j++)
        {
            long word = j * batch + sequence;
            float* sums = workspace + layout.ContextSums + word * width;
            float total = workspace[layout.ScoreSums + word];
            Elementwise.Run(new AttentionRows.QuestionGradient(weights, sums, total, questionGradient + word * width, width), 0, width);
        }
    }

    private (long Valid, long Asked) Valid(long sequence) => (
        contextLengths == null ? steps : contextLengths[sequence], questionLengths == null ? words : questionLengths[sequence]);

    // The scores of a step, their softmax, what it gathers; returns the largest score and its first place.
    private (float Largest, int Winner) Share(long cell, long sequence, long asked, float* shares)
    {
        float* h = context + cell * width, gathered = output + (cell * 4 + 1) * width;
        Elementwise.Run(new AttentionRows.ProductSum(weights + 2 * width, h, weights + width, gathered), 0, width); // v's place is free so far
        float own = RowDot.Run(weights, h, width);
        for (long j = 0; j < asked; j++) shares[j] = own + RowDot.Run(gathered, question + (j * batch + sequence) * width, width);
        float largest = SoftmaxRow.Largest(shares, (nint)asked);
        int winner = Math.Max(0, new ReadOnlySpan<float>(shares, (int)asked).IndexOf(largest));
        float factor = (float)(1 / SoftmaxRow.SumOfExponentials(shares, (nint)asked, largest, shares));
        new Span<float>(gathered, width).Clear();
        for (long j = 0; j < asked; j++)
        {
            shares[j] *= factor;
            Elementwise.Run(new AddScaled(shares[j], question + (j * batch + sequence) * width, gathered), 0, width);
        }

        return (largest, winner);
    }

    // dL/dS of a step and what it gives the question; leaves sum_j dL/dS_tj u_j in the place of dL/dv.
    private void ScoreGradients(long cell, long sequence, long asked, float largest, float* gathered, float* questionGradient)
    {
        float* shares = workspace + AttentionLayout.Shares + cell * words, scores = workspace + layout.ScoreGradient + cell * words;
        float* h = context + cell * width;
        float mean = RowDot.Run(gathered, output + (cell * 4 + 1) * width, width);
        int winner = (int)workspace[layout.Winners + cell];
        for (long j = 0; j < asked; j++)
        {
            long word = j * batch + sequence;
            scores[j] = shares[j] * (RowDot.Run(gathered, question + word * width, width) - mean) + (j == winner ? largest : 0);
            Elementwise.Run(new AddScaled(shares[j], gathered, questionGradient + word * width), 0, width);
            Elementwise.Run(new AddScaled(scores[j], h, workspace + layout.ContextSums + word * width), 0, width);
            workspace[layout.ScoreSums + word] += scores[j];
        }

        new Span<float>(gathered, width).Clear();
        for (long j = 0; j < asked; j++) Elementwise.Run(new AddScaled(scores[j], question + (j * batch + sequence) * width, gathered), 0, width);
    }
}
