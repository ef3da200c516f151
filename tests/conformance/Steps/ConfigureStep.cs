using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Tells the application about the sidecar: <c>{"configure": {"sidecarVersion": …, "otlpGrpcEndpoint": …, "otlpHttpEndpoint": …, "maxMessageBytes": …, "features": […]}}</c>.</summary>
internal sealed class ConfigureStep : IStep
{
    private readonly V1.ConfigureRequest _request;

    public ConfigureStep(Members members)
    {
        var configuration = new Members(members.Require("configure"));
        _request = new V1.ConfigureRequest
        {
            SidecarVersion = configuration.TakeText("sidecarVersion") ?? "",
            OtlpGrpcEndpoint = configuration.TakeText("otlpGrpcEndpoint") ?? "",
            OtlpHttpEndpoint = configuration.TakeText("otlpHttpEndpoint") ?? "",
            MaxMessageBytes = configuration.Take("maxMessageBytes")?.GetInt64() ?? 0,
            Features = { configuration.TakeTexts("features") },
        };
        configuration.ThrowIfAnyIsLeft();
    }

    public bool IsOfApplicationAlone => true;

    public Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken) =>
        ((ApplicationSubject)context.Subject).ConfigureAsync(_request, cancellationToken);
}
