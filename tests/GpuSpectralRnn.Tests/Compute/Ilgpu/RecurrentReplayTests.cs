using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Ilgpu;
using GpuSpectralRnn.Kernels;
using GpuSpectralRnn.Tests.Support;
using ILGPU.Runtime;
using Xunit;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>When the steps of a layer are taken one by one and when as a graph, with a cell that only counts and graphs that run nothing.</summary>
[Collection("ilgpu-cpu")]
public sealed class RecurrentReplayTests : IDisposable
{
    private const int Steps = RecurrentReplay.FewestSteps;

    private readonly IlgpuBackend backend;
    private readonly Tensor memory;
    private readonly Tensor lengths;
    private readonly CountingCell cell = new();
    private readonly List<CountingGraph> recorded = [];
    private readonly LaunchGraphs graphs;
    private readonly RecurrentReplay replay;
    private bool refusesToRecord;

    public RecurrentReplayTests(IlgpuCpuDevice device)
    {
        backend = (IlgpuBackend)device.Backend;
        memory = backend.Allocate(new Shape(64));
        lengths = backend.Allocate(new Shape(8), ElementType.Int32);
        graphs = new LaunchGraphs(Record);
        replay = new RecurrentReplay(cell, graphs, backend.Stream);
    }

    public void Dispose()
    {
        replay.Dispose();
        graphs.Dispose();
        memory.Dispose();
        lengths.Dispose();
        Assert.All(recorded, graph => Assert.Equal(1, graph.Disposals)); // each once, whoever did it
    }

    [Fact]
    public void The_second_time_is_taken_down_and_later_ones_only_launch()
    {
        for (int i = 0; i < 5; i++)
        {
            replay.Forward(Operands());
            replay.Backward(Operands());
        }

        Assert.Equal((2, 2), (cell.Forwards, cell.Backwards)); // plainly, and while taken down
        Assert.Equal([4, 4], recorded.Select(graph => graph.Launches));
        Assert.Equal((2, 8L), (graphs.Recorded, graphs.Launched));
    }

    // Whatever a graph cannot see must be another graph: the operands come back in turn, and each has its own.
    [Fact]
    public void Every_operand_counts()
    {
        RecurrentOperands[] different =
        [
            Operands(),
            Operands(lengthsAt: 4),
            Operands(statesAt: 32),
            Operands(startsAtZero: true),
            Operands(gradientFrom: 3),
            Operands(isReverse: true),
            Operands(steps: Steps + 1),
        ];
        for (int i = 0; i < 3; i++)
        {
            foreach (RecurrentOperands operands in different) replay.Forward(operands);
        }

        Assert.Equal(different.Length, recorded.Count);
        Assert.All(recorded, graph => Assert.Equal(2, graph.Launches));
    }

    [Fact]
    public void Few_are_kept()
    {
        for (int i = 0; i < 3; i++)
        {
            for (int at = 0; at < 20; at++) replay.Forward(Operands(statesAt: at));
        }

        Assert.Empty(recorded); // each was forgotten before it came again
        for (int i = 0; i < 2; i++) replay.Forward(Operands(statesAt: 0));
        CountingGraph first = Assert.Single(recorded);
        for (int at = 1; at < 20; at++) replay.Forward(Operands(statesAt: at));
        Assert.Equal(1, first.Disposals);
    }

    [Fact]
    public void Few_steps_and_single_launches_have_no_graph()
    {
        for (int i = 0; i < 3; i++) replay.Forward(Operands(steps: Steps - 1));
        Assert.Equal(3, cell.Forwards);
        CountingCell single = new() { AllAtOnce = true };
        using RecurrentReplay other = new(single, graphs, backend.Stream);
        for (int i = 0; i < 3; i++) other.Forward(Operands());
        Assert.Equal(3, single.Forwards);
        Assert.Empty(recorded);
    }

    [Fact]
    public void A_driver_that_takes_nothing_down_is_asked_once()
    {
        refusesToRecord = true;
        for (int i = 0; i < 4; i++) replay.Forward(Operands());
        Assert.Equal(4, cell.Forwards);
        Assert.False(graphs.IsOn);
        Assert.Equal("no graphs today", graphs.Refusal);
    }

    [Fact]
    public void A_driver_that_launches_no_graph_loses_no_step()
    {
        for (int i = 0; i < 3; i++) replay.Forward(Operands());
        recorded[0].Refuses = true;
        for (int i = 0; i < 2; i++) replay.Forward(Operands());
        Assert.Equal(2 + 2, cell.Forwards);
        Assert.Equal(2, recorded[0].Launches);
        Assert.False(graphs.IsOn);
    }

    [Fact]
    public void The_device_takes_its_graphs_along()
    {
        for (int i = 0; i < 2; i++) replay.Forward(Operands());
        graphs.Dispose(); // as the backend does; the workspace comes later
        Assert.Equal(1, recorded[0].Disposals);
        replay.Forward(Operands());
        Assert.Equal(1, recorded[0].Launches);
    }

    [Fact]
    public void Where_the_device_has_none_nothing_is_kept()
    {
        Assert.False(backend.Graphs.IsOn);
        Assert.Null(backend.Graphs.Refusal);
        Assert.Null(backend.Graphs.Record(() => { }));
    }

    private LaunchGraph Record(Action launches)
    {
        if (refusesToRecord) throw new NotSupportedException("no graphs today");
        launches();
        CountingGraph graph = new();
        recorded.Add(graph);
        return graph;
    }

    private RecurrentOperands Operands(
        int steps = Steps, int lengthsAt = 0, int statesAt = 0, bool startsAtZero = false, int gradientFrom = 0, bool isReverse = false) => new()
    {
        Walk = new RecurrentWalk(steps, 1, 1, isReverse),
        Views = new RecurrentViews
        {
            Gates = backend.View(memory.View(0, 16)),
            States = backend.View(memory.View(statesAt, 16)),
            Weights = backend.View(memory.View(0, 1)),
            Lengths = backend.View<int>(lengths.View(lengthsAt, 1)),
        },
        Arranged = backend.View(memory.View(1, 1)),
        StartsAtZero = startsAtZero,
        GradientFrom = gradientFrom,
    };

    private sealed class CountingGraph : LaunchGraph
    {
        public bool Refuses { get; set; }

        public int Launches { get; private set; }

        public int Disposals { get; private set; }

        public override void Launch()
        {
            if (Refuses) throw new NotSupportedException("not this one");
            Launches++;
        }

        public override void Dispose() => Disposals++;
    }

    private sealed class CountingCell : RecurrentCell
    {
        public bool AllAtOnce { get; init; }

        public int Forwards { get; private set; }

        public int Backwards { get; private set; }

        public override bool IsReplayable => !AllAtOnce;

        public override int ArrangedCount(int batch, int width) => 1;

        public override void Forward(AcceleratorStream stream, in RecurrentOperands operands) => Forwards++;

        public override void Backward(AcceleratorStream stream, in RecurrentOperands operands) => Backwards++;
    }
}
