using System.Runtime.InteropServices;

namespace GpuSpectralRnn.Mpi;

/// <summary>
/// A library whose symbols are seen by libraries that come later. The runtime's own loader hides them, and Open MPI's parts, which it loads itself,
/// look for its symbols there.
/// </summary>
internal sealed unsafe class SharedObject
{
    private const int BindNow = 2;
    private const int Global = 0x100;

    // Older C libraries have dlopen in a library of its own; the running program has it in any case.
    private static readonly nint Program = NativeLibrary.GetMainProgramHandle();
    private static readonly delegate* unmanaged[Cdecl]<byte*, int, nint> Dlopen = (delegate* unmanaged[Cdecl]<byte*, int, nint>)Export("dlopen");
    private static readonly delegate* unmanaged[Cdecl]<nint, byte*, nint> Dlsym = (delegate* unmanaged[Cdecl]<nint, byte*, nint>)Export("dlsym");
    private static readonly delegate* unmanaged[Cdecl]<nint> Dlerror = (delegate* unmanaged[Cdecl]<nint>)Export("dlerror");
    private static readonly delegate* unmanaged[Cdecl]<byte*, byte*, int, int> Setenv =
        (delegate* unmanaged[Cdecl]<byte*, byte*, int, int>)Export("setenv");

    private static readonly delegate* unmanaged[Cdecl]<uint, int> Usleep = (delegate* unmanaged[Cdecl]<uint, int>)Export("usleep");

    private readonly nint handle;

    private SharedObject(string name, nint handle) => (Name, this.handle) = (name, handle);

    /// <summary>As it was asked for.</summary>
    public string Name { get; }

    /// <summary>Loads a library, once and for good.</summary>
    /// <param name="name">Name or path.</param>
    /// <param name="error">The system's reason, which names the library, if there is none.</param>
    public static SharedObject? Open(string name, out string error)
    {
        // UCX, below MPICH, takes over the signals of memory faults, of which the runtime makes NullReferenceException.
        SetEnvironment("UCX_ERROR_SIGNALS", "");
        SetEnvironment("UCX_HANDLE_ERRORS", "none");
        using Utf8Text text = new(name);
        nint handle = Dlopen(text.Address, BindNow | Global);
        error = handle != 0 ? "" : Marshal.PtrToStringUTF8(Dlerror()) ?? name;
        return handle == 0 ? null : new SharedObject(name, handle);
    }

    /// <summary>Sleeps.</summary>
    public static void Sleep(int microseconds) => _ = Usleep((uint)microseconds);

    /// <summary>Address of a function or an object.</summary>
    /// <exception cref="InvalidCallException">The library has none of this name, so it is no MPI.</exception>
    public nint Find(string symbol)
    {
        nint address = FindOrZero(symbol);
        return address != 0 ? address : throw new InvalidCallException($"MPI: {Name} is no MPI library: it has no {symbol}.");
    }

    /// <summary>Address of a function or an object; 0 where there is none.</summary>
    public nint FindOrZero(string symbol)
    {
        using Utf8Text text = new(symbol);
        return Dlsym(handle, text.Address);
    }

    // In the C library's environment, which the runtime copies at its start and never writes; what a user has set, stays.
    private static void SetEnvironment(string name, string value)
    {
        using Utf8Text nameText = new(name), valueText = new(value);
        _ = Setenv(nameText.Address, valueText.Address, 0);
    }

    private static nint Export(string name) => NativeLibrary.GetExport(Program, name);

    private readonly ref struct Utf8Text(string text)
    {
        private readonly nint memory = Marshal.StringToCoTaskMemUTF8(text);

        public byte* Address => (byte*)memory;

        public void Dispose() => Marshal.FreeCoTaskMem(memory);
    }
}
