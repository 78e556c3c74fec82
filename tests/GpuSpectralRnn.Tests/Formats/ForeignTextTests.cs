using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Tests.Formats;

public sealed class ForeignTextTests
{
    [Theory]
    [InlineData("plain é 中", "plain é 中")]
    [InlineData("\u001b[2J\a", @"\x1B[2J\x07")]
    [InlineData("a\nb\tc", @"a\x0Ab\x09c")]
    [InlineData("\u0085\u007f\u202eabc", @"\x85\x7F\u202Eabc")]
    public void Control_characters_are_escaped(string text, string shown) => Assert.Equal(shown, ForeignText.Show(text));

    [Fact]
    public void Lines_may_stay() => Assert.Equal("a\nb\\x1B", ForeignText.Escape("a\nb\u001b", keepsLines: true));

    [Fact]
    public void Long_text_is_cut() => Assert.Equal(83, ForeignText.Show(new string('x', 500)).Length);
}
