using GpuSpectralRnn.Tests.Support;

namespace GpuSpectralRnn.Tests.Compute.Ilgpu;

/// <summary>Losses as real devices compute them: from 512 classes on a row a group of 256.</summary>
[Collection("wide simulator")]
public sealed class WideLossTests(WideDevice device) : LossChecks(device)
{
    [Theory]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(769)]
    public void Rows_in_groups_agree_with_the_definition(int classes)
    {
        CheckCrossEntropy(2, classes);
        CheckDivergence(1, classes);
        CheckTies(classes);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 85)] // less than a group
    [InlineData(37, 128)] // several groups, each with several numbers a thread
    public void Squared_errors_in_groups_agree_with_the_definition(int rows, int columns) => CheckSquaredError(rows, columns);
}

/// <summary>The norm of many gradients in two rounds.</summary>
[Collection("wide simulator")]
public sealed class WideClippingTests(WideDevice device) : ClippingChecks(device)
{
    [Theory]
    [InlineData(128)] // one round
    [InlineData(129)]
    [InlineData(1024)]
    [InlineData(5003)] // more gradients than items
    public void The_norm_of_many_gradients(int count) => CheckClipping(count);
}
