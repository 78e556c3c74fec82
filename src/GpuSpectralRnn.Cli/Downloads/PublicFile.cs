using System.Security.Cryptography;
using GpuSpectralRnn.Formats;

namespace GpuSpectralRnn.Cli.Downloads;

/// <summary>A file of a public data set.</summary>
/// <param name="Name">File name.</param>
/// <param name="Address">Its URL.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Md5">The checksum its publisher (or who keeps the copy) gives, in lower-case hexadecimal. It tells a broken download, not a forged
/// one.</param>
internal sealed record PublicFile(string Name, Uri Address, long Bytes, string Md5)
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1); // of a server that has begun to send

    /// <summary>Leaves the verified file in <paramref name="folder"/>; what is there and whole is not fetched again.</summary>
    /// <returns>Whether it had to be downloaded.</returns>
    /// <exception cref="RunFailedException">The download failed, or what is there or came is not the published file.</exception>
    public bool Get(string folder, HttpClient client)
    {
        string path = Path.Combine(folder, Name);
        if (File.Exists(path))
        {
            using FileStream stream = File.OpenRead(path);
            string found = Convert.ToHexStringLower(MD5.HashData(stream));
            if (found == Md5) return false;
            throw new BrokenFileException(path, $"its MD5 is {found}, the publisher's {Md5}; delete the file to fetch it anew.");
        }

        AtomicFile.Write(path, stream =>
        {
            (string came, long bytes) = Download(client, stream);
            if (came != Md5)
                throw new RunFailedException($"{Address} sent {bytes} bytes with MD5 {came} instead of {Bytes} bytes with {Md5}; nothing was kept, try again later.");
        });
        return true;
    }

    // Writes what comes, and gives its checksum and length.
    private (string Md5, long Bytes) Download(HttpClient client, Stream to)
    {
        byte[] buffer = new byte[1 << 16];
        using CancellationTokenSource silence = new();
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        using Stream from = Receive(() => client.GetStreamAsync(Address, silence.Token).GetAwaiter().GetResult());
        long bytes = 0;
        while (Receive(() => Read(from, buffer, silence)) is > 0 and var got)
        {
            hash.AppendData(buffer, 0, got);
            to.Write(buffer, 0, got);
            bytes += got;
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset()), bytes);
    }

    private static int Read(Stream from, byte[] buffer, CancellationTokenSource silence)
    {
        silence.CancelAfter(LongestSilence);
        return from.ReadAsync(buffer, silence.Token).AsTask().GetAwaiter().GetResult();
    }

    private T Receive<T>(Func<T> receive)
    {
        try
        {
            return receive();
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            throw new RunFailedException(
                $"{Address} cannot be downloaded: {e.Message.TrimEnd('.')}. Check the network, or fetch the file by hand.", e);
        }
    }
}
