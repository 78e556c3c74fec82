using System.Text.RegularExpressions;

namespace GpuSpectralRnn.Tests.Extending;

/// <summary>The code of docs/extending.md is that of the files beside this one, which are compiled and run; the files that it names are there.</summary>
public partial class RecipeTests
{
    private const string Document = "extending.md";

    [Fact]
    public void Every_block_of_code_stands_in_a_compiled_file()
    {
        string[] sources = [.. Names.Where(name => name.EndsWith(".cs", StringComparison.Ordinal)).Select(name => Trimmed(Read(name)))];
        string[] blocks = [.. Block().Matches(Read(Document)).Select(match => Trimmed(match.Groups[1].Value))];

        Assert.True(blocks.Length >= 6, $"{blocks.Length} blocks");
        Assert.All(blocks, block => Assert.True(sources.Any(source => source.Contains(block)), block));
    }

    [SkippableFact]
    public void Every_file_that_is_named_exists_or_is_one_to_be_made()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "GpuSpectralRnn.sln"))) root = root.Parent;
        Skip.If(root is null, "The tests run outside the repository.");
        string[] named = [.. Named().Matches(Read(Document)).Select(match => match.Groups[1].Value)];

        Assert.NotEmpty(named);
        Assert.All(named, path => Assert.True(File.Exists(Path.Combine(root.FullName, path)), path));
    }

    private static string[] Names => typeof(RecipeTests).Assembly.GetManifestResourceNames();

    private static string Read(string name)
    {
        using StreamReader reader = new(typeof(RecipeTests).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    // However deep a block is indented.
    private static string Trimmed(string text) => string.Join('\n', text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    // Files to be made are written with "new" before them.
    [GeneratedRegex(@"(?<!new\s)`((?:src|kernels|tests|docs)/[\w./-]+\.\w+)`")]
    private static partial Regex Named();
}
