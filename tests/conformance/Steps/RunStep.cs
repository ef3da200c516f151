using Genkit.Sidecar.Conformance.Payloads;
using Genkit.Sidecar.Conformance.Subjects;
using Grpc.Core;

namespace Genkit.Sidecar.Conformance.Steps;

/// <summary>Starts one or several runs without waiting: <c>{"run": KEY, "input": …, "stream": true}</c>.</summary>
internal sealed class RunStep : IStep
{
    private readonly string _key;
    private readonly string _name;
    private readonly int _times;
    private readonly Payload? _input;
    private readonly Payload? _init;
    private readonly Payload? _context;
    private readonly RunPlan _plan;

    public RunStep(Members members)
    {
        _key = members.RequireText("run");
        _name = members.TakeText("as") ?? "run";
        _times = members.TakeCount("times", 1);
        _input = members.TakePayload("input");
        _init = members.TakePayload("init");
        _context = members.TakePayload("context");
        Metadata? metadata = null;
        foreach (var (name, value) in members.TakePairs("metadata"))
        {
            (metadata ??= new Metadata()).Add(name, value);
        }

        _plan = new RunPlan
        {
            Key = _key,
            Labels = members.TakePairs("labels"),
            Stream = members.TakeFlag("stream"),
            IsBidi = members.TakeFlag("bidi"),
            Metadata = metadata,
            Deadline = members.TakeTime("deadline"),
            HasUnknownField = members.TakeFlag("unknownField"),
        };
    }

    public bool IsOfApplicationAlone => _plan.Metadata is not null || _plan.Deadline is not null || _plan.HasUnknownField;

    public async Task ExecuteAsync(CaseContext context, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _times; i++)
        {
            var values = context.Values(i);
            var plan = _plan with
            {
                Key = values.Fill(_key),
                Input = _input?.Build(values),
                Init = _init?.Build(values),
                Context = _context?.Build(values),
            };
            context.Add(_name, await context.Subject.StartAsync(plan, cancellationToken));
        }
    }
}
