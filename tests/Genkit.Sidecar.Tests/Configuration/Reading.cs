using Genkit.Sidecar.Cli;
using Genkit.Sidecar.Configuration;

namespace Genkit.Sidecar.Tests.Configuration;

/// <summary>Reads settings as the program does, from arguments and environment variables.</summary>
internal static class Reading
{
    public static SettingsReading Of(string words = "", bool needsEndpoint = false, params (string Name, string Value)[] environment) =>
        OfWords(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), needsEndpoint, environment);

    public static SettingsReading OfWords(IEnumerable<string> words, bool needsEndpoint = false, params (string Name, string Value)[] environment)
    {
        var line = CommandLine.Parse(["run", .. words]);
        Assert.Empty(line.Problems);
        return SettingsReader.Read(line.Flags, environment.ToDictionary(row => row.Name, row => row.Value), needsEndpoint);
    }

    public static SidecarSettings Good(string words = "", params (string Name, string Value)[] environment)
    {
        var reading = Of(words, needsEndpoint: false, environment);
        Assert.Empty(reading.Problems);
        Assert.True(reading.IsGood);
        return reading.Settings;
    }
}
