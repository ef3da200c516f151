using System.Collections;
using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Hosting;
using Genkit.Sidecar.Supervision;

// Before anything else is loaded: a command waits for this to get out of its way.
if (args is [Launcher.Verb, ..])
{
    return Launcher.Run(args);
}

var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
    .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "");

var exitCode = await new SidecarCommand(Terminal.Standard(environment), environment, SidecarHost.RunAsync).RunAsync(args);

SignalDeath.For(exitCode);
return exitCode;
