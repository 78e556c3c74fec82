using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Cli.Calls;
using GpuSpectralRnn.Cli.Downloads;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("data", HelpText = "List the known public data sets, or download and verify one.")]
internal sealed class DataVerb : Verb
{
    [Value(0, MetaName = "list|get", Required = true, HelpText = "list: show the sets; get: download one and verify it.")]
    public string Action { get; set; } = "";

    [Value(1, MetaName = "NAME", HelpText = "With get: which set.")]
    public string? Name { get; set; }

    [Option("dir", MetaValue = "DIR", HelpText = "With get: where to put the files (default: a folder of the set's name).")]
    public string? Folder { get; set; }

    public override string Usage => "list | get NAME [--dir DIR]";

    public override string Example => "gsrnn data get mnist --dir mnist";

    public override void Run(Terminal terminal)
    {
        switch (Action)
        {
            case "list" when Name is null: List(terminal); break;
            case "list": throw new InvalidCallException($"'data list' takes no name; to download {Name} say 'gsrnn data get {Name}'.");
            case "get": Get(terminal); break;
            default: throw new InvalidCallException($"'data {Action}' is not known; say 'gsrnn data list' or 'gsrnn data get NAME'.");
        }
    }

    private static void List(Terminal terminal)
    {
        foreach (PublicSet set in PublicSet.All)
        {
            terminal.Result($"{set.Name}: {set.About}; licence {set.Licence}");
            foreach (PublicFile file in set.Files) terminal.Result($"    {file.Name,-28} {file.Bytes,11:N0} bytes  MD5 {file.Md5}");
        }

        terminal.Result(new JsonObject
        {
            ["sets"] = new JsonArray([.. PublicSet.All.Select(set => new JsonObject
            {
                ["name"] = set.Name,
                ["about"] = set.About,
                ["licence"] = set.Licence,
                ["files"] = new JsonArray([.. set.Files.Select(f =>
                    new JsonObject { ["name"] = f.Name, ["url"] = f.Address.ToString(), ["bytes"] = f.Bytes, ["md5"] = f.Md5 })]),
            })]),
        });
    }

    private void Get(Terminal terminal)
    {
        string names = string.Join(", ", PublicSet.All.Select(s => s.Name));
        if (Name is null) throw new InvalidCallException($"'data get' needs a name: one of {names}.");
        PublicSet set = PublicSet.All.FirstOrDefault(s => s.Name == Name)
            ?? throw new InvalidCallException($"The set '{Name}' is not known; choose one of {names}.");
        Get(set, Folder ?? set.Name, terminal);
    }

    /// <summary>Leaves the verified files of a set in a folder.</summary>
    internal static void Get(PublicSet set, string folder, Terminal terminal)
    {
        OutputPath.CreateFolder(folder);
        using HttpClient client = new() { Timeout = TimeSpan.FromMinutes(10) };
        JsonArray files = [];
        foreach (PublicFile file in set.Files)
        {
            terminal.Note($"{file.Name}: {file.Bytes:N0} bytes from {file.Address.Host}");
            bool isNew = file.Get(folder, client);
            string path = Path.Combine(folder, file.Name);
            terminal.Result($"{path}: {(isNew ? "downloaded and verified" : "already there, verified")}");
            files.Add(new JsonObject { ["path"] = path, ["bytes"] = file.Bytes, ["md5"] = file.Md5, ["downloaded"] = isNew });
        }

        terminal.Result(new JsonObject { ["name"] = set.Name, ["files"] = files });
    }
}
