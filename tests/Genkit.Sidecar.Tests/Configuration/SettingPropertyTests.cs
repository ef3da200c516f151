using System.Collections;
using System.Reflection;
using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

/// <summary>Each setting sets one property, and no two set the same.</summary>
public sealed class SettingPropertyTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _pem;
    private readonly string _otherPem;

    public SettingPropertyTests()
    {
        const string Both = "-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n";
        _pem = _directory.File("both.pem", Both);
        _otherPem = _directory.File("other.pem", Both);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_EachSetting_SetsOnePropertyOfItsOwnAndSaysWhereItCameFrom()
    {
        var properties = SettingTable.All.ToDictionary(setting => setting, Changed);

        Assert.All(properties, row => Assert.Single(row.Value, property => !property.EndsWith("Source", StringComparison.Ordinal)));
        Assert.All(properties, row => Assert.InRange(row.Value.Count, 1, 2));
        Assert.Equal(properties.Values.Sum(changed => changed.Count), properties.Values.SelectMany(changed => changed).Distinct().Count());
    }

    [Fact]
    public void Read_AllSettings_LeaveNoPropertyUnset()
    {
        var settable = Groups().SelectMany(group => group.PropertyType.GetProperties().Where(property => property.CanWrite).Select(property => $"{group.Name}.{property.Name}"));

        Assert.Equal(settable.Order(StringComparer.Ordinal), SettingTable.All.SelectMany(Changed).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<PropertyInfo> Groups() => typeof(SidecarSettings).GetProperties().Where(property => property.CanWrite);

    private IReadOnlyList<string> Changed(Setting setting)
    {
        var before = Needed(setting);
        var after = new Dictionary<string, string>(before) { [setting.Flag] = Sample(setting) };
        var (plain, given) = (Read(before), Read(after));
        return
        [
            .. from part in Groups()
               from property in part.PropertyType.GetProperties()
               where property.CanWrite && !AreEqual(property.GetValue(part.GetValue(plain)), property.GetValue(part.GetValue(given)))
               select $"{part.Name}.{property.Name}",
        ];
    }

    /// <summary>What the setting cannot be without, and an id that is not another one each time.</summary>
    private Dictionary<string, string> Needed(Setting setting) => setting.Name switch
    {
        "runtime-id" => [],
        "app-ca" => new() { ["--runtime-id"] = "fixed", ["--app"] = "https://h:1" },
        "app-cert" or "app-key" => new() { ["--runtime-id"] = "fixed", ["--app"] = "https://h:1", ["--app-cert"] = _pem, ["--app-key"] = _pem },
        _ => new() { ["--runtime-id"] = "fixed" },
    };

    /// <summary>A good value that is not the default.</summary>
    private string Sample(Setting setting) => (setting.Name, setting.Placeholder) switch
    {
        ("manager", _) => "ws://h:1",
        ("telemetry-server", _) => "http://h:1",
        ("config", _) => _directory.File("sidecar.json", "{}"),
        ("app-authority", _) => "h:1",
        (_, "ADDRESS") => "127.0.0.1:4711",
        (_, "BOOL") => setting.Default == "true" ? "false" : "true",
        (_, "COUNT") => "7",
        (_, "FILE") => _otherPem,
        (_, "FORMAT") => "json",
        (_, "GLOB") => "/tool/*",
        (_, "LEVEL") => "debug",
        (_, "MEMBER=HEADER") => "auth.uid=X-User-Id",
        (_, "ORIGIN") => "https://page.example",
        (_, "PATH") => "/api",
        (_, "SIZE") => "2MiB",
        (_, "TIME") => "700ms",
        (_, "\"NAME: VALUE\"") => "x: y",
        _ => "h",
    };

    private static bool AreEqual(object? one, object? other) =>
        one is IEnumerable first and not string && other is IEnumerable second ? first.Cast<object>().SequenceEqual(second.Cast<object>()) : Equals(one, other);

    private static SidecarSettings Read(Dictionary<string, string> flags)
    {
        var line = CommandLine.Parse(["run", .. flags.SelectMany(flag => new[] { flag.Key, flag.Value })]);
        Assert.Empty(line.Problems);
        var reading = SettingsReader.Read(line.Flags, new Dictionary<string, string>(), needsEndpoint: false);
        Assert.Empty(reading.Problems);
        return reading.Settings!;
    }
}
