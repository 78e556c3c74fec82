using System.Text.Json.Nodes;
using CommandLine;
using GpuSpectralRnn.Compute;

namespace GpuSpectralRnn.Cli.Verbs;

[Verb("devices", HelpText = "Show what can compute here, and which ILGPU this build has.")]
internal sealed class DevicesVerb : Verb
{
    public override string Usage => "[--json]";

    public override string Example => "gsrnn devices";

    public override void Run(Terminal terminal)
    {
        IReadOnlyList<PresentDevice> devices = Devices.List();
        int wide = devices.Max(d => d.Info.Id.Length);
        foreach (PresentDevice device in devices)
        {
            string mark = device.IsDefault ? "*" : " ";
            terminal.Result($"{mark} {device.Info.Id.PadRight(wide)}  {device.Info.MemoryBytes / (double)(1 << 30),7:0.0} GiB  {device.Info.Name}");
        }

        terminal.Result("* is what --device auto means");
        terminal.Result($"ILGPU: {Devices.IlgpuVersion}");
        terminal.Result(new JsonObject
        {
            ["ilgpu"] = Devices.IlgpuVersion,
            ["devices"] = new JsonArray([.. devices.Select(d =>
                new JsonObject { ["id"] = d.Info.Id, ["name"] = d.Info.Name, ["memoryBytes"] = d.Info.MemoryBytes, ["default"] = d.IsDefault })]),
        });
    }
}
