using CommandLine;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>Options that take several values may be repeated: <c>--model A --model B</c> is <c>--model A B</c>.</summary>
internal static class RepeatedOptions
{
    /// <summary>The arguments with the values of repeated options behind those of the first.</summary>
    public static string[] Gather(Type verb, string[] args)
    {
        HashSet<string> several =
        [
            .. from option in VerbOptions.All(verb)
               where option.Property.PropertyType != typeof(string) && option.Property.PropertyType.IsAssignableTo(typeof(System.Collections.IEnumerable))
               where option.Option.Separator == '\0'
               select "--" + option.Option.LongName,
        ];
        List<string> gathered = [.. args];
        foreach (string option in several)
        {
            int end = End(gathered, gathered.IndexOf(option));
            for (int again = gathered.IndexOf(option, end); again >= 0; again = gathered.IndexOf(option, end))
            {
                int count = End(gathered, again) - again - 1;
                if (count == 0) break; // it lacks its value, which is said elsewhere
                List<string> values = gathered.GetRange(again + 1, count);
                gathered.RemoveRange(again, count + 1);
                gathered.InsertRange(end, values);
                end += count;
            }
        }

        return [.. gathered];
    }

    // Where the values of the option at a place end.
    private static int End(List<string> args, int option)
    {
        if (option < 0) return args.Count;
        int end = args.FindIndex(option + 1, arg => arg.StartsWith('-'));
        return end < 0 ? args.Count : end;
    }
}
