using System.Net;
using System.Security.Cryptography;
using GpuSpectralRnn.Cli.Downloads;
using GpuSpectralRnn.Cli.Tests.Support;

namespace GpuSpectralRnn.Cli.Tests.Downloads;

/// <summary>Downloads are kept only when they are what was published.</summary>
public class PublicFileTests
{
    private static readonly byte[] Content = [1, 2, 3, 5, 8];

    [Fact]
    public void AGoodFileIsKeptAndNotFetchedAgain()
    {
        using Folder folder = new();
        using HttpClient client = new(new Server(Content));
        PublicFile file = Published(Content);
        Assert.True(file.Get(folder.Path, client));
        Assert.Equal(Content, File.ReadAllBytes(folder["f"]));
        using HttpClient silent = new(new Server(null));
        Assert.False(file.Get(folder.Path, silent));
    }

    [Fact]
    public void AnotherFileIsNotKept()
    {
        using Folder folder = new();
        using HttpClient client = new(new Server([9, 9]));
        RunFailedException e = Assert.Throws<RunFailedException>(() => Published(Content).Get(folder.Path, client));
        Assert.Contains("MD5", e.Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void ABrokenFileThatIsThereIsNamedAndLeftAlone()
    {
        using Folder folder = new();
        File.WriteAllBytes(folder["f"], [7]);
        using HttpClient client = new(new Server(Content));
        BrokenFileException e = Assert.Throws<BrokenFileException>(() => Published(Content).Get(folder.Path, client));
        Assert.Contains("delete", e.Message);
        Assert.Equal([7], File.ReadAllBytes(folder["f"]));
    }

    [Fact]
    public void AServerThatFailsIsARunThatFailed()
    {
        using Folder folder = new();
        using HttpClient client = new(new Server(null));
        RunFailedException e = Assert.Throws<RunFailedException>(() => Published(Content).Get(folder.Path, client));
        Assert.Contains("http://publisher.test/f", e.Message);
    }

    private static PublicFile Published(byte[] content) =>
        new("f", new Uri("http://publisher.test/f"), content.Length, Convert.ToHexStringLower(MD5.HashData(content)));

    private sealed class Server(byte[]? content) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(content is null
                ? new HttpResponseMessage(HttpStatusCode.NotFound)
                : new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(content) });
    }
}
