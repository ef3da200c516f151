using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>The action service of the reference application.</summary>
internal sealed class ReferenceService : V1.ActionService.ActionServiceBase
{
    private readonly ReferenceListing _listing;
    private readonly ReferenceActions _actions;
    private readonly Admission _admission;
    private readonly Rule? _broken;
    private readonly ConcurrentDictionary<ServerCallContext, CancellationTokenSource> _runs = [];
    private readonly SemaphoreSlim? _places;
    private int _configurations;

    public ReferenceService(ReferenceListing listing, ReferenceActions actions, Admission admission, Rule? broken)
    {
        _listing = listing;
        _actions = actions;
        _admission = admission;
        _broken = broken;
        _places = broken switch
        {
            Rule.OneRunAtATime => new SemaphoreSlim(1),
            Rule.EightRunsAtATime or Rule.ListsBehindRuns => new SemaphoreSlim(8),
            _ => null,
        };
    }

    public override async Task<V1.ListActionsResponse> ListActions(V1.ListActionsRequest request, ServerCallContext context)
    {
        _admission.Admit(context, request);
        if (_broken == Rule.ListsBehindRuns)
        {
            await _places!.WaitAsync();
            _places.Release();
        }

        return _listing.Actions();
    }

    public override Task<V1.ListValuesResponse> ListValues(V1.ListValuesRequest request, ServerCallContext context)
    {
        _admission.Offer("values");
        _admission.Admit(context, request);
        var response = new V1.ListValuesResponse();
        if (_listing.Values(request.Type) is { } values)
        {
            response.ValuesJson = ByteString.CopyFromUtf8(values);
        }
        else if (_broken == Rule.UnknownValuesFail)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"there is no type {request.Type}"));
        }

        return Task.FromResult(response);
    }

    public override Task<V1.GetRuntimeInfoResponse> GetRuntimeInfo(V1.GetRuntimeInfoRequest request, ServerCallContext context)
    {
        _admission.Offer("runtime-info");
        _admission.Admit(context, request);
        return Task.FromResult(new V1.GetRuntimeInfoResponse
        {
            Name = _broken == Rule.RuntimeHasNoName ? "" : "conformance",
            GenkitVersion = _broken == Rule.VersionHasNoLanguage ? "0.1.0" : "csharp/0.1.0",
            Environments = { _broken == Rule.WrongEnvironment ? "production" : "dev" },
        });
    }

    public override Task<V1.ConfigureResponse> Configure(V1.ConfigureRequest request, ServerCallContext context)
    {
        _admission.Offer("configure");
        _admission.Admit(context, request);
        return _broken == Rule.ConfigureFails || (_broken == Rule.ConfigureOnce && Interlocked.Increment(ref _configurations) > 1)
            ? throw new RpcException(new Status(StatusCode.FailedPrecondition, "not now"))
            : Task.FromResult(new V1.ConfigureResponse());
    }

    public override Task RunAction(V1.RunActionRequest request, IServerStreamWriter<V1.RunActionResponse> responseStream, ServerCallContext context) =>
        RunAsync(request, input: null, responseStream.WriteAsync, context);

    public override async Task RunBidiAction(
        IAsyncStreamReader<V1.RunBidiActionRequest> requestStream,
        IServerStreamWriter<V1.RunBidiActionResponse> responseStream,
        ServerCallContext context)
    {
        _admission.Offer("bidi");
        await context.WriteResponseHeadersAsync(Metadata.Empty);
        if (await requestStream.MoveNext(context.CancellationToken) && requestStream.Current.Start is { } start)
        {
            // The responses of both methods have the same encoding.
            await RunAsync(start, requestStream, response => responseStream.WriteAsync(V1.RunBidiActionResponse.Parser.ParseFrom(response.ToByteString())), context);
        }
        else if (_broken != Rule.StartMayBeMissing)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the first message must be start"));
        }
    }

    private async Task RunAsync(
        V1.RunActionRequest request,
        IAsyncStreamReader<V1.RunBidiActionRequest>? input,
        Func<V1.RunActionResponse, Task> write,
        ServerCallContext call)
    {
        _admission.Admit(call, request);
        if ((_broken == Rule.RefusesDeadlines && call.Deadline != DateTime.MaxValue)
            || (_broken == Rule.FailsOfBadTraceContext && call.RequestHeaders.GetValue("traceparent") is { Length: not 55 }))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "metadata that this application does not like"));
        }

        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        await using var cancellation = call.CancellationToken.UnsafeRegister(_ => CancelAll(), null);
        _runs[call] = cancelled;
        if (_places is not null)
        {
            await _places.WaitAsync(call.CancellationToken);
        }

        var run = new ReferenceRun(request, input, write, call, WrongRuns.RuleOf(request.Key) ?? _broken, cancelled.Token);
        try
        {
            if (_broken == Rule.AddsAChunk && request.Stream)
            {
                await run.SendAsync("\"started\""u8.ToArray());
            }

            await run.SucceedAsync(await _actions.RunAsync(run));
        }
        catch (ActionFailure failure)
        {
            await run.FailAsync(failure);
        }
        catch (InvalidOperationException e)
        {
            if (_broken == Rule.ExceptionsEndIt)
            {
                Environment.Exit(70);
            }

            if (_broken == Rule.DiesOfExceptions)
            {
                _admission.Die();
            }

            await run.FailAsync(new ActionFailure(2, e.Message) { Stack = e.StackTrace ?? "" });
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "the run was cancelled"));
        }
        finally
        {
            _runs.TryRemove(call, out _);
            _places?.Release();
        }
    }

    private void CancelAll()
    {
        if (_broken == Rule.CancelsAll)
        {
            foreach (var run in _runs.Values)
            {
                run.Cancel();
            }
        }
    }
}
