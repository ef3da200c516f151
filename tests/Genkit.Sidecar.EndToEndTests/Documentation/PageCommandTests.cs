using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Genkit.Sidecar.EndToEndTests.Infrastructure;

namespace Genkit.Sidecar.EndToEndTests.Documentation;

/// <summary>The commands of the pages in docs/, over the application of the README.</summary>
public sealed class PageCommandTests : EndToEndTest
{
    private const string ApplicationAddress = "127.0.0.1:50051";
    private const string FlowAddress = "127.0.0.1:3400";
    private const string HealthAddress = "127.0.0.1:9466";
    private const string TlsAddress = "app.internal:8443";

    private readonly DocumentedShell _shell;

    public PageCommandTests() => _shell = new(Workspace);

    [Theory]
    [DocumentedCommand("docs/settings.md", "genkit-sidecar actions --app", "GENKIT_SIDECAR_APP=", "genkit-sidecar actions --config")]
    public async Task Settings_InEachSource_AreUsed(string flags, string variables, string file)
    {
        var address = await _shell.StartApplicationAsync();
        var page = new DocumentedPage("docs/settings.md");
        await _shell.AddFileAsync("sidecar.json", page.Blocks("json").Single().Replace(ApplicationAddress, address, StringComparison.Ordinal));

        foreach (var command in new[] { flags, variables, file })
        {
            Assert.Contains("/flow/greet", await _shell.RunAsync(command.Replace(ApplicationAddress, address, StringComparison.Ordinal)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [DocumentedCommand("docs/troubleshooting.md", "genkit-sidecar doctor")]
    public async Task Doctor_OfAWorkingApplication_FindsNoFailure(string command)
    {
        var address = await _shell.StartApplicationAsync();

        var printed = await _shell.RunAsync(command.Replace(ApplicationAddress, address, StringComparison.Ordinal), new Dictionary<string, string> { ["GENKIT_ENV"] = "dev" });

        Assert.DoesNotContain("failed", printed, StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand("docs/flow-server.md", "genkit-sidecar run", "curl")]
    public async Task FlowServer_CalledWithCurl_GivesTheAnswerOfThePage(string run, string curl)
    {
        await _shell.AddApplicationAsync();
        var address = DocumentedShell.FreeAddress();
        _shell.Start(run.Replace(FlowAddress, address, StringComparison.Ordinal));

        var printed = await _shell.RetryAsync(Curl(curl.Replace(FlowAddress, address, StringComparison.Ordinal)));

        Assert.Contains($"The answer is `{printed}`.", new DocumentedPage("docs/flow-server.md").Text, StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand("docs/security.md", "GENKIT_SIDECAR_FLOW_TOKEN=")]
    public async Task FlowServer_WithAToken_RefusesCallersWithoutIt(string run)
    {
        await _shell.AddApplicationAsync();
        var address = DocumentedShell.FreeAddress();
        var port = address.Split(':')[1];
        _shell.Start(run.Replace(":3400", $":{port}", StringComparison.Ordinal));
        var call = $$$"""curl --silent http://{{{address}}}/greet -H 'Content-Type: application/json' -d '{"data": {"name": "Ada"}}'""";

        await _shell.RetryAsync($"{call} -H 'Authorization: Bearer SECRET' --fail");

        Assert.Contains("UNAUTHENTICATED", await _shell.RunAsync(call), StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand("docs/security.md", "genkit-sidecar actions --app https://")]
    public async Task Actions_OfAnApplicationThatWantsACertificate_AreListed(string command)
    {
        await AddCertificatesAsync();
        var address = await StartTlsApplicationAsync("certificate");

        Assert.Contains("/flow/greet", await _shell.RunAsync(command.Replace(TlsAddress, address, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand("docs/security.md", "GENKIT_SIDECAR_APP_HEADER=")]
    public async Task Actions_OfAnApplicationThatWantsAToken_AreListed(string command)
    {
        await AddCertificatesAsync();
        var address = await StartTlsApplicationAsync("token");

        // In place of an authority that the system trusts.
        var trusted = new Dictionary<string, string> { ["SSL_CERT_FILE"] = Path.Combine(Workspace.Folder, "ca.pem") };
        Assert.Contains("/flow/greet", await _shell.RunAsync(command.Replace(TlsAddress, address, StringComparison.Ordinal), trusted), StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand("docs/endpoints.md", "GENKIT_ENV=dev", "genkit-sidecar health", "curl")]
    public async Task Health_OfASidecar_IsReadyAndHasMetrics(string run, string health, string curl)
    {
        await _shell.AddApplicationAsync();
        var (flows, address) = (DocumentedShell.FreeAddress(), DocumentedShell.FreeAddress());
        _shell.Start(run.Replace(FlowAddress, flows, StringComparison.Ordinal).Replace(HealthAddress, address, StringComparison.Ordinal));

        Assert.StartsWith("ok\n", await _shell.RetryAsync(health, new Dictionary<string, string> { ["GENKIT_SIDECAR_HEALTH"] = address }), StringComparison.Ordinal);
        Assert.Contains("genkit_sidecar_application_up 1", await _shell.RunAsync(Curl(curl.Replace(HealthAddress, address, StringComparison.Ordinal))), StringComparison.Ordinal);
    }

    [Theory]
    [DocumentedCommand("docs/endpoints.md", "genkit start --experimental-reflection-v2", "genkit-sidecar run --env-file")]
    public async Task EnvFile_OfTheCli_LeadsTheSidecarToIt(string start, string run)
    {
        var address = await _shell.StartApplicationAsync();
        var cli = _shell.Start(start);
        _shell.Start(run.Replace(ApplicationAddress, address, StringComparison.Ordinal));

        using var tools = await ToolsApi.OfAsync(cli);

        Assert.True((await tools.QueryAsync("listActions")).TryGetProperty("/flow/greet", out _));
    }

    [Theory]
    [DocumentedCommand("docs/endpoints.md", "genkit start -- genkit-sidecar run", "genkit flow:run")]
    public async Task FlowRun_InAnotherTerminal_PrintsTheResult(string start, string run)
    {
        await _shell.AddApplicationAsync();
        _shell.Start(start);
        await Workspace.RuntimeAsync();

        Assert.Contains("Hello, Ada!", await _shell.RunAsync(run), StringComparison.Ordinal);
    }

    /// <summary>Makes curl fail on an error status, and print the answer alone.</summary>
    private static string Curl(string command) => command.Replace("curl ", "curl --fail --silent ", StringComparison.Ordinal);

    /// <summary>Writes a certificate for loopback that is its own authority, under the names that the page has for the authority and the client.</summary>
    private async Task AddCertificatesAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await _shell.AddFileAsync("ca.pem", certificate.ExportCertificatePem());
        await _shell.AddFileAsync("me.pem", certificate.ExportCertificatePem());
        await _shell.AddFileAsync("me.key", key.ExportPkcs8PrivateKeyPem());
    }

    private async Task<string> StartTlsApplicationAsync(string kind)
    {
        var program = Repository.Require("tests/e2e/tls-application.py", "git checkout tests/e2e");
        var address = DocumentedShell.FreeAddress();
        var application = _shell.Start($"python3 {program} {kind} {address} ca.pem me.key");
        await application.Errors.FirstAsync(line => line.Contains(address, StringComparison.Ordinal), "its address");
        return address;
    }
}
