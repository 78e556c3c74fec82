using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using GpuSpectralRnn.Networks;

namespace GpuSpectralRnn.Training;

/// <summary>What the members of a group make sure of together.</summary>
public static class ReplicaAgreement
{
    /// <summary>Gives all members the weights of the first one.</summary>
    public static void ShareWeights(this IReplicas replicas, Network network)
    {
        if (replicas.Size == 1) return;
        float[] values = network.Parameters.Values.ToArray();
        replicas.Broadcast<float>(values);
        network.Parameters.Values.CopyFrom<float>(values);
    }

    /// <summary>Checks that all members have the same weights, as they must after equal steps.</summary>
    /// <param name="replicas">The group.</param>
    /// <param name="weights">Of this member.</param>
    /// <param name="step">After which step, for the message.</param>
    /// <exception cref="RunFailedException">They differ; the message says at whom.</exception>
    public static void CheckWeights(this IReplicas replicas, ReadOnlySpan<float> weights, long step)
    {
        if (replicas.Size == 1) return;
        if (FindOther(replicas, MemoryMarshal.AsBytes(weights)) is { } other)
            throw new RunFailedException(
                $"After step {step} the weights of member {other} differ from those of member 0: do all run the same version on processors of the same kind?");
    }

    /// <summary>Checks that something is the same at all members.</summary>
    /// <param name="replicas">The group.</param>
    /// <param name="what">For the message, for example <c>training data</c>.</param>
    /// <param name="value">Of this member.</param>
    /// <exception cref="InvalidCallException">It differs; the message says at whom.</exception>
    public static void CheckEqual(this IReplicas replicas, string what, string value)
    {
        if (FindOther(replicas, Encoding.UTF8.GetBytes(value)) is { } other)
            throw new InvalidCallException($"Member {other} has another {what} than member 0; start all with the same.");
    }

    /// <summary>Has the first member do what one alone must do, such as writing a file; the others wait and learn how it went.</summary>
    /// <param name="replicas">The group.</param>
    /// <param name="what">For the message, for example <c>write the model</c>.</param>
    /// <param name="work">What is done.</param>
    /// <exception cref="RunFailedException">At the others: the first member failed. At the first member its own exception is thrown.</exception>
    public static void FirstDoes(this IReplicas replicas, string what, Action work)
    {
        if (replicas.Rank == 0)
        {
            bool isDone = false;
            try
            {
                work();
                isDone = true;
            }
            finally
            {
                Tell(replicas, isDone);
            }
        }
        else if (!Tell(replicas, false))
        {
            throw new RunFailedException($"Member 0 could not {what}.");
        }
    }

    // The first member whose bytes are not those of member 0.
    private static int? FindOther(IReplicas replicas, ReadOnlySpan<byte> bytes)
    {
        if (replicas.Size == 1) return null;
        byte[] own = SHA256.HashData(bytes);
        byte[][] hashes = [.. replicas.Gather<byte>(own).Chunk(own.Length)];
        int other = Array.FindIndex(hashes, hash => !hash.AsSpan().SequenceEqual(hashes[0]));
        return other > 0 ? other : null;
    }

    private static bool Tell(IReplicas replicas, bool isDone)
    {
        Span<byte> told = [(byte)(isDone ? 1 : 0)];
        replicas.Broadcast(told);
        return told[0] == 1;
    }
}
