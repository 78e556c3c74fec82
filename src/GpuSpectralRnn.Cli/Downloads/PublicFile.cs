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

        byte[] content = Download(client);
        string came = Convert.ToHexStringLower(MD5.HashData(content));
        if (came != Md5)
        {
            throw new RunFailedException(
                $"{Address} sent {content.Length} bytes with MD5 {came} instead of {Bytes} bytes with {Md5}; nothing was kept, try again later.");
        }

        AtomicFile.Write(path, stream => stream.Write(content));
        return true;
    }

    private byte[] Download(HttpClient client)
    {
        try
        {
            return client.GetByteArrayAsync(Address).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
        {
            throw new RunFailedException(
                $"{Address} cannot be downloaded: {e.Message.TrimEnd('.')}. Check the network, or fetch the file by hand.", e);
        }
    }
}
