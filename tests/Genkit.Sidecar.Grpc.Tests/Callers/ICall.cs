namespace Genkit.Sidecar.Grpc.Tests.Callers;

/// <summary>A call that some client makes.</summary>
internal interface ICall
{
    /// <summary>Sends <see cref="Payload.Of"/> this size. The first one starts a call of one request message.</summary>
    Task SendAsync(int size);

    Task EndAsync();

    Task CancelAsync();

    Task ResumeAsync();

    /// <summary>The next of what the caller saw.</summary>
    Task<CallEvent> NextAsync();
}
