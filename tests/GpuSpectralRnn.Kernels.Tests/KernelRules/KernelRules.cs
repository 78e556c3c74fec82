using Mono.Cecil;
using Mono.Cecil.Cil;

namespace GpuSpectralRnn.Kernels.Tests.KernelRules;

/// <summary>
/// What ILGPU 1.5.3 refuses, or compiles to something that does not work, found in the IL of a kernel and of everything it reaches. So a kernel that
/// passes here compiles where the package is, also if it was written where only the stand-in is.
/// </summary>
internal static class KernelRules
{
    // The functions of the base library that ILGPU maps to device code (its RemappedIntrinsics and AlgorithmContext); every other one is refused.
    private static readonly Dictionary<string, string[]> MappedFunctions = new()
    {
        ["System.Math"] =
        [
            "Abs", "Acos", "Asin", "Atan", "Atan2", "Ceiling", "Cos", "Cosh", "Exp", "Floor", "Log", "Log10", "Log2", "Max", "Min", "Pow", "Round", "Sign", "Sin",
            "Sinh", "Sqrt", "Tan", "Tanh", "Truncate",
        ],
        ["System.MathF"] =
        [
            "Abs", "Acos", "Asin", "Atan", "Atan2", "Ceiling", "Cos", "Cosh", "Exp", "Floor", "Log", "Log10", "Log2", "Max", "Min", "Pow", "Round", "Sign", "Sin",
            "Sinh", "Sqrt", "Tan", "Tanh", "Truncate",
        ],
        ["System.Single"] = ["IsNaN", "IsInfinity", "IsFinite"],
        ["System.Double"] = ["IsNaN", "IsInfinity", "IsFinite"],
        ["System.BitConverter"] = ["SingleToInt32Bits", "Int32BitsToSingle", "DoubleToInt64Bits", "Int64BitsToDouble"],
        ["System.Numerics.BitOperations"] = ["LeadingZeroCount", "PopCount", "TrailingZeroCount"],
    };

    /// <summary>The methods of an assembly that carry the mark of a kernel.</summary>
    public static IEnumerable<MethodDefinition> Kernels(ModuleDefinition module) =>
        module.GetTypes().SelectMany(type => type.Methods).Where(method => method.CustomAttributes.Any(mark => mark.AttributeType.Name == nameof(KernelEntryAttribute)));

    /// <summary>Every rule that a kernel breaks: where, and what.</summary>
    public static IReadOnlyList<string> Violations(MethodDefinition kernel)
    {
        List<string> found = [.. EntryViolations(kernel).Select(what => $"{Name(kernel)}: {what}")];
        HashSet<MethodDefinition> seen = [kernel];
        Queue<MethodDefinition> open = new([kernel]);
        while (open.TryDequeue(out MethodDefinition? method))
        {
            found.AddRange(BodyViolations(method).Select(what => $"{Name(method)}: {what}"));
            foreach (MethodDefinition called in method.Body.Instructions.SelectMany(instruction => Reached(instruction, kernel.Module)))
            {
                if (called.HasBody && seen.Add(called)) open.Enqueue(called);
            }
        }

        if (!HasCapability(kernel)) found.AddRange(seen.Where(EmitsPtx).Select(method => $"{Name(method)}: has inline PTX, for a kernel that does not say which CUDA devices take it"));
        found.AddRange(seen.Where(method => IsRecursive(method, kernel.Module)).Select(method => $"{Name(method)}: calls itself"));
        return found;
    }

    private static IEnumerable<string> EntryViolations(MethodDefinition kernel)
    {
        if (!kernel.IsStatic) yield return "is no static method";
        if (kernel.ReturnType.FullName != "System.Void") yield return "returns a value";
        foreach (ParameterDefinition parameter in kernel.Parameters)
        {
            TypeReference type = parameter.ParameterType;
            if (type.Name.StartsWith("LongIndex", StringComparison.Ordinal)) yield return $"is launched over {type.Name}";
            else if (type.IsByReference || (!type.IsGenericParameter && !type.IsValueType)) yield return $"takes {type.Name}, which is no value";
        }
    }

    private static IEnumerable<string> BodyViolations(MethodDefinition method)
    {
        if (method.Body.HasExceptionHandlers) yield return "handles exceptions";
        if (method.Body.Variables.Any(variable => variable.IsPinned)) yield return "pins an object (fixed)";
        foreach (TypeReference type in method.Body.Variables.Select(variable => variable.VariableType).Concat(method.Parameters.Select(parameter => parameter.ParameterType)))
        {
            if (TypeViolation(type) is { } what) yield return what;
        }

        // Inline PTX is a string, one for each statement; any other string is an object.
        Instruction[] strings = [.. method.Body.Instructions.Where(instruction => instruction.OpCode.Code == Code.Ldstr)];
        if (strings.Length != method.Body.Instructions.Count(IsPtx)) yield return "uses a string";
        foreach (Instruction instruction in method.Body.Instructions)
        {
            if (InstructionViolation(instruction) is { } what) yield return what;
        }
    }

    private static string? TypeViolation(TypeReference type)
    {
        TypeReference element = type.GetElementType();
        if (element.FullName == "System.Half") return "uses System.Half (ILGPU has its own)";
        bool isInline = !element.IsGenericParameter && !IsLibrary(element)
            && element.Resolve()?.CustomAttributes.Any(mark => mark.AttributeType.Name == "InlineArrayAttribute") == true;
        return isInline ? $"uses the inline array {type.Name}" : null;
    }

    private static string? InstructionViolation(Instruction instruction) => instruction.OpCode.Code switch
    {
        Code.Throw or Code.Rethrow => "throws an exception",
        Code.Box or Code.Unbox or Code.Unbox_Any => $"boxes {((TypeReference)instruction.Operand).Name}",
        Code.Castclass or Code.Isinst => $"asks for the class {((TypeReference)instruction.Operand).Name}",
        Code.Calli or Code.Ldvirtftn => "calls through a pointer",
        Code.Newarr when !IsConstant(instruction.Previous) => "makes an array whose length is no constant",
        Code.Stsfld => $"writes the static field {((FieldReference)instruction.Operand).Name}",
        Code.Ldsfld or Code.Ldsflda => StaticFieldViolation((FieldReference)instruction.Operand),
        Code.Newobj when !((MethodReference)instruction.Operand).DeclaringType.IsValueType => $"makes an object of {((MethodReference)instruction.Operand).DeclaringType.Name}",
        Code.Newobj or Code.Call or Code.Callvirt => CallViolation(instruction, (MethodReference)instruction.Operand),
        _ => null,
    };

    private static string? StaticFieldViolation(FieldReference field)
    {
        if (IsLibrary(field.DeclaringType)) return null;
        FieldDefinition definition = field.Resolve();
        if (!definition.IsInitOnly) return $"reads the variable static field {field.Name}";
        return definition.FieldType.IsValueType ? null : $"reads the object in the static field {field.Name}";
    }

    private static string? CallViolation(Instruction instruction, MethodReference method)
    {
        TypeReference owner = method.DeclaringType.GetElementType();
        if (TypeViolation(owner) is { } what) return what;
        bool isConstrained = instruction.Previous?.OpCode.Code == Code.Constrained;
        if (instruction.OpCode.Code == Code.Callvirt && !isConstrained && !owner.IsValueType) return $"calls {owner.Name}.{method.Name} of an object";
        if (isConstrained || !IsBaseLibrary(owner)) return null;
        bool isMapped = MappedFunctions.TryGetValue(owner.FullName, out string[]? names) && names.Contains(method.Name);
        bool isTuple = owner.Name.StartsWith("ValueTuple`", StringComparison.Ordinal);
        return isMapped || isTuple ? null : $"calls {owner.Name}.{method.Name}, which devices do not have";
    }

    private static IEnumerable<MethodDefinition> Reached(Instruction instruction, ModuleDefinition module)
    {
        if (instruction.Operand is not MethodReference method) yield break;
        if (instruction.Previous?.OpCode.Code == Code.Constrained)
        {
            // Which struct stands behind a generic parameter is known only at the launch: all that could.
            foreach (TypeDefinition type in module.GetTypes().Where(type => type.IsValueType && type.Interfaces.Any(i => Same(i.InterfaceType, method.DeclaringType))))
            {
                foreach (MethodDefinition candidate in type.Methods.Where(candidate => candidate.Name == method.Name || candidate.Overrides.Any(o => o.Name == method.Name)))
                    yield return candidate;
            }
        }
        else if (!IsLibrary(method.DeclaringType) && method.Resolve() is { } definition)
        {
            yield return definition;
        }
    }

    private static bool IsRecursive(MethodDefinition method, ModuleDefinition module)
    {
        HashSet<MethodDefinition> seen = [];
        Queue<MethodDefinition> open = new([method]);
        while (open.TryDequeue(out MethodDefinition? current))
        {
            foreach (MethodDefinition called in current.Body.Instructions.SelectMany(instruction => Reached(instruction, module)))
            {
                if (called == method) return true;
                if (called.HasBody && seen.Add(called)) open.Enqueue(called);
            }
        }

        return false;
    }

    private static bool HasCapability(MethodDefinition kernel) => kernel.CustomAttributes.Any(mark =>
        mark.Properties.Any(property => property.Name == nameof(KernelEntryAttribute.CudaCapability)));

    private static bool EmitsPtx(MethodDefinition method) => method.Body.Instructions.Any(IsPtx);

    private static bool IsPtx(Instruction instruction) => instruction.Operand is MethodReference { DeclaringType.FullName: "ILGPU.Runtime.Cuda.CudaAsm" };

    private static bool Same(TypeReference left, TypeReference right) => left.GetElementType().FullName == right.GetElementType().FullName;

    private static bool IsConstant(Instruction? instruction) => instruction?.OpCode.Name.StartsWith("ldc.i4", StringComparison.Ordinal) == true;

    private static bool IsLibrary(TypeReference type) => IsBaseLibrary(type) || type.Namespace == "ILGPU" || type.Namespace.StartsWith("ILGPU.", StringComparison.Ordinal);

    private static bool IsBaseLibrary(TypeReference type)
    {
        TypeReference outermost = type;
        while (outermost.DeclaringType is not null) outermost = outermost.DeclaringType;
        return outermost.Namespace == "System" || outermost.Namespace.StartsWith("System.", StringComparison.Ordinal);
    }

    private static string Name(MethodDefinition method) => $"{method.DeclaringType.Name}.{method.Name}";
}
