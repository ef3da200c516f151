using System.Text.Json;
using System.Text.Json.Nodes;
using Genkit.Sidecar.Application;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Genkit.Sidecar.Tests.Application;

public class RpcStatusDetailsTests
{
    /// <summary>A message of each type, and its JSON form by https://protobuf.dev/programming-guides/json.</summary>
    public static TheoryData<IMessage, string> KnownTypes => new()
    {
        {
            new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "a.b", Description = "é" } } },
            """{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"a.b","description":"é"}]}"""
        },
        {
            new ErrorInfo { Reason = "R", Domain = "d", Metadata = { ["k"] = "v" } },
            """{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R","domain":"d","metadata":{"k":"v"}}"""
        },
        {
            new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1.5)) },
            """{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}"""
        },
        {
            new QuotaFailure { Violations = { new QuotaFailure.Types.Violation { Subject = "s", Description = "d" } } },
            """{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"subject":"s","description":"d"}]}"""
        },
        {
            new PreconditionFailure { Violations = { new PreconditionFailure.Types.Violation { Type = "TOS", Subject = "s", Description = "d" } } },
            """{"@type":"type.googleapis.com/google.rpc.PreconditionFailure","violations":[{"type":"TOS","subject":"s","description":"d"}]}"""
        },
        {
            new Help { Links = { new Help.Types.Link { Description = "d", Url = "https://a.example" } } },
            """{"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"d","url":"https://a.example"}]}"""
        },
        {
            new LocalizedMessage { Locale = "de", Message = "Käse" },
            """{"@type":"type.googleapis.com/google.rpc.LocalizedMessage","locale":"de","message":"Käse"}"""
        },
        {
            new ResourceInfo { ResourceType = "t", ResourceName = "n", Owner = "o", Description = "d" },
            """{"@type":"type.googleapis.com/google.rpc.ResourceInfo","resourceType":"t","resourceName":"n","owner":"o","description":"d"}"""
        },
        {
            new RequestInfo { RequestId = "i", ServingData = "s" },
            """{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"i","servingData":"s"}"""
        },
        {
            new DebugInfo { StackEntries = { "at a" }, Detail = "d" },
            """{"@type":"type.googleapis.com/google.rpc.DebugInfo","stackEntries":["at a"],"detail":"d"}"""
        },
        { new BadRequest(), """{"@type":"type.googleapis.com/google.rpc.BadRequest"}""" },
    };

    [Theory]
    [MemberData(nameof(KnownTypes))]
    public void Read_KnownType_IsInItsJsonForm(IMessage detail, string json) => AssertDetails([json], Read(Any.Pack(detail)));

    [Fact]
    public void Read_OtherTypes_AreUrlAndBase64()
    {
        var own = new Any { TypeUrl = "type.example/shop.Stock", Value = ByteString.CopyFrom(1, 2, 255) };
        var broken = new Any { TypeUrl = "type.googleapis.com/google.rpc.ErrorInfo", Value = ByteString.CopyFrom(255, 255) };

        AssertDetails(
            [
                """{"@type":"type.example/shop.Stock","value":"AQL/"}""",
                """{"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"i"}""",
                """{"@type":"type.googleapis.com/google.rpc.ErrorInfo","value":"//8="}""",
                """{"@type":"","value":""}""",
            ],
            Read(own, Any.Pack(new RequestInfo { RequestId = "i" }), broken, new Any()));
    }

    [Fact]
    public void Read_DebugInfo_GivesTheStackALineAnEntry()
    {
        var other = Any.Pack(new ErrorInfo { Reason = "R" });

        Assert.Equal("at a\nat é", Read(other, Any.Pack(new DebugInfo { Detail = "d", StackEntries = { "at a", "at é" } }, "other.example")).Stack);
        Assert.Equal("d", Read(other, Any.Pack(new DebugInfo { Detail = "d" })).Stack);
        Assert.Null(Read(other, Any.Pack(new DebugInfo())).Stack);
        Assert.Null(Read(other).Stack);
    }

    [Fact]
    public void Read_NoDetails_IsEmpty()
    {
        Assert.Equal(default, RpcStatusDetails.Read(Metadata.Empty));
        Assert.Equal(default, Read());
        Assert.Equal(default, RpcStatusDetails.Read(Trailers("not a status at all"u8.ToArray())));
    }

    [Fact]
    public void Read_BytesBrokenAtRandom_NeverThrows()
    {
        var random = new Random(20261127);
        var status = Status(
            Any.Pack(new ErrorInfo { Reason = "reason", Metadata = { ["k"] = "v" } }),
            Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) }),
            Any.Pack(new DebugInfo { Detail = "detail", StackEntries = { "at a", "at b" } })).ToByteArray();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = status.ToArray();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var details = RpcStatusDetails.Read(Trailers(bytes[..random.Next(bytes.Length + 1)]));
            if (!details.Json.IsEmpty)
            {
                JsonDocument.Parse(details.Json).Dispose();
            }
        }
    }

    private static void AssertDetails(string[] expected, RpcStatusDetails details) =>
        Assert.Equal(
            JsonNode.Parse($$"""{"details":[{{string.Join(",", expected)}}]}""")!.ToJsonString(),
            JsonNode.Parse(details.Json.Span)!.ToJsonString());

    private static RpcStatusDetails Read(params Any[] details) => RpcStatusDetails.Read(Trailers(Status(details).ToByteArray()));

    private static Google.Rpc.Status Status(params Any[] details) => new() { Code = 13, Message = "message", Details = { details } };

    private static Metadata Trailers(byte[] status) => new() { { "grpc-status-details-bin", status } };
}
