using System.Net;

namespace Genkit.Sidecar.Configuration;

/// <summary>What must hold between settings that are good by themselves. One that is not has been complained about, and is left out.</summary>
internal sealed class SettingsCheck(SettingsReader reader, SidecarSettings settings)
{
    // A manager that went away unseen for longer makes every caller believe in a dead runtime.
    private static readonly TimeSpan s_longestSilence = TimeSpan.FromSeconds(15);

    /// <param name="needsEndpoint">Whether the verb needs an enabled endpoint.</param>
    public void Run(bool needsEndpoint)
    {
        CheckFlowServer();
        CheckEndpoints(needsEndpoint);
        CheckTls();
        CheckOtlp();
        CheckManager();
    }

    private void CheckFlowServer()
    {
        var flowServer = settings.FlowServer;
        if (flowServer.Address.EndPoint is IPEndPoint endPoint && !IPAddress.IsLoopback(endPoint.Address) && reader.InputOf(FlowServerSettingTable.FlowToken) is null)
        {
            reader.Complain(
                [FlowServerSettingTable.FlowServer],
                $"{flowServer.AddressSource}: {flowServer.Address} is beyond loopback, and every client that reaches it could run every flow; accepted: a loopback address, or {FlowServerSettingTable.FlowToken.Flag} with it");
        }

        if (flowServer.Token is not null && flowServer.Context.Any(header => header.Header.Equals("Authorization", StringComparison.OrdinalIgnoreCase)))
        {
            reader.Complain(
                [FlowServerSettingTable.FlowContext],
                $"{reader.SourceOf(FlowServerSettingTable.FlowContext)}: takes the header Authorization, which shows the token of {reader.SourceOf(FlowServerSettingTable.FlowToken)} and is not for the application; accepted: another header");
        }
    }

    private void CheckEndpoints(bool needsEndpoint)
    {
        if (needsEndpoint && !EnabledEndpoints.Of(settings).Any)
        {
            reader.Complain(
                [],
                $"flag {ManagerSettingTable.Manager.Flag}: is missing, and so are environment variable {ManagerSettingTable.Manager.EnvironmentVariable}, flag {ManagerSettingTable.EnvFile.Flag}, " +
                $"flag {ReflectionV1SettingTable.ReflectionV1.Flag} and flag {FlowServerSettingTable.FlowServer.Flag}, and {EnabledEndpoints.WhyReflectionV1IsDisabled(settings)}: the application could not be used. `genkit start` sets the variables for the command that it starts");
        }

        var reflectionV1 = settings.ReflectionV1;
        if (reflectionV1.Address?.EndPoint is { } endPoint && !IPAddress.IsLoopback(endPoint.Address) && reflectionV1.AllowedHosts.Count == 0)
        {
            reader.Complain(
                [ReflectionV1SettingTable.ReflectionV1],
                $"{reflectionV1.AddressSource}: {reflectionV1.Address} is beyond loopback, and every client that reaches it may run every action; " +
                $"accepted: a loopback address, or {ReflectionV1SettingTable.ReflectionV1AllowHost.Flag} with it, for those who want just that");
        }
    }

    private void CheckTls()
    {
        var (certificate, key) = (ApplicationSettingTable.AppCert, ApplicationSettingTable.AppKey);
        if ((reader.InputOf(certificate) is null) != (reader.InputOf(key) is null))
        {
            var (missing, given) = reader.InputOf(key) is null ? (key, certificate) : (certificate, key);
            reader.Complain([certificate, key], $"{reader.SourceOf(given)}: comes without {missing.Flag}; accepted: both or neither");
        }

        if (settings.Application.Address.IsTls || reader.IsWrong(ApplicationSettingTable.App))
        {
            return;
        }

        var source = settings.Application.AddressSource;
        var address = source == SettingSource.Default ? Named(ApplicationSettingTable.App) : $"{settings.Application.Address}, from {source}";
        foreach (var setting in (Setting[])[ApplicationSettingTable.AppCa, certificate, key])
        {
            if (reader.InputOf(setting) is { } input)
            {
                reader.Complain([setting], $"{input.Source}: has no meaning without TLS, and there is none to {address}; accepted: an https:// address");
            }
        }
    }

    private void CheckOtlp()
    {
        var otlp = settings.Otlp;
        foreach (var (setting, address) in new (Setting, OtlpAddress)[] { (OtlpSettingTable.OtlpGrpc, otlp.GrpcAddress), (OtlpSettingTable.OtlpHttp, otlp.HttpAddress) })
        {
            // A token that is wrong is complained of as that.
            if (address.IsBeyondLoopback && reader.InputOf(OtlpSettingTable.OtlpToken) is null)
            {
                reader.Complain([setting], $"{reader.SourceOf(setting)}: {QuotedText.Text(address.Text)} is open to other machines, who then need a token ({OtlpSettingTable.OtlpToken.Flag} or {OtlpSettingTable.OtlpToken.EnvironmentVariable}); accepted: with a token {setting.Accepts}, without one an address of the loopback, or off");
            }
        }

        // A default may still give way to a free port.
        if (otlp.GrpcAddressSource != SettingSource.Default && otlp.HttpAddressSource != SettingSource.Default
            && otlp.GrpcAddress.EndPoint is { Port: > 0 } grpc && grpc.Equals(otlp.HttpAddress.EndPoint))
        {
            reader.Complain([OtlpSettingTable.OtlpGrpc, OtlpSettingTable.OtlpHttp], $"{otlp.GrpcAddressSource} and {otlp.HttpAddressSource}: are one address; accepted: one for each");
        }
    }

    private void CheckManager()
    {
        var manager = settings.Manager;
        if (manager.ReconnectInterval > manager.ReconnectMaxInterval
            && AreGood(ManagerSettingTable.ReconnectInterval, ManagerSettingTable.ReconnectMaxInterval))
        {
            reader.Complain(
                [ManagerSettingTable.ReconnectInterval, ManagerSettingTable.ReconnectMaxInterval],
                $"{Named(ManagerSettingTable.ReconnectInterval)}: is longer than {Named(ManagerSettingTable.ReconnectMaxInterval)}; accepted: at most that");
        }

        if (manager.KeepAliveInterval + manager.KeepAliveTimeout >= s_longestSilence
            && AreGood(ManagerSettingTable.KeepAliveInterval, ManagerSettingTable.KeepAliveTimeout))
        {
            reader.Complain(
                [ManagerSettingTable.KeepAliveInterval, ManagerSettingTable.KeepAliveTimeout],
                $"{Named(ManagerSettingTable.KeepAliveInterval)} and {Named(ManagerSettingTable.KeepAliveTimeout)}: are 15s or more together; accepted: less");
        }
    }

    private bool AreGood(Setting one, Setting other) => !reader.IsWrong(one) && !reader.IsWrong(other);

    private string Named(Setting setting) =>
        reader.InputOf(setting)?.Source.ToString() ?? $"the default of {setting.Flag} ({setting.DefaultText})";
}
