using System.Globalization;
using Genkit.Sidecar.Conformance.Actions;
using Genkit.Sidecar.Conformance.Steps;
using Genkit.Sidecar.Conformance.Subjects;
using Genkit.Sidecar.Conformance.Suites;

namespace Genkit.Sidecar.Conformance.Running;

/// <summary>Runs cases one at a time. Each case has its own connection, so that leftovers are attributed to it.</summary>
internal sealed class CaseRunner(Func<ISubject> connect, Catalogue catalogue, IReadOnlySet<string> without, TimeSpan? timeout)
{
    // Time that runs and connections have to end after a case.
    private static readonly TimeSpan s_cleaning = TimeSpan.FromSeconds(10);

    // Limit the length, because a fault may contain a message of any size.
    private const int MostOfAFault = 2000;

    /// <summary>Runs one case. Throws only if the token is cancelled.</summary>
    public async Task<Outcome> RunAsync(Case one, CancellationToken cancellationToken)
    {
        if (ReasonToSkip(one) is { } reason)
        {
            return new Outcome(one, Verdict.Skipped, reason, null, TimeSpan.Zero);
        }

        var start = TimeProvider.System.GetTimestamp();
        var limit = timeout ?? one.Timeout;
        var progress = new Progress();
        string? fault;
        try
        {
            // Also bounds operations that ignore the token.
            fault = await ExecuteAsync(one, limit, progress, cancellationToken).WaitAsync(limit + s_cleaning, cancellationToken);
        }
        catch (TimeoutException)
        {
            fault = "the connection did not close after the case";
        }

        if (fault?.Length > MostOfAFault)
        {
            fault = $"{fault[..MostOfAFault]}… ({fault.Length} characters)";
        }

        var step = fault is null || progress.Step < 0 ? null : one.Steps[progress.Step].Text;
        return new Outcome(one, fault is null ? Verdict.Passed : Verdict.Failed, fault, step, TimeProvider.System.GetElapsedTime(start));
    }

    private string? ReasonToSkip(Case one)
    {
        if (one.Needs.FirstOrDefault(without.Contains) is { } missing)
        {
            return $"the application does not support {missing}";
        }

        return one.Unless.FirstOrDefault(feature => !without.Contains(feature)) is { } present ? $"the application supports {present}" : null;
    }

    /// <summary>Returns why the case failed, or null if it passed.</summary>
    private async Task<string?> ExecuteAsync(Case one, TimeSpan limit, Progress progress, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(limit);
        try
        {
            await using var subject = connect();
            await using var context = new CaseContext(subject, catalogue, without, Guid.NewGuid().ToString("n"));
            foreach (var (_, step) in one.Steps)
            {
                progress.Step++;
                await step.ExecuteAsync(context, over.Token);
            }

            return null;
        }
        catch (CaseFailure failure)
        {
            return failure.Message;
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"it hangs: what was expected did not come within {limit.TotalSeconds:0.###} s");
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // An error of the kit fails only this case.
            return $"the kit failed: {e}";
        }
    }

    private sealed class Progress
    {
        public int Step { get; set; } = -1;
    }
}
