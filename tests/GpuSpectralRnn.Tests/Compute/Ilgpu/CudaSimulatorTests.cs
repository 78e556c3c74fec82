using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Tests.Support;
using Xunit;
using static GpuSpectralRnn.Tests.Support.SimulatedDriver;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>The CUDA simulator itself: results as PTX defines them, and the faults that it is there to find.</summary>
public class CudaSimulatorTests
{
    private const string Pair = ".param .b64 first, .param .b64 second";
    private const string Thread =
        """
        ld.param.b64 %rd1, [first];
        ld.param.b64 %rd2, [second];
        mov.u32 %r1, %tid.x;
        mul.wide.u32 %rd3, %r1, 4;
        add.u64 %rd1, %rd1, %rd3;

        """;

    [SkippableFact]
    public void Its_name_says_what_it_is()
    {
        CudaSimulator.Require();
        Assert.Contains("simulator", Devices.List().Single(device => device.Info.Id == "cuda:0").Info.Name, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("add.f32 %r3, %r1, %r2", 0x7FC12345, 0x3F800000, 0x7FFFFFFF)] // one pattern for what is no number
    [InlineData("add.f32 %r3, %r1, %r2", 0x00000001, 0x00000001, 0x00000002)]
    [InlineData("add.ftz.f32 %r3, %r1, %r2", 0x00000001, 0x00000001, 0)]
    [InlineData("mul.ftz.f32 %r3, %r1, %r2", 0x00800000, -0x41000000, -0x80000000L)] // a subnormal product keeps its sign
    [InlineData("min.f32 %r3, %r1, %r2", 0x7FC00000, 0x40000000, 0x40000000)]
    [InlineData("max.f32 %r3, %r1, %r2", -0x80000000L, 0, 0)]
    [InlineData("div.rn.f32 %r3, %r1, %r2", 0x3F800000, 0x40400000, 0x3EAAAAAB)]
    [InlineData("div.approx.ftz.f32 %r3, %r1, %r2", 0x40000000, 0x7F000000, 0)] // its reciprocal is subnormal
    [InlineData("fma.rn.f32 %r3, %r1, %r1, %r2", 0x3F800001, -0x407FFFFEL, 0x28800000)] // one rounding
    [InlineData("shl.b32 %r3, %r1, %r2", 1, 32, 0)]
    [InlineData("shr.s32 %r3, %r1, %r2", -8, 40, -1)]
    [InlineData("div.s32 %r3, %r1, %r2", -7, 2, -3)]
    [InlineData("rem.s32 %r3, %r1, %r2", -7, 2, -1)]
    [InlineData("mul.hi.s32 %r3, %r1, %r2", -1, 5, -1)]
    [InlineData("min.u32 %r3, %r1, %r2", -1, 5, 5)]
    [InlineData("cvt.rzi.s32.f32 %r3, %r1", 0x4F32D05E, 0, 0x7FFFFFFF)] // 3e9
    [InlineData("cvt.rzi.s32.f32 %r3, %r1", 0x7FC00000, 0, 0)]
    [InlineData("cvt.rni.s32.f32 %r3, %r1", 0x40200000, 0, 2)]
    [InlineData("cvt.rpi.s32.f32 %r3, %r1", 0x40200000, 0, 3)]
    [InlineData("cvt.rna.tf32.f32 %r3, %r1", 0x3F801000, 0, 0x3F802000)]
    [InlineData("ex2.approx.ftz.f32 %r3, %r1", -0x3CFE0000L, 0, 0)] // 2^-130
    public void Arithmetic_is_that_of_PTX(string instruction, long first, long second, long expected)
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(
            ".param .b64 at",
            $"ld.param.b64 %rd1, [at];\nld.global.b32 %r1, [%rd1];\nld.global.b32 %r2, [%rd1+4];\n{instruction};\nst.global.b32 [%rd1+8], %r3;");
        ulong memory = Put((int)first, (int)second, 0);
        Check(Launch(kernel, 1, 1, [memory]));
        Assert.Equal((int)expected, Get(memory, 3)[2]);
    }

    // Lane n goes round n times; then all are together again, as the shuffle demands.
    [SkippableFact]
    public void Lanes_part_and_meet_again()
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(
            Pair,
            Thread +
            """
            mov.u32 %r2, 0;
            again:
            setp.ge.u32 %p1, %r2, %r1;
            @%p1 bra done;
            add.u32 %r2, %r2, 1;
            bra again;
            done:
            shfl.sync.bfly.b32 %r3|%p2, %r2, 1, 31, 0xFFFFFFFF;
            st.global.b32 [%rd1], %r3;
            """);
        ulong memory = Put(new int[64]);
        Check(Launch(kernel, 1, 64, [memory, 0]));
        Assert.Equal(Enumerable.Range(0, 64).Select(n => n ^ 1), Get(memory, 64));
    }

    [SkippableTheory]
    [InlineData("bar.sync 0;", 0)]
    [InlineData("setp.lt.u32 %p1, %r1, 5;\n@%p1 bra over;\nbar.sync 0;\nover:", 719)]
    [InlineData("setp.lt.u32 %p1, %r1, 5;\n@%p1 bra over;\nshfl.sync.idx.b32 %r2, %r1, 0, 31, 0xFFFFFFFF;\nover:", 719)]
    [InlineData("setp.lt.u32 %p1, %r1, 5;\n@%p1 ret;\nbar.sync 0;", 0)] // who is gone does not count
    public void Threads_that_miss_a_meeting_are_reported(string body, int error)
    {
        using SimulatedDriver driver = new();
        Check(Launch(Kernel(Pair, Thread + body), 2, 48, [0, 0]));
        Assert.Equal(error, Synchronize());
        if (error != 0) Assert.Contains("line", Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Groups_exchange_through_shared_memory()
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(
            Pair,
            ".shared .align 4 .b8 all[1024];\nmov.u64 %rd4, all;\n" + Thread +
            """
            add.u64 %rd5, %rd4, %rd3;
            st.shared.b32 [%rd5], %r1;
            bar.sync 0;
            sub.u64 %rd6, %rd4, %rd3;
            ld.shared.b32 %r2, [%rd6+1020];
            st.global.b32 [%rd1], %r2;
            """);
        ulong memory = Put(new int[256]);
        Check(Launch(kernel, 3, 256, [memory, 0]));
        Assert.Equal(Enumerable.Range(0, 256).Reverse(), Get(memory, 256));
    }

    [SkippableFact]
    public void Groups_add_up_atomically()
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(
            Pair,
            "ld.param.b64 %rd1, [first];\nred.global.add.u32 [%rd1], 1;\natom.global.add.f32 %f1, [%rd1+4], 0f3F800000;\natom.global.max.s32 %r2, [%rd1+8], 7;");
        ulong memory = Put(0, 0, 3);
        Check(Launch(kernel, 100, 96, [memory, 0]));
        Assert.Equal([9600, BitConverter.SingleToInt32Bits(9600), 7], Get(memory, 3));
    }

    [SkippableTheory]
    [InlineData("st.global.b32 [%rd1+4], %r1;", 32, 700)] // the last lane is beyond the end
    [InlineData("st.global.b32 [%rd1], %r1;", 32, 0)]
    [InlineData("st.global.b32 [%rd2], %r1;", 1, 700)] // freed
    [InlineData("ld.global.v2.f32 {%f1, %f2}, [%rd1+4];", 1, 716)]
    [InlineData(".shared .align 4 .b8 few[64];\nld.shared.b32 %r2, [%rd3];", 16, 0)]
    [InlineData(".shared .align 4 .b8 few[64];\nld.shared.b32 %r2, [%rd3];", 17, 700)]
    [InlineData("trap;", 1, 719)]
    public void Accesses_are_checked_and_the_context_stays_broken(string body, int threads, int error)
    {
        using SimulatedDriver driver = new();
        ulong memory = Put(new int[32]);
        ulong freed = Put(1, 2, 3);
        Check(Free(freed));
        Check(Launch(Kernel(Pair, Thread + body), 1, threads, [memory, freed]));
        Assert.Equal(error, Synchronize());
        Assert.Equal(error, Allocate(out _, 4));
    }

    [SkippableFact]
    public void Launches_have_limits()
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(Pair, string.Empty);
        Assert.Equal(0, Launch(kernel, 1, 1024, [0, 0], 48 * 1024));
        Assert.Equal(1, Launch(kernel, 1, 1025, [0, 0]));
        Assert.Equal(1, Launch(kernel, 0, 32, [0, 0]));
        Assert.Equal(1, Launch(kernel, 1, 32, [0, 0], 60000));
        Assert.Equal(1, SetAttribute(kernel, 8, 200000));
        Assert.Equal(0, SetAttribute(kernel, 8, 60000));
        Assert.Equal(0, Launch(kernel, 1, 32, [0, 0], 60000));
        Assert.Equal(2, Allocate(out _, unchecked((nuint)(1L << 50))));
    }

    [SkippableTheory]
    [InlineData(".shared .align 4 .b8 much[50000];", "49152")]
    [InlineData("vote.sync.ballot.b32 %r1, %p1, -1;", "vote.sync.ballot.b32")]
    [InlineData("add.u64 %rd1, %r1, %rd2;", "%r1")]
    [InlineData("bra nowhere;", "nowhere")]
    public void Texts_that_are_wrong_are_refused(string body, string named)
    {
        using SimulatedDriver driver = new();
        Assert.Equal(218, LoadModule(out _, Text(Pair, body)));
        Assert.Contains(named, Message, StringComparison.Ordinal);
    }

    // Work runs as late as it may: a stream that does not wait for another is ahead of it.
    [SkippableTheory]
    [InlineData(true, 0x01010101)]
    [InlineData(false, -1)]
    public void Streams_are_ordered_by_events_alone(bool waits, int expected)
    {
        Skip.If(Environment.GetEnvironmentVariable("GSRNN_CUDA_SIMULATOR_MODE") is not (null or "late"), "Only late work is so for certain.");
        using SimulatedDriver driver = new();
        Check(CreateStream(out nint first, 1));
        Check(CreateStream(out nint second, 1));
        Check(CreateEvent(out nint filled, 2));
        Check(Allocate(out ulong memory, 4));
        Check(Fill(memory, 1, 4, first));
        Check(RecordEvent(filled, first));
        if (waits) Check(WaitEvent(second, filled, 0));
        Assert.Equal(expected, Get(memory, 1, second)[0]); // fresh memory is all ones
        Check(SynchronizeStream(first));
        Assert.Equal(0x01010101, Get(memory, 1, second)[0]);
    }

    // Page-locked memory is read when the copy runs, other memory when it is queued.
    [SkippableFact]
    public unsafe void Page_locked_memory_is_read_late()
    {
        Skip.If(Environment.GetEnvironmentVariable("GSRNN_CUDA_SIMULATOR_MODE") is not (null or "late"), "Only late work is so for certain.");
        using SimulatedDriver driver = new();
        Check(AllocateHost(out nint locked, 4));
        int other = 1;
        *(int*)locked = 1;
        ulong memory = Put(0, 0);
        Check(Copy(memory, (ulong)locked, 4, 0));
        Check(Copy(memory + 4, (ulong)&other, 4, 0));
        *(int*)locked = other = 2;
        Assert.Equal([2, 1], Get(memory, 2));
    }

    [SkippableFact]
    public void A_graph_repeats_launches_on_what_is_there_then()
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(
            Pair,
            Thread + "ld.global.b32 %r2, [%rd2];\nld.global.b32 %r3, [%rd1];\nadd.s32 %r3, %r3, %r2;\nst.global.b32 [%rd1], %r3;");
        (ulong sum, ulong term) = (Put(0), Put(5));
        Check(CreateStream(out nint stream, 1));
        Check(Synchronize());
        Check(BeginCapture(stream, 1));
        Check(Launch(kernel, 1, 1, [sum, term], stream: stream));
        Check(Launch(kernel, 1, 1, [sum, term], stream: stream));
        Check(EndCapture(stream, out nint graph));
        Check(Instantiate(out nint executable, graph, 0));
        Assert.Equal(0, Get(sum, 1, stream)[0]); // nothing has run
        Check(LaunchGraph(executable, stream));
        Assert.Equal(10, Get(sum, 1, stream)[0]);
        Check(Fill(term, 0, 4, stream));
        Check(LaunchGraph(executable, stream));
        Assert.Equal(10, Get(sum, 1, stream)[0]);
    }

    [SkippableFact]
    public void Waiting_spoils_a_capture()
    {
        using SimulatedDriver driver = new();
        Check(CreateStream(out nint stream, 1));
        Check(BeginCapture(stream, 1));
        Assert.Equal(900, Allocate(out _, 4));
        Assert.Equal(901, EndCapture(stream, out _));
        Assert.Equal(0, Allocate(out _, 4));
    }

    [SkippableFact]
    public void Failures_come_on_demand()
    {
        using SimulatedDriver driver = new();
        nint kernel = Kernel(Pair, string.Empty);
        Check(CudaSimulator.Fail("alloc:2:2,launch:2:719"));
        Assert.Equal(0, Allocate(out _, 4));
        Assert.Equal(2, Allocate(out _, 4));
        Assert.Equal(0, Allocate(out _, 4));
        Assert.Equal(0, Launch(kernel, 1, 1, [0, 0]));
        Assert.Equal(0, Synchronize());
        Assert.Equal(0, Launch(kernel, 1, 1, [0, 0])); // a kernel's failure shows when it runs
        Assert.Equal(719, Synchronize());
        Assert.Equal(719, Launch(kernel, 1, 1, [0, 0]));
    }
}
