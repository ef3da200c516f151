using System.Text;
using Genkit.Sidecar.Configuration;
using Genkit.Sidecar.Health;
using Genkit.Sidecar.Http;
using Genkit.Sidecar.Metrics;

namespace Genkit.Sidecar.Endpoints.Health;

/// <summary>
/// The four paths of the listener. Everybody may probe; what tells more than yes or no is for callers on this machine, or, for
/// metrics, for those who have the token.
/// </summary>
internal sealed class HealthEndpoints(HealthSettings settings, SidecarHealth health, MetricsCollector metrics, RunMetrics runs)
{
    private const string PlainText = "text/plain; charset=utf-8";

    /// <summary>Adds the middleware and maps the paths of the listener.</summary>
    public void Map(IApplicationBuilder application)
    {
        application.Use(AdmitReadsAsync);
        application.UseRouting();
        application.UseEndpoints(endpoints =>
        {
            endpoints.Map("/healthz", context => ProbeAsync(context, Probe.Live));
            endpoints.Map("/startupz", context => ProbeAsync(context, Probe.Startup));
            endpoints.Map("/readyz", context => ProbeAsync(context, Probe.Ready));
            endpoints.Map("/metrics", MetricsAsync);
            endpoints.MapFallback("{**path}", context => AnswerAsync(context, StatusCodes.Status404NotFound, "not found\n"));
        });
    }

    private static Task AdmitReadsAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
        {
            return next(context);
        }

        context.Response.Headers.Allow = "GET, HEAD";
        return AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, "only GET and HEAD\n");
    }

    /// <summary>Whether the caller is a process of this machine that means this machine.</summary>
    private bool IsLocal(HttpContext context) =>
        // The file's mode says who may connect.
        settings.Address.SocketPath is not null
        || (context.Connection.RemoteIpAddress is { } peer && Loopback.Is(peer) && Loopback.IsAskedFor(context.Request));

    private async Task ProbeAsync(HttpContext context, Probe probe)
    {
        var conditions = await health.CheckAsync(probe);
        var isGood = conditions.All(condition => condition.Holds);
        var body = new StringBuilder(isGood ? ProbeText.Good : ProbeText.Bad);
        if (context.Request.Query.ContainsKey("verbose") && IsLocal(context))
        {
            foreach (var (name, holds, reason) in conditions)
            {
                body.Append($"{name}: {(holds ? "yes" : "no")}, {reason.ReplaceLineEndings(" ")}\n");
            }

            body.Append($"active runs: {runs.Active}\nversion: {SidecarVersion.Number}\n");
        }

        await AnswerAsync(context, isGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, body.ToString());
    }

    private async Task MetricsAsync(HttpContext context)
    {
        if (!IsLocal(context))
        {
            if (settings.MetricsToken is not { } token)
            {
                await AnswerAsync(context, StatusCodes.Status403Forbidden, $"metrics are for callers on this machine that ask for localhost, unless {HealthSettingTable.MetricsToken.Flag} or {HealthSettingTable.MetricsToken.EnvironmentVariable} sets a token\n");
                return;
            }

            if (!token.IsIn(context.Request.Headers.Authorization.ToString()))
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                await AnswerAsync(context, StatusCodes.Status401Unauthorized, $"metrics need the token of {HealthSettingTable.MetricsToken.Flag}: Authorization: Bearer TOKEN\n");
                return;
            }
        }

        // So that the metric of it is of now.
        await health.AskApplicationAsync();
        await AnswerAsync(context, StatusCodes.Status200OK, metrics.Collect(), PrometheusText.ContentType);
    }

    private static async Task AnswerAsync(HttpContext context, int status, string text, string contentType = PlainText)
    {
        var body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
