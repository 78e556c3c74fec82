using ILGPU;
using ILGPU.Runtime;

namespace GpuSpectralRnn.Kernels;

/// <summary>What the kernels of the attention read and write going forward.</summary>
public struct AttentionTensors
{
    /// <summary>h [T, B, F].</summary>
    public ArrayView<float> Context;

    /// <summary>u [J, B, F].</summary>
    public ArrayView<float> Question;

    /// <summary>w_h, w_u, w_hu: [3 F].</summary>
    public ArrayView<float> Weights;

    /// <summary>G = [h ; v ; h * v ; h * c], [T, B, 4 F].</summary>
    public ArrayView<float> Output;

    /// <summary>The scores S, then their softmax a over j, [T, B, J]; zero beyond the lengths.</summary>
    public ArrayView<float> Shares;

    /// <summary>b, the softmax over t of the largest scores, [T, B].</summary>
    public ArrayView<float> ContextShares;

    /// <summary>The largest score over j, [T, B].</summary>
    public ArrayView<float> Largest;

    /// <summary>Its first place, [T, B]; -1 of no question.</summary>
    public ArrayView<float> Winners;

    /// <summary>c = sum_t b_t h_t, [B, F].</summary>
    public ArrayView<float> Summary;

    /// <summary>T, B and the lengths of the contexts.</summary>
    public StepLengths ContextSteps;

    /// <summary>J, B and the lengths of the questions.</summary>
    public StepLengths QuestionSteps;

    /// <summary>F.</summary>
    public int Width;

    /// <summary>Whether a step t, b of a context, cell = t B + b, is a valid one.</summary>
    public readonly bool HasCell(int cell) => cell / ContextSteps.Batch < ContextSteps.Of(cell % ContextSteps.Batch);

    /// <summary>Whether a word j, b of a question, cell = j B + b, is a valid one.</summary>
    public readonly bool HasWord(int cell) => cell / QuestionSteps.Batch < QuestionSteps.Of(cell % QuestionSteps.Batch);
}

/// <summary>What the kernels of the attention read and write going back, beside <see cref="AttentionTensors"/>.</summary>
public struct AttentionGradients
{
    /// <summary>dL/dG [T, B, 4 F].</summary>
    public ArrayView<float> Output;

    /// <summary>dL/dv, then dL/dh [T, B, F].</summary>
    public ArrayView<float> Context;

    /// <summary>dL/du [J, B, F].</summary>
    public ArrayView<float> Question;

    /// <summary>dL/dS [T, B, J]; zero beyond the lengths.</summary>
    public ArrayView<float> Scores;

    /// <summary>dL/db, then the gradient of the largest scores, [T, B]; zero beyond the lengths.</summary>
    public ArrayView<float> Largest;

    /// <summary>dL/dv . v [T, B], which is sum_j a_tj dL/da_tj.</summary>
    public ArrayView<float> Means;

    /// <summary>dL/dc [B, F].</summary>
    public ArrayView<float> Summary;

    /// <summary>sum_t dL/dS_tj h_t [J, B, F].</summary>
    public ArrayView<float> ContextSums;

    /// <summary>sum_t dL/dS_tj [J, B].</summary>
    public ArrayView<float> ScoreSums;
}

/// <summary>
/// Bidirectional attention flow between contexts and questions: scores, their two softmaxes, and what they gather. Every sum is one thread's, in the
/// order of its index.
/// </summary>
public sealed class Attention(KernelLoader loader, SoftmaxOverSteps softmax, ColumnSums sums, ColumnDots dots)
{
    private readonly Launcher<Scores> scores = loader.Elements<Scores>();
    private readonly Launcher<Shares> shares = loader.Elements<Shares>();
    private readonly Launcher<Summary> summary = loader.Elements<Summary>();
    private readonly Launcher<Output> output = loader.Elements<Output>();
    private readonly Launcher<SummaryGradient> summaryGradient = loader.Elements<SummaryGradient>();
    private readonly Launcher<GatheredGradient> gatheredGradient = loader.Elements<GatheredGradient>();
    private readonly Launcher<CellSums> cellSums = loader.Elements<CellSums>();
    private readonly Launcher<ScoreGradient> scoreGradient = loader.Elements<ScoreGradient>();
    private readonly Launcher<QuestionGradient> questionGradient = loader.Elements<QuestionGradient>();
    private readonly Launcher<ContextGradient> contextGradient = loader.Elements<ContextGradient>();

    /// <summary>Goes forward.</summary>
    public void Run(AcceleratorStream stream, in AttentionTensors a)
    {
        int cells = a.ContextSteps.Steps * a.ContextSteps.Batch;
        scores(stream, cells * a.QuestionSteps.Steps, new(a));
        shares(stream, cells, new(a));
        softmax.Run(stream, a.Largest, a.ContextShares, a.ContextSteps);
        summary(stream, a.ContextSteps.Batch * a.Width, new(a));
        output(stream, cells * a.Width, new(a));
    }

    /// <summary>Goes back; the gradient of the weights [3 F] is added to what is there.</summary>
    public void RunBackward(AcceleratorStream stream, in AttentionTensors a, in AttentionGradients g, ArrayView<float> weightGradient)
    {
        int width = a.Width;
        int cells = a.ContextSteps.Steps * a.ContextSteps.Batch, words = a.QuestionSteps.Steps * a.QuestionSteps.Batch;
        summaryGradient(stream, a.ContextSteps.Batch * width, new(a, g));
        gatheredGradient(stream, cells * width, new(a, g));
        cellSums(stream, cells, new(a, g));
        softmax.RunBackward(stream, a.ContextShares, g.Largest, g.Largest, a.ContextSteps);
        scoreGradient(stream, cells * a.QuestionSteps.Steps, new(a, g));
        questionGradient(stream, words * width, new(a, g));
        contextGradient(stream, cells * width, new(a, g));
        sums.RunWeighted(stream, new() { X = a.Context, Sums = weightGradient.SubView(0, width), Rows = cells, Columns = width, Alpha = 1, Beta = 1 }, g.Largest);
        sums.RunWeighted(stream, new() { X = a.Question, Sums = weightGradient.SubView(width, width), Rows = words, Columns = width, Alpha = 1, Beta = 1 }, g.ScoreSums);
        dots.Run(stream, a.Question, g.ContextSums, weightGradient.SubView(2 * width, width), words, 0, width, width);
    }

    /// <summary>S_tj = w_h . h_t + w_u . u_j + w_hu . (h_t * u_j); elements T B J.</summary>
    internal readonly struct Scores(AttentionTensors a) : IElementKernel
    {
        public void Run(int element)
        {
            int cell = element / a.QuestionSteps.Steps;
            int word = (element - cell * a.QuestionSteps.Steps) * a.QuestionSteps.Batch + cell % a.QuestionSteps.Batch;
            float sum = 0f;
            if (a.HasCell(cell) && a.HasWord(word))
            {
                int width = a.Width;
                for (int f = 0; f < width; f++)
                {
                    float h = a.Context[cell * width + f];
                    float u = a.Question[word * width + f];
                    sum += (a.Weights[2 * width + f] * h + a.Weights[width + f]) * u + a.Weights[f] * h;
                }
            }

            a.Shares[element] = sum;
        }
    }

    /// <summary>The softmax of a step's scores over the question, in place, the largest and its place; elements T B.</summary>
    internal readonly struct Shares(AttentionTensors a) : IElementKernel
    {
        public void Run(int element)
        {
            int first = element * a.QuestionSteps.Steps;
            int count = 0;
            if (a.HasCell(element)) count = a.QuestionSteps.Of(element % a.QuestionSteps.Batch);
            int winner = -1;
            float largest = 0f;
            for (int j = 0; j < count; j++)
            {
                float score = a.Shares[first + j];
                if (winner >= 0 && !(score > largest)) continue;
                winner = j;
                largest = score;
            }

            float sum = 0f;
            for (int j = 0; j < count; j++)
            {
                float term = Elementary.Exp(a.Shares[first + j] - largest);
                a.Shares[first + j] = term;
                sum += term;
            }

            for (int j = 0; j < count; j++) a.Shares[first + j] /= sum;
            a.Largest[element] = largest;
            a.Winners[element] = winner;
        }
    }

    /// <summary>c = sum_t b_t h_t; elements B F.</summary>
    internal readonly struct Summary(AttentionTensors a) : IElementKernel
    {
        public void Run(int element)
        {
            int sequence = element / a.Width;
            int steps = a.ContextSteps.Of(sequence);
            int batch = a.ContextSteps.Batch;
            float sum = 0f;
            for (int t = 0; t < steps; t++) sum += a.ContextShares[t * batch + sequence] * a.Context[t * batch * a.Width + element];
            a.Summary[element] = sum;
        }
    }

    /// <summary>G_t = [h ; v ; h * v ; h * c] with v_t = sum_j a_tj u_j; elements T B F.</summary>
    internal readonly struct Output(AttentionTensors a) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            int cell = element / width;
            int column = element - cell * width;
            int sequence = cell % a.ContextSteps.Batch;
            float h = 0f;
            float v = 0f;
            if (a.HasCell(cell))
            {
                h = a.Context[element];
                int first = cell * a.QuestionSteps.Steps;
                int count = a.QuestionSteps.Of(sequence);
                for (int j = 0; j < count; j++) v += a.Shares[first + j] * a.Question[(j * a.QuestionSteps.Batch + sequence) * width + column];
            }

            int place = cell * 4 * width + column;
            a.Output[place] = h;
            a.Output[place + width] = v;
            a.Output[place + 2 * width] = h * v;
            a.Output[place + 3 * width] = h * a.Summary[sequence * width + column];
        }
    }

    /// <summary>dL/dc = sum_t g4_t * h_t, where dL/dG = [g1 ; g2 ; g3 ; g4]; elements B F.</summary>
    internal readonly struct SummaryGradient(AttentionTensors a, AttentionGradients g) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            int sequence = element / width;
            int column = element - sequence * width;
            int steps = a.ContextSteps.Of(sequence);
            float sum = 0f;
            for (int t = 0; t < steps; t++)
            {
                int cell = t * a.ContextSteps.Batch + sequence;
                sum += g.Output[(cell * 4 + 3) * width + column] * a.Context[cell * width + column];
            }

            g.Summary[element] = sum;
        }
    }

    /// <summary>dL/dv = g2 + g3 * h, in the place of dL/dh; elements T B F.</summary>
    internal readonly struct GatheredGradient(AttentionTensors a, AttentionGradients g) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            int cell = element / width;
            int place = cell * 3 * width + element + width;
            float gradient = 0f;
            if (a.HasCell(cell)) gradient = g.Output[place] + g.Output[place + width] * a.Context[element];
            g.Context[element] = gradient;
        }
    }

    /// <summary>dL/db = dL/dc . h and dL/dv . v; elements T B.</summary>
    internal readonly struct CellSums(AttentionTensors a, AttentionGradients g) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            float share = 0f;
            float mean = 0f;
            if (a.HasCell(element))
            {
                int sequence = element % a.ContextSteps.Batch;
                for (int f = 0; f < width; f++)
                {
                    share += g.Summary[sequence * width + f] * a.Context[element * width + f];
                    mean += g.Context[element * width + f] * a.Output[(element * 4 + 1) * width + f];
                }
            }

            g.Largest[element] = share;
            g.Means[element] = mean;
        }
    }

    /// <summary>
    /// dL/dS_tj = a_tj (dL/dv_t . u_j - dL/dv_t . v_t), and the gradient of the largest where it is; no question takes none. Elements T B J.
    /// </summary>
    internal readonly struct ScoreGradient(AttentionTensors a, AttentionGradients g) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            int cell = element / a.QuestionSteps.Steps;
            int j = element - cell * a.QuestionSteps.Steps;
            int word = j * a.QuestionSteps.Batch + cell % a.QuestionSteps.Batch;
            float gradient = 0f;
            if (a.HasCell(cell) && a.HasWord(word))
            {
                float share = 0f;
                for (int f = 0; f < width; f++) share += g.Context[cell * width + f] * a.Question[word * width + f];
                gradient = a.Shares[element] * (share - g.Means[cell]);
                if ((int)a.Winners[cell] == j) gradient += g.Largest[cell];
            }
            else if (j == 0 && a.Winners[cell] < 0f)
            {
                g.Largest[cell] = 0f; // read by nobody else here
            }

            g.Scores[element] = gradient;
        }
    }

    /// <summary>dL/du_j = sum_t a_tj dL/dv_t + w_hu * sum_t dL/dS_tj h_t + w_u sum_t dL/dS_tj, and the sums for the weights; elements J B F.</summary>
    internal readonly struct QuestionGradient(AttentionTensors a, AttentionGradients g) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            int word = element / width;
            int column = element - word * width;
            int sequence = word % a.QuestionSteps.Batch;
            int steps = 0;
            if (a.HasWord(word)) steps = a.ContextSteps.Of(sequence);
            float gathered = 0f;
            float contexts = 0f;
            float total = 0f;
            for (int t = 0; t < steps; t++)
            {
                int cell = t * a.ContextSteps.Batch + sequence;
                int pair = cell * a.QuestionSteps.Steps + word / a.QuestionSteps.Batch;
                float score = g.Scores[pair];
                gathered += a.Shares[pair] * g.Context[cell * width + column];
                contexts += score * a.Context[cell * width + column];
                total += score;
            }

            g.Question[element] = gathered + a.Weights[2 * width + column] * contexts + a.Weights[width + column] * total;
            g.ContextSums[element] = contexts;
            if (column == 0) g.ScoreSums[word] = total;
        }
    }

    /// <summary>
    /// dL/dh_t = g1 + g3 * v + g4 * c + b_t dL/dc + w_h sum_j dL/dS_tj + w_hu * sum_j dL/dS_tj u_j; the softmax over j has no sum of its own. Elements
    /// T B F.
    /// </summary>
    internal readonly struct ContextGradient(AttentionTensors a, AttentionGradients g) : IElementKernel
    {
        public void Run(int element)
        {
            int width = a.Width;
            int cell = element / width;
            int column = element - cell * width;
            int sequence = cell % a.ContextSteps.Batch;
            float gradient = 0f;
            if (a.HasCell(cell))
            {
                int first = cell * a.QuestionSteps.Steps;
                int count = a.QuestionSteps.Of(sequence);
                float questions = 0f;
                for (int j = 0; j < count; j++) questions += g.Scores[first + j] * a.Question[(j * a.QuestionSteps.Batch + sequence) * width + column];
                int place = cell * 4 * width + column;
                int own = sequence * width + column;
                gradient = g.Output[place] + g.Output[place + 2 * width] * a.Output[place + width] + g.Output[place + 3 * width] * a.Summary[own]
                    + a.ContextShares[cell] * g.Summary[own] + g.Largest[cell] * a.Weights[column] + a.Weights[2 * width + column] * questions;
            }

            g.Context[element] = gradient;
        }
    }
}
