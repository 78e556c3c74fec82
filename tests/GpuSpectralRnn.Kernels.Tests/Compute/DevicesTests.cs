using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;
using GpuSpectralRnn.Compute.Ilgpu;

namespace GpuSpectralRnn.Kernels.Tests.Compute;

/// <summary>Devices are listed with and without drivers, and what is absent is named together with what is present.</summary>
public class DevicesTests
{
    [Fact]
    public void The_host_and_the_simulator_are_always_there()
    {
        IReadOnlyList<PresentDevice> devices = Devices.List();

        Assert.Contains(devices, device => device.Info.Id == "host");
        Assert.Contains(devices, device => device.Info.Id == "ilgpu-cpu");
        Assert.Equal(devices.Count, devices.Select(device => device.Info.Id).Distinct().Count());
        Assert.All(devices, device => Assert.True(device.Info.MemoryBytes > 0 && device.Info.Name.Length > 0, device.ToString()));
    }

    [Fact]
    public void One_device_is_the_default_and_it_is_what_auto_opens()
    {
        PresentDevice best = Assert.Single(Devices.List(), device => device.IsDefault);
        using IBackend backend = Devices.Open("auto");

        Assert.Equal(best.Info.Id, backend.Device.Id);
        Assert.NotEqual("ilgpu-cpu", best.Info.Id);
    }

    [Theory]
    [InlineData("host")]
    [InlineData("ilgpu-cpu")]
    public void A_device_opens_by_its_name(string id)
    {
        using IBackend backend = Devices.Open(id, threads: 1);
        using Tensor tensor = backend.Allocate(new Shape(3));
        backend.Fill(tensor, 2f);

        Assert.Equal(id, backend.Device.Id);
        Assert.Equal([2f, 2f, 2f], tensor.ToArray());
    }

    [Fact]
    public void The_host_takes_the_number_of_threads()
    {
        using HostBackend backend = Assert.IsType<HostBackend>(Devices.Open("host", threads: 3));

        Assert.Equal(3, backend.Threads);
    }

    [Theory]
    [InlineData("cuda:99")]
    [InlineData("opencl:99")]
    [InlineData("cuda:-1")]
    [InlineData("gpu")]
    [InlineData("")]
    public void An_absent_device_is_refused_with_the_list_of_those_present(string id)
    {
        InvalidCallException refused = Assert.Throws<InvalidCallException>(() => Devices.Open(id));

        Assert.Contains($"'{id}'", refused.Message, StringComparison.Ordinal);
        foreach (PresentDevice device in Devices.List()) Assert.Contains(device.Info.Id, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_ILGPU_of_this_build_is_named()
    {
        Assert.Matches(@"^package \d+\.\d+\.\d+", Devices.IlgpuVersion);
    }

    [SkippableFact]
    public void Drivers_are_looked_for_under_their_versioned_names_on_Linux()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "other systems have one name per library");

        Assert.Equal(["OpenCL", "libOpenCL.so.1"], NativeLibraries.NamesOf("OpenCL"));
        Assert.Equal(["cuda", "libcuda.so.1"], NativeLibraries.NamesOf("cuda"));
        Assert.Contains("libcublas.so.13", NativeLibraries.NamesOf("libcublas.so.12"));
        Assert.Empty(NativeLibraries.NamesOf("libc"));
    }

    [Fact]
    public void Registering_the_names_again_does_nothing()
    {
        NativeLibraries.Register();
        NativeLibraries.Register();

        Assert.NotEmpty(IlgpuDevices.All);
    }
}
