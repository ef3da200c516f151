using System.Buffers;
using System.Text;
using System.Text.Json;
using Genkit.Sidecar.Actions;
using Genkit.Sidecar.JsonRpc;
using Genkit.Sidecar.Tests.Infrastructure;
using Grpc.Core;

namespace Genkit.Sidecar.Tests.JsonRpc;

/// <summary>Frames recorded between Genkit's manager and runtime.</summary>
public class GoldenFrameTests
{
    [Fact]
    public void Reader_FramesOfTheManager_AreReadByteForByte()
    {
        var frames = TestData.GoldenFrames.Where(frame => frame.FromManager).ToList();

        Assert.NotEmpty(frames);
        foreach (var frame in frames)
        {
            var bytes = Encoding.UTF8.GetBytes(frame.Text);
            foreach (var sequence in (ReadOnlySequence<byte>[])[new(bytes), Sequences.Every(1, bytes), Sequences.Every(7, bytes)])
            {
                Assert.Null(JsonRpcReader.Read(sequence, out var message));
                ReadMessage.AssertEqualsDocument(sequence, message);
                Assert.Equal(0, message.UnknownMembers);
            }
        }
    }

    [Fact]
    public void Reader_FramesOfTheManager_UseTheMethodsThatAreKnown()
    {
        var methods = TestData.GoldenFrames.Where(frame => frame.FromManager).Select(MethodOf).OfType<string>().Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(
            ["bogus", "bogusNotify", "cancelAction", "configure", "endInputStream", "listActions", "listValues", "runAction", "sendInputStreamChunk"],
            methods);
    }

    [Fact]
    public void Reader_FramesOfTheRuntime_AreReadByteForByte()
    {
        foreach (var frame in TestData.GoldenFrames.Where(frame => !frame.FromManager))
        {
            var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(frame.Text));

            Assert.Null(JsonRpcReader.Read(bytes, out var message));
            ReadMessage.AssertEqualsDocument(bytes, message);
        }
    }

    [Fact]
    public void Writer_WhatTheRuntimeSaid_IsWrittenAsTheRuntimeWroteIt()
    {
        var rewritten = new Dictionary<string, int>();
        foreach (var golden in TestData.GoldenFrames.Where(frame => !frame.FromManager))
        {
            using var document = JsonDocument.Parse(golden.Text);
            var frame = new OutgoingFrame();
            if (Rewrite(document.RootElement, frame) is not { } kind)
            {
                continue;
            }

            rewritten[kind] = rewritten.GetValueOrDefault(kind) + 1;
            Assert.Equal(golden.Text, FrameText.Of(frame));
        }

        Assert.Equal(["error", "register", "result", "runActionState", "runResult", "streamChunk"], rewritten.Keys.Order(StringComparer.Ordinal));
        Assert.True(rewritten.Values.Sum() > 100);
    }

    /// <summary>Returns null for frames that a sidecar never sends: an absent chunk, an error without a message, and a test's own registrations.</summary>
    private static string? Rewrite(JsonElement golden, OutgoingFrame frame)
    {
        if (golden.TryGetProperty("method", out var method))
        {
            return RewriteCall(method.GetString()!, golden, frame);
        }

        var id = new RequestId(Encoding.UTF8.GetBytes(golden.GetProperty("id").GetRawText()));
        if (golden.TryGetProperty("error", out var error))
        {
            return RewriteError(error, id, frame);
        }

        var result = golden.GetProperty("result");
        if (result.TryGetProperty("telemetry", out var telemetry))
        {
            JsonRpcWriter.RunActionResult(
                frame,
                id,
                result.TryGetProperty("result", out var value) ? Raw(value) : null,
                telemetry.GetProperty("traceId").GetString()!);
            return "runResult";
        }

        var member = Assert.Single(result.EnumerateObject());
        JsonRpcWriter.Result(frame, id, Encoding.UTF8.GetBytes(member.Name), Raw(member.Value));
        return "result";
    }

    private static string? RewriteCall(string method, JsonElement golden, OutgoingFrame frame)
    {
        var parameters = golden.GetProperty("params");
        if (method == "register")
        {
            if (!parameters.TryGetProperty("envs", out var environments))
            {
                return null;
            }

            JsonRpcWriter.Register(frame, golden.GetProperty("id").GetString()!, new Registration(
                parameters.GetProperty("id").GetString()!,
                parameters.GetProperty("pid").GetInt32(),
                parameters.GetProperty("name").GetString()!,
                parameters.GetProperty("genkitVersion").GetString()!,
                [.. environments.EnumerateArray().Select(environment => environment.GetString()!)]));
            return method;
        }

        var request = new RequestId(Encoding.UTF8.GetBytes(parameters.GetProperty("requestId").GetRawText()));
        if (method == "runActionState")
        {
            JsonRpcWriter.RunActionState(frame, request, parameters.GetProperty("state").GetProperty("traceId").GetString()!);
            return method;
        }

        if (!parameters.TryGetProperty("chunk", out var chunk))
        {
            return null;
        }

        JsonRpcWriter.StreamChunk(frame, request, Raw(chunk));
        return method;
    }

    private static string? RewriteError(JsonElement error, RequestId id, OutgoingFrame frame)
    {
        if (!error.TryGetProperty("data", out var data)
            || !data.TryGetProperty("message", out var message)
            || !data.TryGetProperty("details", out var details)
            || !details.TryGetProperty("traceId", out var traceId))
        {
            return null;
        }

        var failure = new ActionFailure((StatusCode)data.GetProperty("code").GetInt32(), message.GetString()!)
        {
            Stack = details.TryGetProperty("stack", out var stack) ? stack.GetString() : null,
        };
        JsonRpcWriter.Error(frame, id, error.GetProperty("code").GetInt32(), failure, traceId.GetString());
        return "error";
    }

    private static string? MethodOf(GoldenFrame frame)
    {
        JsonRpcReader.Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(frame.Text)), out var message);
        return message.String(message.Method);
    }

    private static ReadOnlySequence<byte> Raw(JsonElement value) => new(Encoding.UTF8.GetBytes(value.GetRawText()));
}
