using GpuSpectralRnn.Cli.Data;
using GpuSpectralRnn.Pruning;

namespace GpuSpectralRnn.Cli.Calls;

/// <summary>Help texts of options that follow from a registry. Public, as the parser demands of what it looks texts up in.</summary>
public static class HelpTexts
{
    /// <summary>The data formats, those of one description together: <c>adding, copy: synthetic ...</c>.</summary>
    public static string Data =>
        string.Join("; ", DataFormat.All.GroupBy(format => format.About, (about, same) => $"{string.Join(", ", same.Select(format => format.Name))}: {about}")) + ".";

    /// <summary>Their names, where a model says which one suits.</summary>
    public static string DataOfModel
    {
        get
        {
            string[] names = [.. DataFormat.All.Select(format => format.Name)];
            return $"{string.Join(", ", names[..^1])} or {names[^1]}, as for train; " +
                "not needed where all is loaded with --load-covariance (no adjoint-weighted loss then).";
        }
    }

    /// <summary>The methods that can be compared.</summary>
    public static string Methods =>
        string.Join(", ", MethodSpec.All.Select(method => method.Name)) + " (-without: not reconstructed), spectral (auto).";
}
