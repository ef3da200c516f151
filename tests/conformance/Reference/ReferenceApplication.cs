using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Grpc;
using Genkit.Sidecar.Grpc.Server;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Genkit.Sidecar.Conformance.Reference;

/// <summary>The application that does all right, or breaks one rule.</summary>
internal sealed class ReferenceApplication : IAsyncDisposable
{
    private const string Service = "/genkit.sidecar.v1.ActionService/";
    private const int MaxMessageBytes = 90 * 1024 * 1024;
    private const int StockMaxMessageBytes = 4 * 1024 * 1024;

    private readonly Catalogue _catalogue;
    private readonly Rule? _broken;
    private readonly IReadOnlySet<string> _without;
    private readonly ReferenceActions _actions;
    private readonly ConcurrentDictionary<GrpcServerCall, CancellationTokenSource> _runs = [];
    private readonly SemaphoreSlim? _places;
    private WebApplication? _server;
    private int _lists;
    private int _configurations;
    private string? _firstConnection;
    private volatile bool _isDead;

    private ReferenceApplication(Catalogue catalogue, Rule? broken, IReadOnlySet<string> without)
    {
        _catalogue = catalogue;
        _broken = broken;
        _without = without;
        _actions = new ReferenceActions(broken);
        _places = broken switch
        {
            Rule.OneRunAtATime => new SemaphoreSlim(1),
            Rule.EightRunsAtATime or Rule.ListsBehindRuns => new SemaphoreSlim(8),
            _ => null,
        };
    }

    /// <summary>Where it serves.</summary>
    public GrpcTarget Target { get; private set; } = null!;

    /// <param name="catalogue">What it serves.</param>
    /// <param name="broken">What it does wrong, null for nothing.</param>
    /// <param name="without">Features that it leaves out.</param>
    /// <param name="address">Where it serves; null for a free port on loopback.</param>
    public static async Task<ReferenceApplication> StartAsync(Catalogue catalogue, Rule? broken, IReadOnlySet<string> without, IPEndPoint? address = null)
    {
        var application = new ReferenceApplication(catalogue, broken, without);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AllowSlowReaders();

            // A proxy may speak TLS for it.
            kestrel.AllowAlternateSchemes = true;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Listen(address ?? new IPEndPoint(IPAddress.Loopback, 0), endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        var server = builder.Build();
        server.Run(application.Serve().HandleAsync);
        await server.StartAsync();
        application._server = server;
        application.Target = GrpcTarget.Parse(server.Urls.Single());
        return application;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server!.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    private GrpcServer Serve()
    {
        var options = new GrpcServerOptions { MaxReceiveMessageBytes = _broken == Rule.StockMessageLimit ? StockMaxMessageBytes : MaxMessageBytes };
        var server = new GrpcServer(options, NullLogger<GrpcServer>.Instance);
        server.Add(Service + "ListActions", Unary(V1.ListActionsRequest.Parser, _ => ListActionsAsync()));
        server.Add(Service + "RunAction", RunActionAsync);
        Add(server, "bidi", Service + "RunBidiAction", RunBidiActionAsync);
        Add(server, "values", Service + "ListValues", Unary(V1.ListValuesRequest.Parser, request => Task.FromResult<IMessage>(ListValues(request))));
        Add(server, "runtime-info", Service + "GetRuntimeInfo", Unary(V1.GetRuntimeInfoRequest.Parser, _ => Task.FromResult<IMessage>(RuntimeInfo())));
        Add(server, "configure", Service + "Configure", Unary(V1.ConfigureRequest.Parser, _ => Task.FromResult<IMessage>(Configure())));
        Add(server, "health", "/grpc.health.v1.Health/Check", Unary(Health.HealthCheckRequest.Parser, request => Task.FromResult<IMessage>(Check(request))));
        Add(server, "health", "/grpc.health.v1.Health/Watch", WatchAsync);
        if (_broken == Rule.UnknownMethodSucceeds)
        {
            server.Add(Service + "NoSuchMethod", Unary(V1.ListActionsRequest.Parser, _ => Task.FromResult<IMessage>(new V1.ListActionsResponse())));
            server.Add("/genkit.sidecar.v999.ActionService/ListActions", Unary(V1.ListActionsRequest.Parser, _ => Task.FromResult<IMessage>(new V1.ListActionsResponse())));
        }

        return server;
    }

    private void Add(GrpcServer server, string feature, string method, GrpcHandler handler)
    {
        if (!_without.Contains(feature))
        {
            server.Add(method, handler);
        }
        else if (_broken == Rule.UnofferedIsInternal)
        {
            server.Add(method, _ => Task.FromResult(new GrpcStatus(GrpcStatusCode.Internal, "not written yet")));
        }
    }

    private GrpcHandler Unary<T>(MessageParser<T> parser, Func<T, Task<IMessage>> serve)
        where T : IMessage<T> => async call =>
        {
            ThrowIfDead(call);
            var request = parser.ParseFrom(await call.ReadSingleAsync());
            if (_broken == Rule.RefusesUnknownFields && parser.WithDiscardUnknownFields(true).ParseFrom(request.ToByteArray()).CalculateSize() != request.CalculateSize())
            {
                return new GrpcStatus(GrpcStatusCode.InvalidArgument, "the request has a field that nobody knows");
            }

            var response = await serve(request);
            await call.WriteAsync(new ReadOnlySequence<byte>(response.ToByteArray()), flush: false);
            return GrpcStatus.OK;
        };

    private async Task<IMessage> ListActionsAsync()
    {
        if (_broken == Rule.ListsBehindRuns)
        {
            await _places!.WaitAsync();
            _places.Release();
        }

        var response = new V1.ListActionsResponse();
        if (_broken == Rule.SecondListIsEmpty && Interlocked.Increment(ref _lists) % 2 == 0)
        {
            return response;
        }

        foreach (var action in _catalogue.Root.GetProperty("actions").EnumerateArray())
        {
            if (!action.TryGetProperty("listed", out _) || _broken == Rule.ListsHidden)
            {
                response.Actions.Add(Listed(action));
            }
        }

        if (_broken == Rule.DropsAnAction)
        {
            response.Actions.RemoveAt(response.Actions.Count - 1);
        }

        if (_broken == Rule.ListsAnActionTwice)
        {
            response.Actions.Add(response.Actions[0]);
        }

        if (_broken != Rule.ListNeverChanges)
        {
            response.Actions.AddRange(_actions.Added.Select(added => new V1.Action { Key = added.Key, Name = added.Value }));
        }

        response.Actions.AddRange(_actions.Listed);
        return response;
    }

    private V1.Action Listed(JsonElement action)
    {
        var listed = new V1.Action { Key = action.GetProperty("key").GetString()!, Name = action.GetProperty("name").GetString()! };
        if (_broken == Rule.NamesAreKeys)
        {
            listed.Name = listed.Key;
        }

        if (_broken == Rule.KeysAreAscii)
        {
            listed.Key = Encoding.ASCII.GetString(Encoding.ASCII.GetBytes(listed.Key));
        }

        if (action.TryGetProperty("description", out var description) && _broken != Rule.DropsDescriptions)
        {
            listed.Description = description.GetString()!;
        }
        else if (_broken == Rule.DescriptionsAreEmpty)
        {
            listed.Description = "";
        }

        if (_broken != Rule.DropsSchemas && action.TryGetProperty("inputSchema", out var input))
        {
            listed.InputSchemaJson = _broken == Rule.SchemasAreNoObjects ? ByteString.CopyFromUtf8("\"a schema\"") : ByteString.CopyFromUtf8(input.GetRawText());
        }

        if (_broken != Rule.DropsSchemas && action.TryGetProperty("outputSchema", out var output))
        {
            listed.OutputSchemaJson = ByteString.CopyFromUtf8(output.GetRawText());
        }

        if (_broken != Rule.DropsMetadata && action.TryGetProperty("metadata", out var metadata))
        {
            listed.MetadataJson = ByteString.CopyFromUtf8(metadata.GetRawText());
        }

        return listed;
    }

    private V1.ListValuesResponse ListValues(V1.ListValuesRequest request)
    {
        if (_broken == Rule.ValuesAreNoObject)
        {
            return new V1.ListValuesResponse { ValuesJson = ByteString.CopyFromUtf8("[]") };
        }

        if (_broken == Rule.ValuesAreWrong)
        {
            return new V1.ListValuesResponse { ValuesJson = ByteString.CopyFromUtf8("{\"defaultModel\":{\"name\":\"another\"},\"other\":{}}") };
        }

        if (_catalogue.Root.GetProperty("values").TryGetProperty(request.Type, out var values))
        {
            return new V1.ListValuesResponse { ValuesJson = ByteString.CopyFromUtf8(values.GetRawText()) };
        }

        return _broken == Rule.UnknownValuesFail
            ? throw new GrpcException(new GrpcStatus(GrpcStatusCode.InvalidArgument, $"there is no type {request.Type}"))
            : new V1.ListValuesResponse();
    }

    private V1.GetRuntimeInfoResponse RuntimeInfo() => new()
    {
        Name = _broken == Rule.RuntimeHasNoName ? "" : "conformance",
        GenkitVersion = _broken == Rule.VersionHasNoLanguage ? "0.1.0" : "csharp/0.1.0",
        Environments = { _broken == Rule.WrongEnvironment ? "production" : "dev" },
    };

    private V1.ConfigureResponse Configure() =>
        _broken == Rule.ConfigureFails || (_broken == Rule.ConfigureOnce && Interlocked.Increment(ref _configurations) > 1)
            ? throw new GrpcException(new GrpcStatus(GrpcStatusCode.FailedPrecondition, "not now"))
            : new V1.ConfigureResponse();

    private Health.HealthCheckResponse Check(Health.HealthCheckRequest request) =>
        IsKnown(request.Service)
            ? new Health.HealthCheckResponse { Status = Serving }
            : throw new GrpcException(new GrpcStatus(GrpcStatusCode.NotFound, $"there is no service {request.Service}"));

    private Health.HealthCheckResponse.Types.ServingStatus Serving => _broken == Rule.NotServing
        ? Health.HealthCheckResponse.Types.ServingStatus.NotServing
        : Health.HealthCheckResponse.Types.ServingStatus.Serving;

    private bool IsKnown(string service) => _broken == Rule.HealthKnowsAll || service is "" or "genkit.sidecar.v1.ActionService";

    private async Task<GrpcStatus> WatchAsync(GrpcServerCall call)
    {
        var request = Health.HealthCheckRequest.Parser.ParseFrom(await call.ReadSingleAsync());
        var status = IsKnown(request.Service) ? Serving : Health.HealthCheckResponse.Types.ServingStatus.ServiceUnknown;
        if (_broken != Rule.WatchTellsNothing)
        {
            await call.WriteAsync(new ReadOnlySequence<byte>(new Health.HealthCheckResponse { Status = status }.ToByteArray()), flush: true);
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.CancellationToken);
        return GrpcStatus.OK;
    }

    private async Task<GrpcStatus> RunActionAsync(GrpcServerCall call)
    {
        var message = await call.ReadSingleAsync();
        try
        {
            return await RunAsync(call, V1.RunActionRequest.Parser.ParseFrom(message), isBidi: false);
        }
        catch (InvalidProtocolBufferException e)
        {
            _isDead = _broken == Rule.DiesOfBadRequests;
            return new GrpcStatus(GrpcStatusCode.InvalidArgument, e.Message);
        }
    }

    private async Task<GrpcStatus> RunBidiActionAsync(GrpcServerCall call)
    {
        await call.SendHeadersAsync();
        var hasFirst = await call.ReadAsync();
        var first = hasFirst ? V1.RunBidiActionRequest.Parser.ParseFrom(call.Message) : new V1.RunBidiActionRequest();
        if (first.Start is null)
        {
            return _broken == Rule.StartMayBeMissing
                ? GrpcStatus.OK
                : new GrpcStatus(GrpcStatusCode.InvalidArgument, "the first message must be start");
        }

        return await RunAsync(call, first.Start, isBidi: true);
    }

    private async Task<GrpcStatus> RunAsync(GrpcServerCall call, V1.RunActionRequest request, bool isBidi)
    {
        ThrowIfDead(call);
        if (_broken == Rule.RefusesUnknownFields && V1.RunActionRequest.Parser.WithDiscardUnknownFields(true).ParseFrom(request.ToByteArray()).CalculateSize() != request.CalculateSize())
        {
            return new GrpcStatus(GrpcStatusCode.InvalidArgument, "the request has a field that nobody knows");
        }

        if ((_broken == Rule.RefusesDeadlines && call.Remaining is not null)
            || (_broken == Rule.FailsOfBadTraceContext && call.RequestHeaders.Get("traceparent") is { Length: not 55 }))
        {
            return new GrpcStatus(GrpcStatusCode.InvalidArgument, "metadata that this application does not like");
        }

        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        await using var cancellation = call.CancellationToken.UnsafeRegister(_ => CancelAll(), null);
        _runs[call] = cancelled;
        if (_places is not null)
        {
            await _places.WaitAsync(call.CancellationToken);
        }

        var run = new ReferenceRun(call, request, isBidi, WrongRuns.RuleOf(request.Key) ?? _broken, cancelled.Token);
        try
        {
            if (_broken == Rule.AddsAChunk && request.Stream)
            {
                await run.SendAsync("\"started\""u8.ToArray());
            }

            return await run.SucceedAsync(await _actions.RunAsync(run));
        }
        catch (ActionFailure failure)
        {
            return await run.FailAsync(failure);
        }
        catch (InvalidOperationException e)
        {
            if (_broken == Rule.ExceptionsEndIt)
            {
                Environment.Exit(70);
            }

            _isDead = _broken == Rule.DiesOfExceptions;
            return await run.FailAsync(new ActionFailure(2, e.Message) { Stack = e.StackTrace ?? "" });
        }
        catch (OperationCanceledException) when (cancelled.IsCancellationRequested)
        {
            return new GrpcStatus(GrpcStatusCode.Cancelled, "the run was cancelled");
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

    private void ThrowIfDead(GrpcServerCall call)
    {
        var connection = call.HttpContext.Connection.Id;
        var first = Interlocked.CompareExchange(ref _firstConnection, connection, null) ?? connection;
        if (_isDead || (_broken == Rule.ServesOneConnection && connection != first))
        {
            throw new GrpcException(new GrpcStatus(GrpcStatusCode.Unavailable, "dead"));
        }
    }
}
