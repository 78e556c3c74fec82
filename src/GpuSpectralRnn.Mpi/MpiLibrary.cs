using System.Text;

namespace GpuSpectralRnn.Mpi;

/// <summary>The functions of a loaded MPI library that are used here, and the constants of its flavour.</summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Bytes that hold the status of a message in either flavour (24 and 20).</summary>
    public const int StatusBytes = 64;

    private const int Funneled = 1; // only the thread that starts MPI calls it
    private const int LongestText = 8192; // MPI_MAX_LIBRARY_VERSION_STRING of MPICH; Open MPI's is 256
    private const int LongestError = 512;

    private readonly delegate* unmanaged[Cdecl]<void*, void*, int, int*, int> initThread;
    private readonly delegate* unmanaged[Cdecl]<int*, int> initialized;
    private readonly delegate* unmanaged[Cdecl]<nint, nint, int> setErrorHandler;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> rank;
    private readonly delegate* unmanaged[Cdecl]<nint, int*, int> size;
    private readonly delegate* unmanaged[Cdecl]<byte*, int, nint, int, int, nint, nint*, int> isend;
    private readonly delegate* unmanaged[Cdecl]<byte*, int, nint, int, int, nint, nint*, int> irecv;
    private readonly delegate* unmanaged[Cdecl]<nint*, int*, byte*, int> test;
    private readonly delegate* unmanaged[Cdecl]<byte*, nint, int*, int> getCount;
    private readonly delegate* unmanaged[Cdecl]<byte*, int, nint, byte*, int, nint, nint, nint*, int> iallgather;
    private readonly delegate* unmanaged[Cdecl]<byte*, int, nint, int, nint, nint*, int> ibcast;
    private readonly delegate* unmanaged[Cdecl]<int, byte*, int*, int> errorString;
    private readonly delegate* unmanaged[Cdecl]<nint, int, int> abort;
    private readonly delegate* unmanaged[Cdecl]<int> finalize;
    private readonly nint world;
    private readonly nint bytes;
    private readonly nint errorsReturn;

    /// <summary>Binds.</summary>
    /// <exception cref="InvalidCallException">It is no MPI library, or of neither flavour.</exception>
    public MpiLibrary(SharedObject library)
    {
        Name = library.Name;
        initThread = (delegate* unmanaged[Cdecl]<void*, void*, int, int*, int>)library.Find("MPI_Init_thread");
        initialized = (delegate* unmanaged[Cdecl]<int*, int>)library.Find("MPI_Initialized");
        setErrorHandler = (delegate* unmanaged[Cdecl]<nint, nint, int>)library.Find("MPI_Comm_set_errhandler");
        rank = (delegate* unmanaged[Cdecl]<nint, int*, int>)library.Find("MPI_Comm_rank");
        size = (delegate* unmanaged[Cdecl]<nint, int*, int>)library.Find("MPI_Comm_size");
        isend = (delegate* unmanaged[Cdecl]<byte*, int, nint, int, int, nint, nint*, int>)library.Find("MPI_Isend");
        irecv = (delegate* unmanaged[Cdecl]<byte*, int, nint, int, int, nint, nint*, int>)library.Find("MPI_Irecv");
        test = (delegate* unmanaged[Cdecl]<nint*, int*, byte*, int>)library.Find("MPI_Test");
        getCount = (delegate* unmanaged[Cdecl]<byte*, nint, int*, int>)library.Find("MPI_Get_count");
        iallgather = (delegate* unmanaged[Cdecl]<byte*, int, nint, byte*, int, nint, nint, nint*, int>)library.Find("MPI_Iallgather");
        ibcast = (delegate* unmanaged[Cdecl]<byte*, int, nint, int, nint, nint*, int>)library.Find("MPI_Ibcast");
        errorString = (delegate* unmanaged[Cdecl]<int, byte*, int*, int>)library.Find("MPI_Error_string");
        abort = (delegate* unmanaged[Cdecl]<nint, int, int>)library.Find("MPI_Abort");
        finalize = (delegate* unmanaged[Cdecl]<int>)library.Find("MPI_Finalize");
        Version = ReadVersion((delegate* unmanaged[Cdecl]<byte*, int*, int>)library.Find("MPI_Get_library_version"));
        Flavour = FlavourOf(library);
        (world, bytes, errorsReturn) = Flavour == MpiFlavour.OpenMpi
            ? (library.Find("ompi_mpi_comm_world"), library.Find("ompi_mpi_byte"), library.Find("ompi_mpi_errors_return"))
            : (0x44000000, 0x4c00010d, 0x54000001);
    }

    /// <summary>As it was asked for.</summary>
    public string Name { get; }

    /// <summary>What the library says of itself, one line.</summary>
    public string Version { get; }

    /// <summary>Which of the two interfaces it has.</summary>
    public MpiFlavour Flavour { get; }

    /// <summary>What the first call that failed said; null: none did.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether MPI was started in this process, also if it has ended.</summary>
    public bool IsStarted
    {
        get
        {
            int flag;
            Check(initialized(&flag), "MPI_Initialized");
            return flag != 0;
        }
    }

    /// <summary>The number of this process.</summary>
    public int Rank
    {
        get
        {
            int value;
            Check(rank(world, &value), "MPI_Comm_rank");
            return value;
        }
    }

    /// <summary>Processes that run together.</summary>
    public int Size
    {
        get
        {
            int value;
            Check(size(world, &value), "MPI_Comm_size");
            return value;
        }
    }

    /// <summary>Starts MPI; errors are returned from now on.</summary>
    public void Start()
    {
        int provided;
        Check(initThread(null, null, Funneled, &provided), "MPI_Init_thread");
        Check(setErrorHandler(world, errorsReturn), "MPI_Comm_set_errhandler");
        if (provided < Funneled) throw Failed($"MPI: {Name} is built for programs of a single thread, which .NET's are not.");
    }

    /// <summary>Begins to send.</summary>
    public nint Send(byte* values, int count, int to)
    {
        nint request = 0;
        Check(isend(values, count, bytes, to, 0, world, &request), "MPI_Isend");
        return request;
    }

    /// <summary>Begins to receive.</summary>
    public nint Receive(byte* values, int count, int from)
    {
        nint request = 0;
        Check(irecv(values, count, bytes, from, 0, world, &request), "MPI_Irecv");
        return request;
    }

    /// <summary>Begins to collect.</summary>
    public nint Gather(byte* own, int count, byte* all)
    {
        nint request = 0;
        Check(iallgather(own, count, bytes, all, count, bytes, world, &request), "MPI_Iallgather");
        return request;
    }

    /// <summary>Begins to hand on what process 0 has.</summary>
    public nint Broadcast(byte* values, int count)
    {
        nint request = 0;
        Check(ibcast(values, count, bytes, 0, world, &request), "MPI_Ibcast");
        return request;
    }

    /// <summary>Whether what was begun is done.</summary>
    /// <param name="request">What was begun.</param>
    /// <param name="status">Receives <see cref="StatusBytes"/> that tell what came.</param>
    public bool IsDone(ref nint request, byte* status)
    {
        int flag;
        fixed (nint* address = &request) Check(test(address, &flag, status), "MPI_Test");
        return flag != 0;
    }

    /// <summary>Bytes that came.</summary>
    public int Count(byte* status)
    {
        int count;
        Check(getCount(status, bytes, &count), "MPI_Get_count");
        return count;
    }

    /// <summary>Ends all processes, this one too.</summary>
    public void Abort(int code) => _ = abort(world, code);

    /// <summary>Ends MPI, when all processes do.</summary>
    public void End() => Check(finalize(), "MPI_Finalize");

    /// <summary>An error after which the group cannot go on.</summary>
    public RunFailedException Failed(string message)
    {
        Failure ??= message;
        return new RunFailedException(message);
    }

    private static string ReadVersion(delegate* unmanaged[Cdecl]<byte*, int*, int> getVersion)
    {
        byte[] text = new byte[LongestText];
        int length;
        fixed (byte* address = text) _ = getVersion(address, &length);
        string line = Encoding.UTF8.GetString(text, 0, int.Clamp(length, 0, text.Length)).Split('\n', '\0')[0];
        return line.Replace('\t', ' ').Trim();
    }

    private MpiFlavour FlavourOf(SharedObject library)
    {
        if (library.FindOrZero("ompi_mpi_comm_world") != 0) return MpiFlavour.OpenMpi;
        string[] kin = ["MPICH", "Intel", "MVAPICH"];
        return kin.Any(name => Version.Contains(name, StringComparison.OrdinalIgnoreCase))
            ? MpiFlavour.Mpich
            : throw new InvalidCallException($"MPI: {Name} calls itself '{Version}', which is neither Open MPI nor of MPICH's interface.");
    }

    private void Check(int code, string function)
    {
        if (code == 0) return;
        byte* text = stackalloc byte[LongestError];
        int length = 0;
        string said = errorString(code, text, &length) == 0 ? Encoding.UTF8.GetString(text, length) : $"error {code}";
        throw Failed($"MPI: {function} failed: {said.ReplaceLineEndings(" ").Trim()}");
    }
}
