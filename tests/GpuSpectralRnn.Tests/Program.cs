using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace GpuSpectralRnn.Tests;

/// <summary>
/// Runs tests of this assembly as a program, for machines without the .NET SDK: <c>GpuSpectralRnn.Tests [PREFIX...]</c> runs the classes whose names
/// start with one of the words (<c>Cuda</c>), or all. One line per failure and skip, then the counts; exit code 1 after a failure.
/// </summary>
internal static class Program
{
    private static int Main(string[] prefixes)
    {
        Assembly assembly = typeof(Program).Assembly;
        using XunitTestFramework framework = new(new Report());
        Options options = new();
        Cases cases = new();
        using ITestFrameworkDiscoverer discoverer = framework.GetDiscoverer(new ReflectionAssemblyInfo(assembly));
        discoverer.Find(includeSourceInformation: false, cases, options);
        cases.Finished.WaitOne();
        ITestCase[] chosen = [.. cases.Found.Where(test => prefixes.Length == 0 || prefixes.Any(prefix => ClassOf(test).StartsWith(prefix, StringComparison.Ordinal)))];
        Report report = new();
        using ITestFrameworkExecutor executor = framework.GetExecutor(assembly.GetName());
        executor.RunTests(chosen, report, options);
        report.Finished.WaitOne();
        Console.WriteLine($"{report.Passed} passed, {report.Failed} failed, {report.Skipped} skipped in {report.Seconds:0.0} s");
        return report.Failed > 0 || chosen.Length == 0 ? 1 : 0;
    }

    private static string ClassOf(ITestCase test) => test.TestMethod.TestClass.Class.Name.Split('.')[^1];

    private sealed class Cases : LongLivedMarshalByRefObject, IMessageSink
    {
        public List<ITestCase> Found { get; } = [];

        public ManualResetEvent Finished { get; } = new(false);

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestCaseDiscoveryMessage found) Found.Add(found.TestCase);
            else if (message is IDiscoveryCompleteMessage) Finished.Set();
            return true;
        }
    }

    private sealed class Report : LongLivedMarshalByRefObject, IMessageSink
    {
        public int Passed { get; private set; }

        public int Failed { get; private set; }

        public int Skipped { get; private set; }

        public decimal Seconds { get; private set; }

        public ManualResetEvent Finished { get; } = new(false);

        public bool OnMessage(IMessageSinkMessage message)
        {
            switch (message)
            {
                case ITestPassed:
                    Passed++;
                    break;
                case ITestSkipped skipped:
                    Skipped++;
                    Console.WriteLine($"skipped {skipped.Test.DisplayName}: {skipped.Reason}");
                    break;
                case ITestFailed failed:
                    Failed++;
                    Console.WriteLine($"FAILED {failed.Test.DisplayName}: {string.Join(Environment.NewLine, failed.Messages)}{Environment.NewLine}{failed.StackTraces[0]}");
                    break;
                case IErrorMessage error:
                    Failed++;
                    Console.WriteLine($"FAILED outside of a test: {string.Join(Environment.NewLine, error.Messages)}");
                    break;
                case ITestAssemblyFinished finished:
                    Seconds = finished.ExecutionTime;
                    Finished.Set();
                    break;
            }

            return true;
        }
    }

    /// <summary>One test at a time: a device serves one thread.</summary>
    private sealed class Options : LongLivedMarshalByRefObject, ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> values = new() { ["xunit.execution.DisableParallelization"] = true, ["xunit.discovery.PreEnumerateTheories"] = true };

        public TValue GetValue<TValue>(string name) => values.TryGetValue(name, out object? value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => values[name] = value;
    }
}
