using System.Globalization;
using GpuSpectralRnn.Cli.Downloads;
using GpuSpectralRnn.Cli.Verbs;

namespace GpuSpectralRnn.Cli.Tests.Crashes;

/// <summary>
/// What <c>gsrnn data get</c> does, in a process of its own, for a set that a test publishes:
/// <c>GpuSpectralRnn.Cli.Tests FOLDER NAME ADDRESS BYTES MD5</c>.
/// </summary>
internal static class DownloadProgram
{
    private static int Main(string[] args)
    {
        DataVerb verb = new();
        Terminal terminal = new(verb, Console.Out, Console.Error);
        PublicFile file = new(args[1], new Uri(args[2]), long.Parse(args[3], CultureInfo.InvariantCulture), args[4]);
        try
        {
            DataVerb.Get(new PublicSet("set", "", "", [file]), args[0], terminal);
            return 0;
        }
        catch (RunFailedException e)
        {
            terminal.Error(e);
            return 1;
        }
    }
}
