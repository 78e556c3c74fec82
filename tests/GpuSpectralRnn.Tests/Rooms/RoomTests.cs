using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Kernels;

namespace GpuSpectralRnn.Tests.Rooms;

/// <summary>The house rules of docs/architecture.md: imports run one way, folders are namespaces, and only two rooms know ILGPU.</summary>
public class RoomTests
{
    private const string Root = "GpuSpectralRnn";

    // A room may use the rooms of lower floors, and rooms beside it as long as no circle arises.
    private static readonly Dictionary<string, int> Floors = new()
    {
        ["Kernels"] = 0,
        ["Numerics"] = 0,
        ["Compute"] = 1,
        ["Formats"] = 2,
        ["Data"] = 2,
        ["Networks"] = 2,
        ["Graphs"] = 3,
        ["Spectral"] = 3,
        ["Training"] = 3,
        ["Interchange"] = 3,
        ["Pruning"] = 4,
        ["Reports"] = 5,
    };

    private static readonly string[] Assemblies = [typeof(Tensor).Assembly.Location, typeof(Philox).Assembly.Location];

    [Fact]
    public void Every_namespace_is_a_room_of_the_house()
    {
        string[] rooms = [.. Uses().Select(use => Room(use.From)).Where(room => room.Length > 0).Distinct()];

        Assert.Equal(Floors.Keys.Order(), rooms.Order());
    }

    [Fact]
    public void Imports_never_run_upstairs()
    {
        string[] wrong = [.. RoomUses().Where(use => Floors[use.To] > Floors[use.From]).Select(use => use.Where)];

        Assert.Empty(wrong);
    }

    [Fact]
    public void No_two_rooms_use_each_other()
    {
        Dictionary<string, string[]> graph = RoomUses().GroupBy(use => use.From).ToDictionary(g => g.Key, g => g.Select(use => use.To).Distinct().ToArray());

        foreach (string room in graph.Keys) Assert.DoesNotContain(room, Reachable(graph, room));
    }

    [Fact]
    public void Only_kernels_and_the_ILGPU_backend_know_ILGPU()
    {
        string[] wrong =
        [
            .. Uses()
                .Where(use => use.To == "ILGPU" || use.To.StartsWith("ILGPU.", StringComparison.Ordinal))
                .Where(use => use.From.StartsWith(Root, StringComparison.Ordinal) && use.From is not (Root + ".Kernels" or Root + ".Compute.Ilgpu"))
                .Select(use => use.Where),
        ];

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_checker_sees_uses_in_signatures_and_bodies()
    {
        RoomReferences.Use[] uses = [.. RoomReferences.Of(typeof(RoomTests).Assembly.Location)];

        Assert.Contains(uses, use => use.From == typeof(RoomTests).Namespace && use.To == Root + ".Compute");
        Assert.Contains(uses, use => use.From == typeof(RoomTests).Namespace && use.To == "Xunit");
    }

    private static IEnumerable<RoomReferences.Use> Uses() => Assemblies.SelectMany(RoomReferences.Of);

    private static IEnumerable<(string From, string To, string Where)> RoomUses() =>
        from use in Uses()
        let room = Room(use.From)
        let used = Room(use.To)
        where room.Length > 0 && used.Length > 0 && room != used
        select (room, used, use.Where);

    // GpuSpectralRnn.Compute.Host is in the room Compute; the root namespace (errors) and foreign ones are in none.
    private static string Room(string name) => name.StartsWith(Root + ".", StringComparison.Ordinal) ? name[(Root.Length + 1)..].Split('.')[0] : "";

    private static HashSet<string> Reachable(Dictionary<string, string[]> graph, string start)
    {
        HashSet<string> seen = [];
        Stack<string> open = new(graph.GetValueOrDefault(start, []));
        while (open.TryPop(out string? room))
        {
            if (!seen.Add(room)) continue;
            foreach (string next in graph.GetValueOrDefault(room, [])) open.Push(next);
        }

        return seen;
    }
}
