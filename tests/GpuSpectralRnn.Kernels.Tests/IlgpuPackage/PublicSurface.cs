using Mono.Cecil;

namespace GpuSpectralRnn.Kernels.Tests.IlgpuPackage;

/// <summary>What code outside an assembly can use of it, and where another assembly offers something else under the same name.</summary>
internal static class PublicSurface
{
    /// <summary>What <paramref name="original"/> lacks, or has otherwise, of the types and members that <paramref name="copy"/> offers.</summary>
    public static IEnumerable<string> Differences(ModuleDefinition copy, params ModuleDefinition[] original)
    {
        foreach (TypeDefinition type in copy.GetTypes().Where(IsVisible))
        {
            TypeDefinition? counterpart = original.Select(module => module.GetType(type.FullName)).FirstOrDefault(found => found is not null && IsVisible(found));
            if (counterpart is null) yield return $"{type.FullName}: no such type";
            else foreach (string difference in Differences(type, counterpart)) yield return difference;
        }
    }

    private static IEnumerable<string> Differences(TypeDefinition type, TypeDefinition original)
    {
        if (Kind(type) != Kind(original)) yield return $"{type.FullName}: {Kind(type)}, in the original {Kind(original)}";
        foreach (string difference in ConstraintDifferences(type.FullName, type, original)) yield return difference;
        foreach (FieldDefinition field in type.Fields.Where(field => field.IsPublic || field.IsFamily))
        {
            FieldDefinition? counterpart = original.Fields.FirstOrDefault(f => f.FullName == field.FullName && f.Attributes.HasFlag(field.Attributes & FieldAttributes.Public));
            if (counterpart is null) yield return $"{field.FullName}: no such field";
            else if (!Equals(counterpart.Constant, field.Constant)) yield return $"{field.FullName}: {field.Constant}, in the original {counterpart.Constant}";
        }

        foreach (MethodDefinition method in type.Methods.Where(method => method.IsPublic || (method.IsFamily && !method.IsConstructor)))
        {
            if (method.Name == "Finalize" || type.IsEnum) continue;
            MethodDefinition? counterpart = WithBases(original).SelectMany(t => t.Methods).FirstOrDefault(found => Signature(found) == Signature(method) && Reach(found) >= Reach(method));
            if (counterpart is null) yield return $"{method.FullName}: no such method";
            else foreach (string difference in ConstraintDifferences(method.FullName, method, counterpart)) yield return difference;
        }
    }

    // Code that satisfies the copy's constraints must satisfy the original's.
    private static IEnumerable<string> ConstraintDifferences(string owner, IGenericParameterProvider copy, IGenericParameterProvider original)
    {
        foreach ((GenericParameter mine, GenericParameter theirs) in copy.GenericParameters.Zip(original.GenericParameters))
        {
            foreach (string missing in Constraints(theirs).Except(Constraints(mine))) yield return $"{owner}: {mine.Name} lacks the constraint {missing}";
        }
    }

    private static IEnumerable<string> Constraints(GenericParameter parameter)
    {
        if (parameter.HasNotNullableValueTypeConstraint) yield return "struct";
        if (parameter.HasReferenceTypeConstraint) yield return "class";
        foreach (GenericParameterConstraint constraint in parameter.Constraints)
        {
            // Every struct has the base type, and constraints that tie generic types to each other say nothing about who may call.
            string name = constraint.ConstraintType.FullName;
            if (name != "System.ValueType" && !name.Contains('<', StringComparison.Ordinal)) yield return name;
        }
    }

    private static string Kind(TypeDefinition type) => type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : "class";

    private static int Reach(MethodDefinition method) => method.IsPublic ? 2 : method.IsFamily || method.IsFamilyOrAssembly ? 1 : 0;

    private static string Signature(MethodDefinition method) =>
        $"{(method.IsStatic ? "static " : string.Empty)}{method.ReturnType.FullName} {method.Name}`{method.GenericParameters.Count}({string.Join(",", method.Parameters.Select(p => p.ParameterType.FullName))})";

    private static bool IsVisible(TypeDefinition type) =>
        (type.IsPublic || type.IsNestedPublic) && (type.DeclaringType is null || IsVisible(type.DeclaringType)) && type.Name != "<Module>";

    private static IEnumerable<TypeDefinition> WithBases(TypeDefinition type)
    {
        TypeDefinition? current = type;
        while (current is not null)
        {
            yield return current;
            current = current.BaseType?.Resolve();
        }
    }
}
