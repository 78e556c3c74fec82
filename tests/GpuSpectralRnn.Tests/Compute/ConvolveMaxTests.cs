using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Tests.Support;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute;

/// <summary>Filters over the characters of words with the maximum over each word, and the backward by finite differences of the definition.</summary>
public abstract class ConvolveMaxTests(DeviceFixture device) : OperationTests(device)
{
    // Characters of a word at most, words, numbers of a character, filters, characters of a filter.
    public static TheoryData<int, int, int, int, int> Extents => new()
    {
        { 1, 1, 1, 1, 1 },
        { 2, 3, 1, 2, 3 },
        { 3, 2, 3, 15, 2 },
        { 4, 7, 2, 16, 5 },
        { 5, 3, 3, 17, 1 },
        { 9, 5, 4, 3, 5 },
        { 13, 11, 5, 7, 4 },
    };

    [SkippableTheory]
    [MemberData(nameof(Extents))]
    public void Forward_agrees_with_the_definition(int w, int n, int e, int f, int k)
    {
        Case data = new(w, n, e, f, k);
        (double[] y, int[] places) = data.Reference();
        ConvolveMaxForward operands = Operands(data);
        Backend.Character.ConvolveMax(operands);
        Close.Equal(y, operands.Output, 1e-6, 5e-6, "y"); // sums of up to 20 terms of size one
        Assert.Equal(places, operands.Places.ToArray<int>());
    }

    [SkippableTheory]
    [MemberData(nameof(Extents))]
    public void Backward_agrees_with_finite_differences(int w, int n, int e, int f, int k)
    {
        Case data = new(w, n, e, f, k);
        double[] slope = Numbers.Normal(n * f, 5).ToDoubles();
        double[] before = Numbers.Normal(f * k * e, 6).ToDoubles(), beforeBias = Numbers.Normal(f, 7).ToDoubles();
        double[] Numeric(double[] of) => FiniteDifferences.Gradient(() => ReferenceMatrix.Dot(slope, data.Reference().Output), of);
        double[] toCharacters = Numeric(data.Characters), toFilters = Numeric(data.Filters), toBias = Numeric(data.Bias);

        ConvolveMaxForward forward = Operands(data);
        Tensor characters = Garbage(w, n, e), filters = Make(before, f, k * e), bias = Make(beforeBias, f), d = Make(slope, n, f);
        Backend.Character.ConvolveMax(forward);
        Backend.Character.ConvolveMaxBackward(new(forward, d, characters, filters, bias));
        double atol = 3e-6 + 5e-7 * (n + f); // sums of n or f terms of size one
        Close.Equal(toCharacters, characters, 1e-6, atol, "dx");
        Close.Equal([.. toFilters.Zip(before, (v, u) => v + u)], filters, 1e-6, atol, "filters");
        Close.Equal([.. toBias.Zip(beforeBias, (v, u) => v + u)], bias, 1e-6, atol, "bias");

        Tensor again = Make(before, f, k * e), biasAgain = Make(beforeBias, f);
        Backend.Character.ConvolveMaxBackward(new(forward, d, null, again, biasAgain));
        Assert.Equal(filters.ToArray(), again.ToArray());
        Assert.Equal(bias.ToArray(), biasAgain.ToArray());
    }

    // By its definition given the places: so many words that their sums are cut and several threads are at work.
    [SkippableFact]
    public void Gradients_of_many_words_add_up()
    {
        Case data = new(6, 1031, 3, 19, 2);
        ConvolveMaxForward forward = Operands(data);
        Tensor d = Random(5, 1031, 19), characters = Garbage(6, 1031, 3), filters = Zeros(19, 6), bias = Zeros(19);
        Backend.Character.ConvolveMax(forward);
        Backend.Character.ConvolveMaxBackward(new(forward, d, characters, filters, bias));
        (double[] y, _) = data.Reference();
        Close.Equal(y, forward.Output, 1e-6, 5e-6, "y");

        int[] places = forward.Places.ToArray<int>();
        double[] slope = d.ToArray().ToDoubles(), toCharacters = new double[6 * 1031 * 3], toFilters = new double[19 * 6], toBias = new double[19];
        for (int i = 0; i < places.Length; i++)
        {
            (int n, int f) = (i / 19, i % 19);
            if (places[i] < 0) continue;
            toBias[f] += slope[i];
            for (int j = 0; j < 6 && places[i] + j / 3 < data.Lengths[n]; j++)
            {
                int at = ((places[i] + j / 3) * 1031 + n) * 3 + j % 3;
                toFilters[f * 6 + j] += slope[i] * data.Characters[at];
                toCharacters[at] += slope[i] * data.Filters[f * 6 + j];
            }
        }

        Close.Equal(toCharacters, characters, 1e-6, 1e-5, "dx"); // sums of 19 terms
        Close.Equal(toFilters, filters, 1e-6, 3e-4, "filters"); // of 1031 terms
        Close.Equal(toBias, bias, 1e-6, 3e-4, "bias");
    }

    [SkippableFact]
    public void The_first_of_equal_places_is_kept()
    {
        Tensor x = Make([1f, 2, 0, 2, 2, 2, 1], 7, 1, 1), places = MakeIntegers(9, 9), y = Garbage(1, 2);
        Backend.Character.ConvolveMax(new(x, Make([1f, 0], 2, 1), Zeros(2), MakeIntegers(7), y, places.Reshape(1, 2)));
        Assert.Equal([2f, 0], y.ToArray());
        Assert.Equal([1, 0], places.ToArray<int>());
    }

    [SkippableFact]
    public void Refuse_operands_that_do_not_fit()
    {
        ICharacterOps character = Backend.Character;
        Tensor Places(int n, int f) => MakeIntegers(new int[n * f]).Reshape(n, f);
        ConvolveMaxForward right = new(Zeros(4, 2, 3), Zeros(5, 6), Zeros(5), MakeIntegers(4, 0), Zeros(2, 5), Places(2, 5));
        character.ConvolveMax(right);
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Characters = Zeros(8, 3) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Characters = Zeros(4, 3, 3) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Filters = Zeros(5, 7) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Bias = Zeros(4) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Lengths = MakeIntegers(1) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Lengths = Zeros(2) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Output = Zeros(5, 2) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Places = Zeros(2, 5) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Places = Places(5, 2) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMax(right with { Output = right.Characters.View(0, 2, 5) }));
        Assert.Throws<InvalidOperationException>(() => character.ConvolveMax(right with { Bias = Foreign(5) }));
        Assert.Throws<ObjectDisposedException>(() => character.ConvolveMax(right with { Bias = Disposed(5) }));

        ConvolveMaxBackward back = new(right, Zeros(2, 5), Zeros(4, 2, 3), Zeros(5, 6), Zeros(5));
        character.ConvolveMaxBackward(back);
        Assert.Throws<ArgumentException>(() => character.ConvolveMaxBackward(back with { OutputGradient = Zeros(5, 2) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMaxBackward(back with { CharacterGradient = right.Characters }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMaxBackward(back with { FilterGradient = Zeros(6, 5) }));
        Assert.Throws<ArgumentException>(() => character.ConvolveMaxBackward(back with { BiasGradient = back.FilterGradient.View(0, 5) }));
    }

    private ConvolveMaxForward Operands(Case data)
    {
        (int w, int n, int e, int f, int k) = data.Extents;
        float[] characters = [.. data.Characters.Select((v, i) => i / (n * e) < data.Lengths[i / e % n] ? (float)v : float.NaN)];
        Tensor places = MakeIntegers(Numbers.Integers(n * f, 9, -7, 7)).Reshape(n, f);
        return new(Make(characters, w, n, e), Make(data.Filters, f, k * e), Make(data.Bias, f), MakeIntegers(data.Lengths), Garbage(n, f), places);
    }

    private sealed class Case(int w, int n, int e, int f, int k)
    {
        public (int W, int N, int E, int F, int K) Extents => (w, n, e, f, k);

        public double[] Characters { get; } = Numbers.Normal(w * n * e, 1).ToDoubles();

        public double[] Filters { get; } = Numbers.Normal(f * k * e, 2).ToDoubles();

        public double[] Bias { get; } = Numbers.Normal(f, 3).ToDoubles();

        public int[] Lengths { get; } = [.. Enumerable.Range(0, n).Select(word => word == 1 ? 0 : 1 + (word * 5 + w - 1) % w)];

        public (double[] Output, int[] Places) Reference()
        {
            double[] y = new double[n * f];
            int[] places = new int[n * f];
            for (int i = 0; i < y.Length; i++)
            {
                (int word, int filter) = (i / f, i % f);
                places[i] = -1;
                for (int p = 0; p < Lengths[word]; p++)
                {
                    double sum = Bias[filter];
                    for (int j = 0; j < k * e && p + j / e < Lengths[word]; j++)
                        sum += Filters[filter * k * e + j] * Characters[((p + j / e) * n + word) * e + j % e];
                    if (p > 0 && sum <= y[i]) continue;
                    (y[i], places[i]) = (sum, p);
                }
            }

            return (y, places);
        }
    }
}
