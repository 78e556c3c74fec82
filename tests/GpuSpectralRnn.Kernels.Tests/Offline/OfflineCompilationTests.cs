using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels.Tests.Offline;

/// <summary>Every kernel compiles for NVIDIA and for OpenCL devices, without one.</summary>
public partial class OfflineCompilationTests
{
    // What every OpenCL device has, and CUDA more of: more is refused when the kernel is loaded, not when it is compiled.
    private const int SharedMemoryLimit = 32 * 1024;

    public static TheoryData<string> Kernels
    {
        get
        {
            TheoryData<string> names = [];
            foreach (MethodInfo kernel in KernelCatalog.All) names.Add(Name(kernel));
            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_kernel_compiles_to_PTX(string name)
    {
        foreach (CudaArchitecture architecture in new[] { CudaArchitecture.SM_60, CudaArchitecture.SM_80 })
        {
            if (10 * architecture.Major + architecture.Minor < KernelCatalog.CudaCapability(Kernel(name))) continue;
            string ptx = CompiledKernels.Ptx(Kernel(name), architecture);

            Assert.Contains(".entry", ptx, StringComparison.Ordinal);
            Assert.DoesNotContain(".extern .func", ptx, StringComparison.Ordinal); // a function that the device does not have
            Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal); // arrays or structs that left the registers
            Assert.InRange(SharedBytes(ptx), 0, SharedMemoryLimit);
        }
    }

    /// <summary>Those that OpenCL devices get: the ones that shuffle have twins that do not, and inline PTX is for CUDA.</summary>
    public static TheoryData<string> OpenClKernels
    {
        get
        {
            TheoryData<string> names = [];
            foreach (MethodInfo kernel in KernelCatalog.All.Where(IsForOpenCl)) names.Add(Name(kernel));
            return names;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(OpenClKernels))]
    public void A_kernel_compiles_to_OpenCL(string name)
    {
        string source = KernelLoader.WithLocalFences(CompiledKernels.OpenCL(Kernel(name)));
        if (!KernelCatalog.IsImplicitlyGrouped(Kernel(name))) source = KernelLoader.WithGroupSize(source, 64);

        Assert.Contains("kernel ", source, StringComparison.Ordinal);
        Skip.IfNot(HasClang.Value, "compiled by ILGPU, but clang is not here to check the OpenCL C text");
        Assert.Equal(string.Empty, ClangErrors(source));
    }

    [Theory]
    [InlineData(".shared .align 4 .b8 first[4160];\n.shared .align 16 .b8 second[100];", 4260)]
    [InlineData(".shared .align 4 .f32 tile[256];", 1024)]
    [InlineData(".extern .shared .align 4 .b8 dynamic[];", 0)]
    public void Shared_memory_is_counted(string ptx, int bytes) => Assert.Equal(bytes, SharedBytes(ptx));

    [SkippableFact]
    public void Clang_finds_errors_in_OpenCL_text()
    {
        Skip.IfNot(HasClang.Value, "clang is not here");

        Assert.Equal(string.Empty, ClangErrors("kernel void right(global float* x) { x[get_global_id(0)] = 1.0f; }"));
        Assert.Contains("undeclared", ClangErrors("kernel void wrong(global float* x) { x[get_global_id(0)] = missing; }"), StringComparison.Ordinal);
    }

    private static readonly Lazy<bool> HasClang = new(() =>
    {
        try
        {
            using Process? process = Process.Start(new ProcessStartInfo("clang", "--version") { RedirectStandardOutput = true, RedirectStandardError = true });
            process?.WaitForExit();
            return process?.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    });

    internal static string Name(MethodInfo entry) => Name(KernelCatalog.Kernel(entry));

    private static string Name(Type kernel)
    {
        string name = kernel.Name.Split('`')[0];
        if (kernel.DeclaringType is { } outer) name = $"{outer.Name.Split('`')[0]}.{name}";
        return kernel.IsGenericType ? $"{name}<{string.Join(",", kernel.GetGenericArguments().Select(Name))}>" : name;
    }

    private static bool IsForOpenCl(MethodInfo kernel) => !KernelCatalog.UsesShuffles(kernel) && KernelCatalog.CudaCapability(kernel) == 0;

    internal static MethodInfo Kernel(string name) => KernelCatalog.All.Single(kernel => Name(kernel) == name);

    private static int SharedBytes(string ptx) => SharedArray().Matches(ptx).Sum(array =>
        int.Parse(array.Groups["count"].Value, CultureInfo.InvariantCulture) * int.Parse(array.Groups["bits"].Value, CultureInfo.InvariantCulture) / 8);

    [GeneratedRegex(@"\.shared\s+(\.align\s+\d+\s+)?\.[bfsu](?<bits>\d+)\s+[\w$]+\[(?<count>\d+)\]")]
    private static partial Regex SharedArray();

    private static string ClangErrors(string source)
    {
        const string Arguments = "-x cl -cl-std=CL3.0 -target spir64 -Xclang -finclude-default-header -Xclang -cl-ext=+all -fsyntax-only -";
        using Process process = Process.Start(new ProcessStartInfo("clang", Arguments) { RedirectStandardInput = true, RedirectStandardError = true })!;
        Task<string> messages = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(source);
        process.StandardInput.Close();
        process.WaitForExit();
        return process.ExitCode == 0 ? string.Empty : messages.Result;
    }
}
