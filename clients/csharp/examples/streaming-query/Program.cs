using System.Globalization;
using System.Text.Json;
using Genkit.Sidecar.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using StreamingQuery;

// --scripts FILE: JSON file with the events of the agent. --heartbeat SECONDS: time without an event after which a heartbeat is sent.
var settings = new ConfigurationBuilder().AddCommandLine(args).Build();
using var logs = LoggerFactory.Create(builder => builder
    .AddSimpleConsole(console => console.SingleLine = true)
    .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
using var scripts = JsonDocument.Parse(File.ReadAllBytes(settings["scripts"] ?? Path.Combine(AppContext.BaseDirectory, "scripts.json")));

var agent = new ScriptedAgent(scripts.RootElement, logs.CreateLogger<ScriptedAgent>());
var heartbeat = TimeSpan.FromSeconds(double.Parse(settings["heartbeat"] ?? "10", CultureInfo.InvariantCulture));
var flow = new StreamingQueryFlow(agent.AnswerAsync, new Translation(logs.CreateLogger<Translation>()), heartbeat, TimeProvider.System);

var application = new Application("streaming-query");
flow.AddTo(application);
await application.ServeAsync();
