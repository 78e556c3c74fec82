using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Tests.Support;

/// <summary>Three threads: more than the parts of small problems, and odd.</summary>
public sealed class HostDevice() : DeviceFixture("host", () => new HostBackend(3));

/// <summary>ILGPU's simulator.</summary>
public sealed class IlgpuCpuDevice() : DeviceFixture("ilgpu-cpu");

/// <summary>
/// A device that grants groups of 8 threads at most, fewer than any kernel asks for, and refuses to launch larger ones: as on OpenCL devices with
/// small groups, kernels must be launched in groups that the device grants, or others be taken.
/// </summary>
public sealed class SmallGroupDevice() : DeviceFixture("small groups", () => WideSimulator.Open(threadsOfWarp: 4, warps: 2));

/// <summary>
/// A simulator wide enough for groups of 256, launched as real devices are. Real barriers between so many threads are slow: few and small cases.
/// </summary>
public sealed class WideDevice() : DeviceFixture("wide simulator", () => WideSimulator.Open(threadsOfWarp: 32, warps: 8));

/// <summary>A simulator that sums second moments in slices of the rows, as real devices do.</summary>
public sealed class SlicedDevice() : DeviceFixture("sliced simulator", () => WideSimulator.Open(threadsOfWarp: 4, warps: 4));

/// <summary>The same without double precision: pairs of singles.</summary>
public sealed class SlicedPairDevice() : DeviceFixture("sliced simulator", () => WideSimulator.Open(threadsOfWarp: 4, warps: 4, hasFloat64: false));

/// <summary>A simulator with one launch a step, its product cut into slices, as graphics processors get it.</summary>
public sealed class SlicedStepDevice() : DeviceFixture(
    "sliced simulator", () => WideSimulator.Open(threadsOfWarp: 32, warps: 4, RecurrentStrategy.Stepwise));

/// <summary>The first OpenCL device, or PoCL.</summary>
public sealed class OpenClDevice() : DeviceFixture("opencl:0", otherwise: () => PoclBackend.Open());

/// <summary>The same, whose recurrent layers take all steps in one launch.</summary>
public sealed class OpenClPersistentDevice() : DeviceFixture(
    "opencl:0", RecurrentStrategy.Persistent, () => PoclBackend.Open(kernels: RecurrentStrategy.Persistent));

/// <summary>The same, whose recurrent layers take one launch a step as graphics processors do.</summary>
public sealed class OpenClSlicedDevice() : DeviceFixture(
    "opencl:0", RecurrentStrategy.Stepwise, () => PoclBackend.Open(sharesMemory: true, RecurrentStrategy.Stepwise));

/// <summary>PoCL with the kernels that exchange data through shared memory, which it is better off without.</summary>
public sealed class OpenClBlocksDevice() : DeviceFixture("pocl", () => PoclBackend.Open(sharesMemory: true));

/// <summary>The first CUDA device, or its simulator.</summary>
public sealed class CudaDevice() : DeviceFixture("cuda:0");

/// <summary>The same, whose recurrent layers take all steps in one launch.</summary>
public sealed class CudaPersistentDevice() : DeviceFixture("cuda:0", RecurrentStrategy.Persistent);

/// <summary>The same, whose recurrent layers take one launch a step.</summary>
public sealed class CudaStepwiseDevice() : DeviceFixture("cuda:0", RecurrentStrategy.Stepwise);

/// <summary>The products by our kernels, which the backend leaves to cuBLAS where they are large.</summary>
public sealed class CudaKernelsDevice() : DeviceFixture(ProductBackend.Kernels);

/// <summary>The products by our kernels on tensor cores for TF32, where they are.</summary>
public sealed class CudaTensorCoreDevice() : DeviceFixture(ProductBackend.KernelsTf32);

/// <summary>The products by NVIDIA's library, where it is.</summary>
public sealed class CuBlasDevice() : DeviceFixture(ProductBackend.Cublas);

/// <summary>The same on tensor cores.</summary>
public sealed class CuBlasTf32Device() : DeviceFixture(ProductBackend.CublasTf32);

/// <summary>ILGPU's simulator, whose recurrent layers skip blocks of zeros.</summary>
public sealed class IlgpuCpuSkippingDevice() : DeviceFixture("ilgpu-cpu", RecurrentStrategy.Blocks);

/// <summary>The first OpenCL device, or PoCL, whose recurrent layers skip blocks of zeros.</summary>
public sealed class OpenClSkippingDevice()
    : DeviceFixture("opencl:0", RecurrentStrategy.Blocks, () => PoclBackend.Open(kernels: RecurrentStrategy.Blocks));

/// <summary>The first CUDA device, or its simulator, whose recurrent layers skip blocks of zeros.</summary>
public sealed class CudaSkippingDevice() : DeviceFixture("cuda:0", RecurrentStrategy.Blocks);
