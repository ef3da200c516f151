using System.ComponentModel;
using Genkit.Sidecar.Client;
using Grpc.Core;

var application = new Application("hello");

application.Flow("greet", [Description("Greets by name.")] (Person person) =>
{
    if (person.Name == "")
    {
        throw new ActionError(StatusCode.FailedPrecondition, "the name is empty");
    }

    return new { greeting = $"Hello, {person.Name}!" };
});

application.Flow("countdown", [Description("Counts down, chunk by chunk.")] async (Countdown input, ActionRunContext context) =>
{
    for (var count = input.From; count > 0; count--)
    {
        await context.SendChunkAsync(new { count });
    }

    return "Liftoff!";
});

application.Flow("chat", Chat);

await application.ServeAsync();

[Description("Answers each message as it arrives.")]
static async IAsyncEnumerable<object> Chat(IAsyncEnumerable<string> messages)
{
    await foreach (var message in messages)
    {
        yield return new { echo = message };
    }
}

record Person(string Name);

record Countdown(int From = 3);
