using Mono.Cecil;

namespace GpuSpectralRnn.Kernels.Tests.IlgpuPackage;

/// <summary>What the stand-in offers, the packages ILGPU and ILGPU.Algorithms offer too, under the same signatures.</summary>
public class StandInSignatureTests
{
    [SkippableFact]
    public void Every_public_member_of_the_stand_in_is_a_member_of_the_package()
    {
        string folder = AppContext.BaseDirectory;
        Skip.IfNot(File.Exists(Path.Combine(folder, "ILGPU.dll")), "the package ILGPU is not here: nothing to compare the stand-in with");
        using ModuleDefinition standIn = Read(Path.Combine(folder, "stand-in", "ILGPU.StandIn.dll"));
        using ModuleDefinition ilgpu = Read(Path.Combine(folder, "ILGPU.dll"));
        using ModuleDefinition algorithms = Read(Path.Combine(folder, "ILGPU.Algorithms.dll"));

        string[] differences = [.. PublicSurface.Differences(standIn, ilgpu, algorithms)];

        Assert.True(differences.Length == 0, string.Join(Environment.NewLine, differences));
    }

    [Fact]
    public void The_comparison_sees_what_is_missing_and_what_is_different()
    {
        using ModuleDefinition module = Read(typeof(StandInSignatureTests).Assembly.Location);
        TypeDefinition copies = module.GetType(typeof(Copy).FullName!.Replace('+', '/'));
        copies.Name = nameof(Original);
        TypeDefinition originals = copies.DeclaringType.NestedTypes.Single(type => type.Name == nameof(Original) && type != copies);
        copies.DeclaringType.NestedTypes.Remove(originals);
        using ModuleDefinition reference = Read(typeof(StandInSignatureTests).Assembly.Location);

        string[] differences = [.. PublicSurface.Differences(module, reference).Where(difference => difference.Contains(nameof(Original), StringComparison.Ordinal))];

        Assert.True(differences.Length == 4, string.Join(Environment.NewLine, differences));
        Assert.Contains(differences, difference => difference.Contains("Missing", StringComparison.Ordinal));
        Assert.Contains(differences, difference => difference.Contains("Retyped", StringComparison.Ordinal));
        Assert.Contains(differences, difference => difference.Contains("Constrained", StringComparison.Ordinal) && difference.Contains("struct", StringComparison.Ordinal));
        Assert.Contains(differences, difference => difference.Contains("Value", StringComparison.Ordinal));
    }

    private static ModuleDefinition Read(string path) => ModuleDefinition.ReadModule(path);

    /// <summary>What the comparison should find fault with, against <see cref="Original"/>.</summary>
    public static class Copy
    {
        /// <summary>Another value.</summary>
        public const int Value = 2;

        /// <summary>Another return type.</summary>
        public static long Retyped() => 0;

        /// <summary>Fewer constraints.</summary>
        public static void Constrained<T>()
        {
        }

        /// <summary>Not in the original.</summary>
        public static void Missing()
        {
        }

        /// <summary>The same in both.</summary>
        public static int Same(ReadOnlySpan<int> values) => values.Length;
    }

    /// <summary>What <see cref="Copy"/> is measured by.</summary>
    public static class Original
    {
        /// <summary>A value.</summary>
        public const int Value = 1;

        /// <summary>A return type.</summary>
        public static int Retyped() => 0;

        /// <summary>A constraint.</summary>
        public static void Constrained<T>()
            where T : struct
        {
        }

        /// <summary>The same in both.</summary>
        public static int Same(ReadOnlySpan<int> values) => values.Length;
    }
}
