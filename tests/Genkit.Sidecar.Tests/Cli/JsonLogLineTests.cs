using System.Text.Json;
using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Genkit.Sidecar.Tests.Cli;

public sealed class JsonLogLineTests
{
    [Fact]
    public void Write_Event_HasItsNameBesideItsValues()
    {
        KeyValuePair<string, object?>[] state = [new("Address", "ws://a"), new("{OriginalFormat}", "Connected to {Address}")];

        var line = Write(new LogEntry<KeyValuePair<string, object?>[]>(
            LogLevel.Warning, "Genkit.Sidecar.Part", new EventId(7, "PartConnected"), state, new IOException("reset"), (_, _) => "Connected to ws://a"));

        Assert.Equal("Warning", line.GetProperty("LogLevel").GetString());
        Assert.Equal("Genkit.Sidecar.Part", line.GetProperty("Category").GetString());
        Assert.Equal(7, line.GetProperty("EventId").GetInt32());
        Assert.Equal("Connected to ws://a", line.GetProperty("Message").GetString());
        Assert.Contains("reset", line.GetProperty("Exception").GetString(), StringComparison.Ordinal);
        Assert.Equal("PartConnected", line.GetProperty("State").GetProperty("EventName").GetString());
        Assert.Equal("ws://a", line.GetProperty("State").GetProperty("Address").GetString());
    }

    [Fact]
    public void Write_StateWithoutValues_HasTheMessage()
    {
        var line = Write(new LogEntry<string>(LogLevel.Information, "Microsoft.Hosting", default, "started", null, (state, _) => state));

        Assert.Equal("started", line.GetProperty("Message").GetString());
        Assert.Equal(JsonValueKind.Null, line.GetProperty("State").GetProperty("EventName").ValueKind);
    }

    private static JsonElement Write<TState>(LogEntry<TState> entry)
    {
        var settings = Reading.Good("--log-format json");
        using var services = new ServiceCollection().AddLogging(builder => LogOutput.Configure(builder, settings.Logging, hasColor: false)).BuildServiceProvider();
        var name = services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName;
        var formatter = services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == name);
        using var written = new StringWriter { NewLine = "\n" };

        formatter.Write(entry, null, written);

        Assert.EndsWith("}\n", written.ToString(), StringComparison.Ordinal);
        return JsonSerializer.Deserialize<JsonElement>(Assert.Single(written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }
}
