namespace GpuSpectralRnn.Compute.Host;

/// <summary>Bidirectional attention flow for one sequence of a batch, whose rows lie B rows apart.</summary>
internal readonly unsafe struct Attention
{
    private const long BlockSteps = 16; // rows that stay at hand while the words take their sums from them

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
        weights = backend.Read(o.Weights);
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
        Clear(summary);
        for (long t = 0; t < valid; t += BlockSteps)
        {
            float* first = context + (t * batch + sequence) * width;
            AddRows(first, contextShares + t * batch, batch, Math.Min(BlockSteps, valid - t), summary);
        }

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
        Clear(summaryGradient);
        for (long t = 0; t < valid; t++)
        {
            long cell = t * batch + sequence;
            float* h = context + cell * width, d = outputGradient + cell * 4 * width, gathered = contextGradient + cell * width;
            Elementwise.Run(new AttentionRows.ProductSum(d + 3 * width, h, summaryGradient, summaryGradient), 0, width);
            Elementwise.Run(new AttentionRows.ProductSum(d + 2 * width, h, d + width, gathered), 0, width);
        }

        for (long t = 0; t < valid; t++) largest[t * batch] = RowDot.Run(summaryGradient, context + (t * batch + sequence) * width, width);
        SoftmaxOverSteps.RunBackward(contextShares, largest, largest, steps, asked > 0 ? valid : 0, batch);
        for (long t = 0; t < valid; t++) ScoreGradients(t * batch + sequence, sequence, asked, largest[t * batch], contextGradient);
        QuestionGradients(sequence, valid, asked, contextGradient, questionGradient);
        for (long t = 0; t < steps; t++)
        {
            long cell = t * batch + sequence;
            float* gradient = contextGradient + cell * width;
            float* scores = workspace + layout.ScoreGradient + cell * words;
            float share = contextShares[t * batch], top = largest[t * batch];
            Clear(gradient);
            if (t >= valid) continue;
            AddRows(question + sequence * width, scores, 1, asked, gradient);
            float* d = outputGradient + cell * 4 * width, g = output + cell * 4 * width;
            Elementwise.Run(new AttentionRows.ContextGradient(weights, g, d, summary, summaryGradient, share, top, gradient, width), 0, width);
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
        for (long j = 0; j < asked; j++) shares[j] *= factor;
        Clear(gathered);
        AddRows(question + sequence * width, shares, 1, asked, gathered);
        return (largest, winner);
    }

    // dL/dS of a step, from dL/dv in the place of dL/dh.
    private void ScoreGradients(long cell, long sequence, long asked, float largest, float* contextGradient)
    {
        float* shares = workspace + AttentionLayout.Shares + cell * words, scores = workspace + layout.ScoreGradient + cell * words;
        float* gathered = contextGradient + cell * width;
        float mean = RowDot.Run(gathered, output + (cell * 4 + 1) * width, width);
        int winner = (int)workspace[layout.Winners + cell];
        for (long j = 0; j < asked; j++)
            scores[j] = shares[j] * (RowDot.Run(gathered, question + (j * batch + sequence) * width, width) - mean) + (j == winner ? largest : 0);
    }

    // What all steps give the words of the question, and the sums that the weights take from them.
    private void QuestionGradients(long sequence, long valid, long asked, float* contextGradient, float* questionGradient)
    {
        for (long j = 0; j < words; j++)
        {
            long word = j * batch + sequence;
            Clear(questionGradient + word * width);
            Clear(ContextSums + word * width);
            WordSums[word] = 0;
        }

        long apart = (long)batch * words;
        for (long t = 0; t < valid; t += BlockSteps)
        {
            long count = Math.Min(BlockSteps, valid - t), cell = t * batch + sequence;
            for (long j = 0; j < asked; j++)
            {
                long word = j * batch + sequence;
                float* shares = workspace + AttentionLayout.Shares + cell * words + j, scores = workspace + layout.ScoreGradient + cell * words + j;
                AddRows(contextGradient + cell * width, shares, apart, count, questionGradient + word * width);
                AddRows(context + cell * width, scores, apart, count, ContextSums + word * width);
                for (long i = 0; i < count; i++) WordSums[word] += scores[i * apart];
            }
        }

        for (long j = 0; j < asked; j++)
        {
            long word = j * batch + sequence;
            float* sums = ContextSums + word * width, gradient = questionGradient + word * width;
            Elementwise.Run(new AttentionRows.QuestionGradient(weights, sums, WordSums[word], gradient, width), 0, width);
        }
    }

    // y += sum_i w_i x_i over rows of one sequence, the weights so many numbers apart.
    private void AddRows(float* x, float* w, long apart, long rows, float* y) =>
        Elementwise.Run(new AttentionRows.WeightedSum(x, (long)batch * width, w, apart, rows, y), 0, width);

    private void Clear(float* row) => new Span<float>(row, width).Clear();
}
