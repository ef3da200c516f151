using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Genkit.Sidecar.Configuration;
using Grpc.Core;
using Microsoft.AspNetCore.RateLimiting;

namespace Genkit.Sidecar.Endpoints.FlowServer;

/// <summary>How often one client may ask, and how many requests may be under way.</summary>
internal sealed class RateLimits : IDisposable
{
    /// <summary>Value of Retry-After when the server is full. Runs take seconds.</summary>
    private static readonly TimeSpan s_fullRetry = TimeSpan.FromSeconds(1);

    public RateLimits(FlowServerSettings settings)
    {
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokenLimit = settings.RateBurst,
            TokensPerPeriod = Math.Max(settings.RateLimit, 1),
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            AutoReplenishment = true,
        };

        // Forgets clients by itself that have not asked for a while.
        OfClients = Options(
            PartitionedRateLimiter.Create<HttpContext, IPAddress>(context => settings.RateLimit == 0
                ? RateLimitPartition.GetNoLimiter(IPAddress.None)
                : RateLimitPartition.GetTokenBucketLimiter(Client(Address(context, settings.ClientHeader)), _ => bucket)),
            StatusCodes.Status429TooManyRequests,
            StatusCode.ResourceExhausted,
            "Too many requests from this client");
        OfRequests = Options(
            PartitionedRateLimiter.Create<HttpContext, int>(_ => RateLimitPartition.GetConcurrencyLimiter(
                0, _ => new ConcurrencyLimiterOptions { PermitLimit = settings.MaxConcurrent, QueueLimit = 0 })),
            StatusCodes.Status503ServiceUnavailable,
            StatusCode.Unavailable,
            "The server is at its limit of concurrent requests");
    }

    /// <summary>How many requests a client may begin.</summary>
    public RateLimiterOptions OfClients { get; }

    /// <summary>How many requests may be under way.</summary>
    public RateLimiterOptions OfRequests { get; }

    public void Dispose()
    {
        OfClients.GlobalLimiter!.Dispose();
        OfRequests.GlobalLimiter!.Dispose();
    }

    private static RateLimiterOptions Options(PartitionedRateLimiter<HttpContext> limiter, int status, StatusCode code, string message) => new()
    {
        GlobalLimiter = limiter,
        OnRejected = async (rejected, _) =>
        {
            var retryAfter = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : s_fullRetry;
            await FlowResponse.WriteRefusalAsync(rejected.HttpContext, new Refusal(status, code, message, retryAfter));
        },
    };

    private static IPAddress? Address(HttpContext context, string? header)
    {
        // What comes before the last comma, the client may have written itself. Some proxies add the port.
        var named = header is null ? "" : context.Request.Headers[header].ToString();
        return IPEndPoint.TryParse(named.AsSpan(named.LastIndexOf(',') + 1).Trim(), out var client) ? client.Address : context.Connection.RemoteIpAddress;
    }

    /// <summary>Who counts as one client: an address, or for IPv6 the network that one subscriber has.</summary>
    private static IPAddress Client(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
