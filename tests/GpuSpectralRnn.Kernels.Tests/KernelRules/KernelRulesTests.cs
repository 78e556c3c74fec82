using Mono.Cecil;

namespace GpuSpectralRnn.Kernels.Tests.KernelRules;

/// <summary>No kernel does what ILGPU refuses; and the rules see it when one does.</summary>
public class KernelRulesTests
{
    public static TheoryData<string> BadSamples
    {
        get
        {
            TheoryData<string> samples = [];
            foreach (string name in typeof(BadKernels).GetMethods().Where(method => method.IsDefined(typeof(BreaksAttribute), false)).Select(method => method.Name)) samples.Add(name);
            return samples;
        }
    }

    [Fact]
    public void No_kernel_breaks_a_rule()
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(typeof(KernelEntryAttribute).Assembly.Location);
        MethodDefinition[] kernels = [.. KernelRules.Kernels(module)];

        string[] violations = [.. kernels.SelectMany(KernelRules.Violations).Distinct()];

        Assert.NotEmpty(kernels);
        Assert.True(violations.Length == 0, string.Join(Environment.NewLine, violations));
    }

    [Theory]
    [MemberData(nameof(BadSamples))]
    public void A_kernel_that_breaks_a_rule_is_refused(string name)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(typeof(BadKernels).Assembly.Location);
        MethodDefinition kernel = Method(module, typeof(BadKernels), name);
        string rule = (string)kernel.CustomAttributes.Single(mark => mark.AttributeType.Name == nameof(BreaksAttribute)).ConstructorArguments[0].Value;

        Assert.Contains(KernelRules.Violations(kernel), violation => violation.Contains(rule, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(nameof(GoodKernels.Everything))]
    [InlineData(nameof(GoodKernels.InlinePtx))]
    public void What_ILGPU_takes_is_not_refused(string name)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(typeof(GoodKernels).Assembly.Location);

        Assert.Empty(KernelRules.Violations(Method(module, typeof(GoodKernels), name)));
    }

    private static MethodDefinition Method(ModuleDefinition module, Type type, string name) => module.GetType(type.FullName).Methods.Single(method => method.Name == name);
}
