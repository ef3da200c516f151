using Genkit.Sidecar.Conformance.Reference;

namespace Genkit.Sidecar.Conformance.Tests;

/// <summary>Applications behind TLS.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("genkit-conformance");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Program_WithTheAuthorityOfAnApplicationBehindTls_TestsIt()
    {
        await using var application = await ReferenceApplication.StartAsync(Cases.Catalogue, null, new HashSet<string>());
        await using var proxy = new TlsProxy(new Uri(application.Address).Port);
        var authority = Path.Combine(_folder.FullName, "ca.pem");
        await File.WriteAllTextAsync(authority, proxy.Authority, TestContext.Current.CancellationToken);

        var (exitCode, _, error) = await ConformanceProcess.RunAsync("--app", proxy.Address, "--app-ca", authority, "--only", "plain/greet", "--only", "plain/new-connection");

        Assert.Empty(error);
        Assert.Equal(0, exitCode);
    }

    [Fact]
    public async Task Program_WithoutTheAuthorityOfAnApplicationBehindTls_SaysThatItIsNotTrusted()
    {
        await using var application = await ReferenceApplication.StartAsync(Cases.Catalogue, null, new HashSet<string>());
        await using var proxy = new TlsProxy(new Uri(application.Address).Port);

        var (exitCode, _, error) = await ConformanceProcess.RunAsync("--app", proxy.Address, "--only", "plain/greet");

        Assert.Equal(2, exitCode);
        Assert.Contains("certificate", error, StringComparison.Ordinal);
    }
}
