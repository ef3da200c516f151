using System.Reflection;
using System.Text.RegularExpressions;
using Genkit.Sidecar.Cli;
using Microsoft.Extensions.Logging;

namespace Genkit.Sidecar.Tests.Architecture;

/// <summary>Log queries and tests find an event by its name, which therefore survives a change of the wording.</summary>
public sealed partial class LogEventTests
{
    private const BindingFlags AllMethods = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly (string Method, string? EventName)[] s_events =
    [
        .. from type in typeof(SidecarCommand).Assembly.GetTypes()
           from method in type.GetMethods(AllMethods)
           let message = method.GetCustomAttribute<LoggerMessageAttribute>()
           where message is not null
           select ($"{type.FullName}.{method.Name}", message.EventName),
    ];

    [Fact]
    public void LoggerMessage_EventName_FollowsThePattern()
    {
        Assert.NotEmpty(s_events);
        Assert.All(s_events, e => Assert.True(e.EventName is { } name && EventName().IsMatch(name), $"{e.Method} has the EventName \"{e.EventName}\""));
    }

    [Fact]
    public void LoggerMessage_EventName_IsUnique()
    {
        var shared = s_events.GroupBy(e => e.EventName).Where(events => events.Count() > 1);

        Assert.All(shared, events => Assert.Fail($"{events.Key} is the EventName of {string.Join(" and ", events.Select(e => e.Method))}"));
    }

    /// <summary>What it is about, and what happened: two words at least.</summary>
    [GeneratedRegex("^(?:[A-Z](?:[a-z]+|[0-9])){2,}$")]
    private static partial Regex EventName();
}
