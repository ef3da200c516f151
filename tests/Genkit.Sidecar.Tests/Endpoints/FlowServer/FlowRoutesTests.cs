using Genkit.Sidecar.Endpoints.FlowServer;
using Genkit.Sidecar.Tests.Configuration;

namespace Genkit.Sidecar.Tests.Endpoints.FlowServer;

public sealed class FlowRoutesTests
{
    [Theory]
    [InlineData("/greet", "/flow/greet")]
    [InlineData("/flow/greet", "/flow/greet")]
    [InlineData("/model/echo", "/model/echo")]
    [InlineData("/", null)]
    public void KeyOf_EverythingIsServed_IsAFlowByItsNameAndAnyActionByItsKey(string path, string? key) =>
        Assert.Equal(key, new FlowRoutes(Reading.Good("--flow-actions /*").FlowServer).KeyOf(path));

    [Theory]
    [InlineData("/greet", "/flow/greet")]
    [InlineData("/flow/greet", "/flow/greet")]
    [InlineData("/team/greet", "/flow/team/greet")]
    [InlineData("/flow", "/flow/flow")]
    [InlineData("", null)]
    public void KeyOf_FlowsAreServed_IsAFlow(string path, string? key) =>
        Assert.Equal(key, new FlowRoutes(Reading.Good().FlowServer).KeyOf(path));
}
