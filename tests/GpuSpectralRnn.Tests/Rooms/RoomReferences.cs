using Mono.Cecil;
using Mono.Cecil.Cil;

namespace GpuSpectralRnn.Tests.Rooms;

/// <summary>Reads from a compiled assembly which namespaces use which: base types, signatures, fields and every instruction's operand.</summary>
internal static class RoomReferences
{
    /// <summary>One use of a type by another.</summary>
    internal sealed record Use(string From, string To, string Where);

    internal static IEnumerable<Use> Of(string assemblyPath)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(assemblyPath);
        List<Use> uses = [];
        foreach (TypeDefinition type in assembly.MainModule.GetTypes())
        {
            string from = Namespace(type);
            foreach (TypeReference used in Mentioned(type).SelectMany(Unwrap))
            {
                string to = Namespace(used);
                if (to != from) uses.Add(new Use(from, to, $"{type.FullName} -> {used.FullName}"));
            }
        }

        return uses.Distinct();
    }

    private static string Namespace(TypeReference type)
    {
        while (type.DeclaringType is not null) type = type.DeclaringType;
        return type.Namespace;
    }

    private static IEnumerable<TypeReference> Mentioned(TypeDefinition type)
    {
        if (type.BaseType is not null) yield return type.BaseType;
        foreach (InterfaceImplementation i in type.Interfaces) yield return i.InterfaceType;
        foreach (FieldDefinition field in type.Fields) yield return field.FieldType;
        foreach (MethodDefinition method in type.Methods)
        {
            yield return method.ReturnType;
            foreach (ParameterDefinition parameter in method.Parameters) yield return parameter.ParameterType;
            if (!method.HasBody) continue;
            foreach (VariableDefinition variable in method.Body.Variables) yield return variable.VariableType;
            foreach (Instruction instruction in method.Body.Instructions)
            {
                switch (instruction.Operand)
                {
                    case TypeReference t:
                        yield return t;
                        break;
                    case MethodReference m:
                        yield return m.DeclaringType;
                        if (m is GenericInstanceMethod generic)
                        {
                            foreach (TypeReference argument in generic.GenericArguments) yield return argument;
                        }

                        break;
                    case FieldReference f:
                        yield return f.DeclaringType;
                        break;
                }
            }
        }
    }

    private static IEnumerable<TypeReference> Unwrap(TypeReference type)
    {
        if (type is GenericInstanceType generic)
        {
            foreach (TypeReference argument in generic.GenericArguments.SelectMany(Unwrap)) yield return argument;
        }

        if (type is TypeSpecification specification)
        {
            foreach (TypeReference inner in Unwrap(specification.ElementType)) yield return inner;
        }
        else if (type is not GenericParameter)
        {
            yield return type;
        }
    }
}
