using Genkit.Sidecar.IntegrationTests.Infrastructure;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Genkit.Sidecar.IntegrationTests;

/// <summary>TLS and Unix sockets to the application.</summary>
public sealed class TransportTests
{
    [Fact]
    public async Task Application_OnAUnixSocket_IsCalled()
    {
        var folder = Directory.CreateTempSubdirectory("genkit-sidecar");
        try
        {
            await using var application = await FakeApplication.StartAsync($"unix:{Path.Combine(folder.FullName, "app.sock")}");

            await AssertRunsAsync(application);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Application_WithPrivateCertificateAuthority_IsTrustedByAppCa()
    {
        using var certificates = new Certificates();
        await using var application = await StartTlsAsync(certificates);

        await AssertRunsAsync(application, "--app-ca", certificates.AuthorityFile);
    }

    [Fact]
    public async Task Application_CertificateForAnotherName_IsTakenByAppAuthority()
    {
        using var certificates = new Certificates("menu.example");
        await using var application = await StartTlsAsync(certificates);
        var authority = "";
        application.Methods["Configure"] = call =>
        {
            authority = call.Metadata.Host.ToString();
            return call.ReplyAsync(new V1.ConfigureResponse());
        };

        await AssertRunsAsync(application, "--app-ca", certificates.AuthorityFile, "--app-authority", "menu.example");

        Assert.Equal("menu.example", authority);
    }

    [Fact]
    public async Task Application_CertificateForAnotherName_IsRefusedAndToldHow()
    {
        using var certificates = new Certificates("menu.example");
        await using var application = await StartTlsAsync(certificates);

        var message = await AssertFailsAsync(application, "--app-ca", certificates.AuthorityFile);

        Assert.Contains("is for 'menu.example', not for '127.0.0.1'. Name the host that the certificate is for with --app-authority", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_UnknownAuthority_IsRefusedAndToldHow()
    {
        using var certificates = new Certificates();
        await using var application = await StartTlsAsync(certificates);

        var message = await AssertFailsAsync(application);

        Assert.Contains("is not trusted", message, StringComparison.Ordinal);
        Assert.Contains("Name the certificate authority with --app-ca", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_WantsAClientCertificate_GetsIt()
    {
        using var certificates = new Certificates();
        await using var application = await StartTlsAsync(certificates, ClientCertificateMode.RequireCertificate);

        await AssertRunsAsync(
            application, "--app-ca", certificates.AuthorityFile, "--app-cert", certificates.ClientFile, "--app-key", certificates.ClientKeyFile);
    }

    [Fact]
    public async Task Application_WantsAClientCertificateThatIsNotGiven_IsUnavailable()
    {
        using var certificates = new Certificates();
        await using var application = await StartTlsAsync(certificates, ClientCertificateMode.RequireCertificate);

        await AssertFailsAsync(application, "--app-ca", certificates.AuthorityFile);
    }

    private static Task<FakeApplication> StartTlsAsync(Certificates certificates, ClientCertificateMode mode = ClientCertificateMode.NoCertificate) =>
        FakeApplication.StartAsync(configure: options => options.UseHttps(https =>
        {
            https.ServerCertificate = certificates.Server;
            https.ClientCertificateMode = mode;
            https.ClientCertificateValidation = (certificate, _, _) => certificate.Subject == certificates.Client.Subject;
        }));

    private static async Task AssertRunsAsync(FakeApplication application, params string[] flags)
    {
        application.Actions["/flow/echo"] = (call, request) => call.ResultAsync(request.InputJson.ToStringUtf8());
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, flags);
        var peer = await manager.AcceptRegisteredAsync();

        var frames = await peer.AskAsync(Requests.Run("1", "/flow/echo", "[1]"));

        Assert.Equal("[1]", frames[^1].Result());
    }

    private static async Task<string> AssertFailsAsync(FakeApplication application, params string[] flags)
    {
        await using var manager = await FakeManager.StartAsync();
        await using var sidecar = await SidecarFixture.StartAsync(manager.Address, application.Address, [.. flags, "--app-start-timeout", "0"]);
        var peer = await manager.AcceptRegisteredAsync();
        var answer = await peer.AskForOneAsync(Requests.ListActions("1"));
        return answer.AssertFailure(14);
    }
}
