using Genkit.Sidecar.Configuration;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Tests.Configuration;

public sealed class SettingsReaderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_NothingGiven_GivesTheDefaults()
    {
        var settings = Reading.Good();

        Assert.Null(settings.Manager.Address);
        Assert.Equal("http://127.0.0.1:50051", settings.Application.Address.Text);
        Assert.Equal(SettingOrigin.Default, settings.Application.AddressSource.Origin);
        Assert.Empty(settings.Application.Headers);
        Assert.Equal(90 * 1024 * 1024, settings.Limits.MaxMessageBytes);
        Assert.Equal(TimeSpan.FromMilliseconds(500), settings.Manager.ReconnectInterval);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.Manager.ReconnectMaxInterval);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.Manager.KeepAliveInterval);
        Assert.Equal(TimeSpan.FromSeconds(8), settings.Manager.KeepAliveTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), settings.Manager.RegisterTimeout);
        Assert.Equal(TimeSpan.FromSeconds(20), settings.Application.StartTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.Application.ConnectTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), settings.Application.CallTimeout);
        Assert.Equal(TimeSpan.Zero, settings.Limits.RunTimeout);
        Assert.Equal(TimeSpan.FromSeconds(60), settings.Limits.RunGrace);
        Assert.Equal(256, settings.Limits.MaxConcurrentRuns);
        Assert.Equal(8 * 1024 * 1024, settings.Limits.MaxInputQueueBytes);
        Assert.Equal(TimeSpan.FromSeconds(3), settings.Process.StopTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), settings.Process.DrainTimeout);
        Assert.Equal(LogLevel.Information, settings.Logging.Level);
        Assert.Equal(LogFormat.Text, settings.Logging.Format);
    }

    [Fact]
    public void Read_ValueInSeveralPlaces_TakesFlagThenEnvironmentThenFile()
    {
        var file = _directory.File("sidecar.json", """{ "run-grace": "1s", "run-timeout": "1s", "stop-timeout": "1s" }""");

        var settings = Reading.Good(
            $"--config {file} --run-grace 3s", ("GENKIT_SIDECAR_RUN_GRACE", "2s"), ("GENKIT_SIDECAR_RUN_TIMEOUT", "2s"));

        Assert.Equal(TimeSpan.FromSeconds(3), settings.Limits.RunGrace);
        Assert.Equal(TimeSpan.FromSeconds(2), settings.Limits.RunTimeout);
        Assert.Equal(TimeSpan.FromSeconds(1), settings.Process.StopTimeout);
    }

    [Fact]
    public void Read_EmptyVariable_CountsAsUnset()
    {
        Assert.Equal(TimeSpan.FromSeconds(60), Reading.Good("", ("GENKIT_SIDECAR_RUN_GRACE", "")).Limits.RunGrace);
    }

    [Fact]
    public void Read_ConfigNamedByVariable_IsRead()
    {
        var file = _directory.File("sidecar.json", """
            {
                // Where the application is.
                "app": "unix:/run/app.sock",
                "app-header": ["a: 1", "b: 2"],
                "max-message-bytes": 2048,
            }
            """);

        var settings = Reading.Good("", ("GENKIT_SIDECAR_CONFIG", file));

        Assert.Equal("unix:/run/app.sock", settings.Application.Address.Text);
        Assert.Equal(SettingOrigin.File, settings.Application.AddressSource.Origin);
        Assert.Equal([new AppHeader("a", "1"), new AppHeader("b", "2")], settings.Application.Headers);
        Assert.Equal(2048, settings.Limits.MaxMessageBytes);
    }

    [Fact]
    public void Read_BadValuesEverywhere_NamesAllOfThemAndWhereTheyCameFrom()
    {
        var file = _directory.File("sidecar.json", """{ "max-message-bytes": "100MiB", "log-levle": "debug", "run-grace": true }""");

        var problems = Reading.Of(
            $"--config {file} --manager http://localhost:3100 --log-format xml --stop-timeout 5 --reconnect-interval 10s",
            needsEndpoint: true,
            ("GENKIT_SIDECAR_KEEP_ALIVE_INTERVAL", "soon"), ("GENKIT_SIDECAR_MAX_CONCURRENT_RUNS", "0")).Problems;

        Assert.Equal(
            [
                $"key \"log-levle\" of {file}: there is no such setting, did you mean log-level?",
                $"key \"run-grace\" of {file}: is not a string or a number; accepted: 0 or a duration up to 24h, such as 500ms, 5s or 2m",
                "flag --manager: \"http://localhost:3100\" is not a WebSocket address: use ws://localhost:3100; accepted: ws://host:port or wss://host:port",
                "environment variable GENKIT_SIDECAR_KEEP_ALIVE_INTERVAL: \"soon\" is not a duration; accepted: a duration from 100ms up to 15s, such as 500ms, 5s or 2m",
                $"key \"max-message-bytes\" of {file}: \"100MiB\" is out of range; accepted: 1KiB to 99MiB, in bytes or with KiB or MiB",
                "environment variable GENKIT_SIDECAR_MAX_CONCURRENT_RUNS: \"0\" is not such a number; accepted: 1 to 65536",
                "flag --stop-timeout: \"5\" has no unit; accepted: 0 or a duration up to 10m, such as 500ms, 5s or 2m",
                "flag --log-format: \"xml\" is not one of its values; accepted: text or json",
                "flag --reconnect-interval: is longer than the default of --reconnect-max-interval (5s); accepted: at most that",
            ],
            problems);
    }

    [Theory]
    [InlineData("--keep-alive-interval 7s", "flag --keep-alive-interval and the default of --keep-alive-timeout (8s): are 15s or more together")]
    [InlineData("--app-ca FILE", "flag --app-ca: has no meaning without TLS, and there is none to the default of --app")]
    [InlineData("--app https://a:1 --app-cert FILE", "flag --app-cert: comes without --app-key")]
    [InlineData("--app https://a:1 --app-key FILE", "flag --app-key: comes without --app-cert")]
    [InlineData("--otlp-http 0.0.0.0:4318", "flag --otlp-http: \"0.0.0.0:4318\" is open to other machines, who then need a token (--otlp-token or GENKIT_SIDECAR_OTLP_TOKEN)")]
    [InlineData("--otlp-grpc [::]:4317", "flag --otlp-grpc: \"[::]:4317\" is open to other machines")]
    [InlineData("--otlp-grpc *:0 --otlp-token s\u00e9cret", "flag --otlp-token: has a character that a token cannot have")]
    [InlineData("--otlp-grpc 127.0.0.1:4317 --otlp-http localhost:4317", "flag --otlp-grpc and flag --otlp-http: are one address")]
    [InlineData("--otlp-advertise http://pod", "flag --otlp-advertise: \"http://pod\" is not a host")]
    [InlineData("--run-grace 1s --run-grace 2s", "flag --run-grace: was given 2 times")]
    [InlineData("--name=", "flag --name: is empty")]
    [InlineData("--config /nowhere/at/all", "flag --config: \"/nowhere/at/all\" does not exist")]
    public void Read_SettingsThatContradict_AreRefused(string words, string expected)
    {
        var pem = _directory.File("both.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");

        var problem = Assert.Single(Reading.Of(words.Replace("FILE", pem, StringComparison.Ordinal)).Problems);

        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "127.0.0.1:4317", "127.0.0.1:4318")]
    [InlineData("--telemetry-server off", "off", "off")]
    [InlineData("--telemetry-server off --otlp-http 127.0.0.1:4318", "off", "127.0.0.1:4318")]
    [InlineData("--otlp-grpc off", "off", "127.0.0.1:4318")]
    [InlineData("--otlp-grpc 127.0.0.1:0 --otlp-http 127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")]
    [InlineData("--otlp-grpc *:4317 --otlp-token s3cret", "*:4317", "127.0.0.1:4318")]
    public void Read_OtlpAddresses_AreOpenOnlyWhereTheyAreOfUse(string words, string grpc, string http)
    {
        var settings = Reading.Good(words);

        Assert.Equal((grpc, http), (settings.Otlp.GrpcAddress.Text, settings.Otlp.HttpAddress.Text));
    }

    [Fact]
    public void Read_TlsFiles_AreTakenWithAnHttpsAddress()
    {
        var pem = _directory.File("both.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n");

        var settings = Reading.Good($"--app https://app:443 --app-ca {pem} --app-cert {pem} --app-key {pem}");

        Assert.Equal((pem, pem, pem), (settings.Application.CaFile, settings.Application.CertificateFile, settings.Application.KeyFile));
        Assert.True(settings.Application.Address.IsTls);
    }

    [Theory]
    [InlineData("run", false)]
    [InlineData("--env-file later.env", true)]
    [InlineData("--manager ws://localhost:3100", true)]
    [InlineData("--genkit-env dev", true)]
    [InlineData("--reflection-v1 127.0.0.1:3100", true)]
    [InlineData("--genkit-env dev --reflection-v1 off", false)]
    public void Read_EndpointNeeded_AnyWillDo(string words, bool isGood)
    {
        var reading = Reading.Of(words == "run" ? "" : words, needsEndpoint: true);

        Assert.Equal(isGood, reading.IsGood);
        if (!isGood)
        {
            Assert.Contains("GENKIT_REFLECTION_V2_SERVER", Assert.Single(reading.Problems), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_NoRuntimeId_MakesAnotherOneEachTime()
    {
        Assert.NotEqual(Reading.Good().Runtime.Id, Reading.Good().Runtime.Id);
        Assert.Equal("fixed", Reading.Good("", ("GENKIT_RUNTIME_ID", "fixed")).Runtime.Id);
    }

    [Fact]
    public void Read_HeadersInAVariable_AreOnePerLine()
    {
        var settings = Reading.Good("", ("GENKIT_SIDECAR_APP_HEADER", "Authorization: Bearer a;b\nx-trace-bin: AAEC\n"));

        Assert.Equal([new AppHeader("authorization", "Bearer a;b"), new AppHeader("x-trace-bin", "AAEC")], settings.Application.Headers);
    }

    [Theory]
    [InlineData("s3cret")]
    [InlineData("authorization Bearer s3cret: x")]
    [InlineData("grpc-timeout: s3cret")]
    [InlineData("x: s3cret\u00e9")]
    [InlineData("x-bin: s3cret!")]
    [InlineData("te: s3cret")]
    [InlineData(": s3cret")]
    public void Read_BadHeader_IsNamedWithoutItsValue(string header)
    {
        var file = _directory.File("sidecar.json", $$"""{ "app-header": ["fine: 1", "{{header}}"] }""");

        string[] problems =
        [
            .. Reading.OfWords(["--app-header", header]).Problems,
            .. Reading.Of("", needsEndpoint: false, ("GENKIT_SIDECAR_APP_HEADER", header)).Problems,
            .. Reading.Of($"--config {file}").Problems,
        ];

        Assert.Equal(3, problems.Length);
        Assert.All(problems, problem => Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_FileThatIsNoJson_IsNotQuoted()
    {
        var file = _directory.File("sidecar.json", "{ \"app-header\": s3cret }");

        var problem = Assert.Single(Reading.Of($"--config {file}").Problems);

        Assert.Contains("line 1, column 17", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_KeyFileThatIsNoKey_IsNotQuoted()
    {
        var file = _directory.File("app.key", "s3cret");

        Assert.All(
            Reading.Of($"--app https://a:1 --app-key {file} --app-cert {file}").Problems,
            problem => Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_PasswordInAnAddress_IsNotQuoted()
    {
        var problems = Reading.Of("--manager ws://me:s3cret@host:1 --app http://me:s3cret@host:1").Problems;

        Assert.Equal(2, problems.Count);
        Assert.All(problems, problem => Assert.DoesNotContain("s3cret", problem, StringComparison.Ordinal));
    }

    [Fact]
    public void SidecarSettings_AsText_HasNoHeader()
    {
        var settings = Reading.OfWords(["--app-header", "authorization: s3cret"]).Settings!;

        Assert.DoesNotContain("s3cret", settings.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", settings.Application.Headers[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileWithAKeyTwice_IsRefused()
    {
        var file = _directory.File("sidecar.json", """{ "name": "a", "name": "b" }""");

        Assert.Equal($"key \"name\" of {file}: stands there more than once", Assert.Single(Reading.Of($"--config {file}").Problems));
    }
}
