using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Endpoints.ReflectionV2;

namespace Genkit.Sidecar.Tests.Configuration;

public sealed class EnvFileTests : IDisposable
{
    private const string Variable = "GENKIT_REFLECTION_V2_SERVER";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void TryRead_WhatTheCliWrites_IsRead()
    {
        var file = new EnvFile(_directory.File(
            "genkit.env", $"GENKIT_TELEMETRY_SERVER=http://localhost:4033\nGENKIT_ENV=dev\n{Variable}=ws://localhost:3200"));

        Assert.Equal("ws://localhost:3200", file.TryRead()[Variable]);
        Assert.Equal("http://localhost:4033", file.TryRead()["GENKIT_TELEMETRY_SERVER"]);
    }

    [Theory]
    [InlineData("A=b", "b")]
    [InlineData("A=b\r\n", "b")]
    [InlineData("\uFEFFA=b", "b")]
    [InlineData("  export A = b  ", "b")]
    [InlineData("A=\"b c\" # note", "b c")]
    [InlineData("A='b # c'", "b # c")]
    [InlineData("A=b # note", "b")]
    [InlineData("A=b#c", "b#c")]
    [InlineData("A=b=c", "b=c")]
    [InlineData("A=", "")]
    [InlineData("# A=x\nA=1\nA=2", "2")]
    public void TryRead_LibertiesOfTheFormat_AreTaken(string text, string expected) =>
        Assert.Equal(expected, new EnvFile(_directory.File("any.env", text)).TryRead()["A"]);

    [Theory]
    [InlineData("")]
    [InlineData("A")]
    [InlineData("=b")]
    [InlineData("A=\"b")]
    [InlineData("some words A=b")]
    [InlineData("\0\0\0")]
    public void TryRead_HalfOfALine_IsLeftOut(string text) =>
        Assert.Empty(new EnvFile(_directory.File("any.env", text)).TryRead());

    [Fact]
    public void TryRead_NoSuchFileOrADirectory_IsEmpty()
    {
        Assert.Empty(new EnvFile(_directory.File("absent.env")).TryRead());
        Assert.Empty(new EnvFile(_directory.File("absent/either.env")).TryRead());
        Assert.Empty(new EnvFile(_directory.File(".")).TryRead());
    }

    [Fact]
    public void Locate_Directory_IsNamedAsOne() =>
        Assert.Contains("is a directory", new ManagerLocator(Reading.Good($"--env-file {_directory.File(".")}").Manager).Locate().Problem, StringComparison.Ordinal);

    [Fact]
    public void Locate_FileChanges_IsSeenTheNextTime()
    {
        var path = _directory.File("genkit.env");
        var locator = new ManagerLocator(Reading.Good($"--env-file {path}").Manager);

        Assert.Contains("does not have", locator.Locate().Problem, StringComparison.Ordinal);

        _directory.File("genkit.env", $"{Variable}=ws://localhost:1");
        Assert.Equal(new Uri("ws://localhost:1"), locator.Locate().Value);

        _directory.File("genkit.env", $"{Variable}=ws://localhost:2");
        Assert.Equal(new Uri("ws://localhost:2"), locator.Locate().Value);

        _directory.File("genkit.env", $"{Variable}=http://localhost:2");
        Assert.Contains("not a WebSocket address", locator.Locate().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Locate_EnvFileAndInheritedVariable_TakesTheFile()
    {
        var path = _directory.File("genkit.env", $"{Variable}=ws://localhost:2");

        Assert.Equal(new Uri("ws://localhost:2"), new ManagerLocator(Reading.Good($"--env-file {path}", (Variable, "ws://localhost:1")).Manager).Locate().Value);
        Assert.Equal(new Uri("ws://localhost:3"), new ManagerLocator(Reading.Good($"--env-file {path} --manager ws://localhost:3").Manager).Locate().Value);
    }

    [Fact]
    public void Locate_EnvFileSaysNothing_TakesTheInheritedVariable()
    {
        var path = _directory.File("genkit.env", "GENKIT_ENV=dev");

        Assert.Equal(new Uri("ws://localhost:1"), new ManagerLocator(Reading.Good($"--env-file {path}", (Variable, "ws://localhost:1")).Manager).Locate().Value);
    }
}
