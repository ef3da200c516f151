using System.Reflection;

namespace Genkit.Sidecar.Client.Tests;

/// <summary>Checks the public API of the library.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void PublicApi_HasTypesOfItsOwnAndOfGrpcDotnetAlone()
    {
        var assemblies = typeof(Application).Assembly.GetExportedTypes()
            .SelectMany(type => type.GetMembers().SelectMany(TypesOf).Append(type.BaseType))
            .SelectMany(Parts)
            .Select(type => type.Assembly.GetName().Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && !name.StartsWith("Microsoft.", StringComparison.Ordinal))
            .Distinct()
            .Order(StringComparer.Ordinal);

        Assert.Equal(["Genkit.Sidecar.Client", "Grpc.AspNetCore.Server", "Grpc.Core.Api"], assemblies);
    }

    private static IEnumerable<Type?> TypesOf(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType),
        ConstructorInfo constructor => constructor.GetParameters().Select(parameter => parameter.ParameterType),
        PropertyInfo property => [property.PropertyType],
        FieldInfo field => [field.FieldType],
        _ => [],
    };

    private static IEnumerable<Type> Parts(Type? type) =>
        type is null ? []
        : type.HasElementType ? Parts(type.GetElementType())
        : type.IsGenericParameter ? []
        : type.GetGenericArguments().SelectMany(Parts).Append(type);
}
