using GpuSpectralRnn.Compute;
using GpuSpectralRnn.Compute.Host;

namespace GpuSpectralRnn.Tests.Compute.Host;

// The tests of every operation, on the host. Three threads: more than the parts of small problems, and odd.
public class HostGemmTests : GemmTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostLinearTests : LinearTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostSumsTests : SumsTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostEmbeddingTests : EmbeddingTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostElmanLayerTests : ElmanLayerTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostRecurrentLayerTests : RecurrentLayerTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostLossTests : LossTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostOptimizerTests : OptimizerTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostRandomTests : RandomTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostGramTests : GramTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostSymmetricEigenTests : SymmetricEigenTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}

public class HostTransferTests : TransferTests
{
    protected override IBackend Backend { get; } = new HostBackend(3);
}
