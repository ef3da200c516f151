namespace Genkit.Sidecar.GrpcClient;

/// <summary>
/// Sends the requests of grpc-dotnet over SocketsHttpHandler. Adds the channel's authority and metadata, and fails all requests that wait for a connection as
/// soon as one attempt to connect has failed.
/// </summary>
internal sealed class DialingHandler(ClientChannelOptions options, Connections connections, SocketsHttpHandler sockets) : DelegatingHandler(sockets)
{
    private const string UserAgent = "user-agent";

    // How often a request that did not get onto its connection looks for another one: each pooled connection can be lost only once.
    private const int MaxAttempts = 4;

    private string? _userAgent;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Complete(request);
        return connections.OpenCount > 0 ? SendOnceConnectedAsync(request, cancellationToken) : SendWhileConnectingAsync(request, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendOnceConnectedAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException exception) when (MayBeSentAgain(request, exception, cancellationToken))
        {
            return await SendWhileConnectingAsync(request, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> SendWhileConnectingAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var wait = connections.Wait(cancellationToken);
            try
            {
                return await base.SendAsync(request, wait.Token).ConfigureAwait(false);
            }
            catch (Exception) when (wait.Failure is { } failure && !cancellationToken.IsCancellationRequested)
            {
                throw new HttpRequestException(HttpRequestError.ConnectionError, failure.Message, failure);
            }
            catch (HttpRequestException exception) when (attempt < MaxAttempts && MayBeSentAgain(request, exception, cancellationToken))
            {
                // A pooled connection was being lost in that moment. Nothing of the request was sent, so another connection may take it.
            }
            finally
            {
                connections.Remove(wait);
            }
        }
    }

    private static bool MayBeSentAgain(HttpRequestMessage request, HttpRequestException exception, CancellationToken cancellationToken) =>
        request.Content is SentContent { WasSent: false } && !CallFailure.IsConnectFailure(exception) && !cancellationToken.IsCancellationRequested;

    private void Complete(HttpRequestMessage request)
    {
        var headers = request.Headers;
        if (options.Authority is { } authority)
        {
            headers.Host = authority;
        }

        _userAgent ??= $"{options.UserAgent} {headers.NonValidated[UserAgent]}";
        headers.Remove(UserAgent);
        headers.TryAddWithoutValidation(UserAgent, _userAgent);

        foreach (var (name, value) in options.Metadata)
        {
            headers.TryAddWithoutValidation(name, value);
        }

        request.Content = new SentContent(request.Content!, mayBeSentAgain: !options.StreamedMethods.Contains(request.RequestUri!.AbsolutePath));
    }
}
