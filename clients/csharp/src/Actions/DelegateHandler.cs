using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Genkit.Sidecar.Client;

/// <summary>Creates a handler from a lambda or method. Inspects the signature once and compiles the call, so that runs need no reflection.</summary>
[RequiresUnreferencedCode("The handler's types are looked up at run time.")]
[RequiresDynamicCode("Code is generated for the handler at run time.")]
internal sealed class DelegateHandler
{
    private readonly ParameterExpression _context = Expression.Parameter(typeof(ActionRunContext), "context");
    private readonly JsonSerializerOptions _options;
    private readonly ParameterInfo? _input;
    private readonly ParameterExpression _bound;
    private readonly Expression _call;
    private readonly bool _isAsync;

    private DelegateHandler(Delegate handler, JsonSerializerOptions options)
    {
        _options = options;
        _isAsync = handler.Method.IsDefined(typeof(AsyncStateMachineAttribute), inherit: false);

        // A delegate may be closed over the first parameter of a static method.
        var parameters = handler.Method.GetParameters()[^handler.GetType().GetMethod("Invoke")!.GetParameters().Length..];
        var inputs = Array.FindAll(parameters, IsInput);
        if (inputs.Length > 1 || Array.Exists(parameters, parameter => parameter.ParameterType.IsByRef))
        {
            throw new ArgumentException(
                $"a handler takes one input, ActionRunContext, CancellationToken and [FromServices] parameters, but this one takes {string.Join(", ", parameters.Select(parameter => parameter.ParameterType.Name))}");
        }

        _input = inputs.SingleOrDefault();
        _bound = Expression.Parameter(_input?.ParameterType ?? typeof(object), "input");
        _call = Expression.Invoke(Expression.Constant(handler), parameters.Select(parameter => parameter == _input ? _bound : Given(parameter)));
    }

    /// <exception cref="ArgumentException">It has other parameters, or a type has no JSON representation.</exception>
    public static ActionHandler Create(Delegate handler, JsonSerializerOptions options)
    {
        var made = new DelegateHandler(handler, options);
        var bind = made.Bind(out var input);
        var invoke = made.Invoke(bind, out var output, out var chunk);
        return new ActionHandler(invoke)
        {
            TakesStream = IsStream(made._bound.Type),
            Input = input,
            Output = output,
            Chunk = chunk,
            Description = handler.Method.GetCustomAttribute<DescriptionAttribute>()?.Description,
        };
    }

    private static bool IsInput(ParameterInfo parameter) =>
        parameter.ParameterType != typeof(ActionRunContext) && parameter.ParameterType != typeof(CancellationToken) && !IsService(parameter);

    private static bool IsService(ParameterInfo parameter) => parameter.GetCustomAttributes().Any(attribute => attribute is IFromServiceMetadata or FromKeyedServicesAttribute);

    private Expression Given(ParameterInfo parameter)
    {
        if (parameter.ParameterType == typeof(ActionRunContext))
        {
            return _context;
        }

        if (parameter.ParameterType == typeof(CancellationToken))
        {
            return Expression.Property(_context, nameof(ActionRunContext.CancellationToken));
        }

        var key = parameter.GetCustomAttribute<FromKeyedServicesAttribute>()?.Key;
        Func<IServiceProvider, object> service = key is null
            ? services => services.GetRequiredService(parameter.ParameterType)
            : services => services.GetRequiredKeyedService(parameter.ParameterType, key);
        return Expression.Convert(Expression.Invoke(Expression.Constant(service), Expression.Property(_context, nameof(ActionRunContext.Services))), parameter.ParameterType);
    }

    /// <summary>Expression that creates the input: a <c>Func&lt;ActionRunContext, RunInput, TInput&gt;</c>.</summary>
    private Delegate Bind(out JsonTypeInfo? input)
    {
        input = null;
        if (_input is null)
        {
            return (ActionRunContext _, RunInput _) => default(object);
        }

        var item = IsStream(_input.ParameterType) ? ItemOf(_input.ParameterType) : null;
        input = TypeOf(item ?? _input.ParameterType);
        var nullability = new NullabilityInfoContext().Create(_input);
        var isNullable = (item is null ? nullability : nullability.GenericTypeArguments is [var only] ? only : nullability).WriteState != NullabilityState.NotNull;
        return item is null
            ? Call<Delegate>(nameof(BindOne), [_input.ParameterType], input, _input, isNullable)
            : Call<Delegate>(nameof(BindStream), [item], input, isNullable);
    }

    private static Delegate BindOne<T>(JsonTypeInfo<T> type, ParameterInfo parameter, bool isNullable)
    {
        // Reflection returns null for a value type whose default is written as `default`.
        var reader = parameter.HasDefaultValue
            ? new InputReader<T>(type, isNullable, isOptional: true, parameter.DefaultValue is { } value ? DefaultOf<T>(value) : default)
            : new InputReader<T>(type, isNullable, isOptional: isNullable || typeof(T) == typeof(JsonElement));
        return (ActionRunContext _, RunInput run) => reader.Read(run.Json, run.What);
    }

    private static T DefaultOf<T>(object value) => value is T same ? same : (T)Enum.ToObject(Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T), value);

    private static Delegate BindStream<T>(JsonTypeInfo<T> type, bool isNullable)
    {
        var reader = new InputReader<T>(type, isNullable);
        return (ActionRunContext context, RunInput run) => run.ReadChunksAsync(reader, context.CancellationToken);
    }

    private Invocation Invoke(Delegate bind, out JsonTypeInfo? output, out JsonTypeInfo? chunk)
    {
        (output, chunk) = (null, null);
        var returned = _call.Type;
        if (returned == typeof(void))
        {
            if (_isAsync)
            {
                // An async void method cannot be awaited, and its exceptions would end the process.
                throw new ArgumentException("an async handler must return a Task, but this one returns void");
            }

            return Call<Invocation>(nameof(Invocations.BlockingWithoutResult), [_bound.Type], bind, Compile(_call, typeof(Action<,>), _bound.Type, _context.Type));
        }

        if (returned == typeof(Task) || returned == typeof(ValueTask))
        {
            return Call<Invocation>(nameof(Invocations.AsyncWithoutResult), [_bound.Type], bind, CompileFunction(AsTask(_call)));
        }

        if (ItemOf(returned) is { } item)
        {
            var enumerated = Expression.Convert(_call, typeof(IAsyncEnumerable<>).MakeGenericType(item));
            chunk = TypeOf(item);
            return Call<Invocation>(nameof(Invocations.Chunks), [_bound.Type, item], bind, CompileFunction(enumerated), chunk);
        }

        var isAsync = returned.IsGenericType && (returned.GetGenericTypeDefinition() == typeof(Task<>) || returned.GetGenericTypeDefinition() == typeof(ValueTask<>));
        var result = isAsync ? returned.GetGenericArguments()[0] : returned;
        if (ItemOf(result) is not null)
        {
            throw new ArgumentException("a handler must return an IAsyncEnumerable directly, not a task of one. Enumerate it in an async method and yield its items");
        }

        output = TypeOf(result);
        return Call<Invocation>(
            isAsync ? nameof(Invocations.Async) : nameof(Invocations.Blocking), [_bound.Type, result], bind, CompileFunction(isAsync ? AsTask(_call) : _call), output);
    }

    private static Expression AsTask(Expression call) => typeof(Task).IsAssignableFrom(call.Type) ? call : Expression.Call(call, nameof(ValueTask.AsTask), null);

    private Delegate CompileFunction(Expression body) => Compile(body, typeof(Func<,,>), _bound.Type, _context.Type, body.Type);

    private Delegate Compile(Expression body, Type type, params Type[] arguments) => Expression.Lambda(type.MakeGenericType(arguments), body, _bound, _context).Compile();

    /// <exception cref="ArgumentException">The options have no metadata for the type.</exception>
    private JsonTypeInfo TypeOf(Type type)
    {
        try
        {
            return type == typeof(RawJson) ? RawJsonConverter.TypeInfo : _options.GetTypeInfo(type);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, e);
        }
    }

    private static bool IsStream(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>);

    /// <summary>Returns the T of a type that is or implements <c>IAsyncEnumerable&lt;T&gt;</c>, or null for any other type.</summary>
    private static Type? ItemOf(Type type) => type.GetInterfaces().Append(type)
        .FirstOrDefault(IsStream)?.GetGenericArguments()[0];

    private static T Call<T>(string method, Type[] types, params object[] arguments)
    {
        var generic = (typeof(Invocations).GetMethod(method) ?? typeof(DelegateHandler).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static))!;
        try
        {
            return (T)generic.MakeGenericMethod(types).Invoke(null, arguments)!;
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }
}
