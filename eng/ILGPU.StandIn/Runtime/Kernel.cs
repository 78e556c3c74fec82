using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.ExceptionServices;

namespace ILGPU.Runtime;

/// <summary>What a kernel may count on at each launch; here of no effect.</summary>
public readonly struct KernelSpecialization
{
    /// <summary>Members of a group at most, groups of a multiprocessor at least.</summary>
    public KernelSpecialization(int? maxNumThreadsPerGroup, int? minNumGroupsPerMultiprocessor)
    {
    }
}

/// <summary>A loaded kernel.</summary>
public class Kernel
{
    private readonly Accelerator accelerator;
    private readonly MethodInfo method;
    private readonly bool isImplicit;
    private readonly Action<int, int, object[]> run;

    internal Kernel(Accelerator accelerator, MethodInfo method, bool implicitly)
    {
        bool isFreeOfState = method.IsStatic || method.DeclaringType!.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length == 0;
        if (!isFreeOfState) throw new NotSupportedException($"The kernel {method.Name} captures variables; a kernel is a static method.");
        this.accelerator = accelerator;
        this.method = method;
        isImplicit = implicitly;
        run = CompileRange();
    }

    /// <summary>A delegate that launches: (AcceleratorStream, Index1D or KernelConfig, the kernel's other parameters).</summary>
    public TDelegate CreateLauncherDelegate<TDelegate>()
        where TDelegate : Delegate
    {
        ParameterExpression[] parameters = [.. typeof(TDelegate).GetMethod("Invoke")!.GetParameters().Select(p => Expression.Parameter(p.ParameterType, p.Name))];
        Type[] expected = [typeof(AcceleratorStream), isImplicit ? typeof(Index1D) : typeof(KernelConfig), .. Arguments.Select(p => p.ParameterType)];
        if (!parameters.Select(p => p.Type).SequenceEqual(expected))
            throw new NotSupportedException($"{method.Name} is launched with ({string.Join(", ", expected.Select(t => t.Name))}), not with those of {typeof(TDelegate)}.");
        Expression arguments = Expression.NewArrayInit(typeof(object), parameters.Skip(2).Select(p => Expression.Convert(p, typeof(object))));
        Action<Index1D, object[]> overIndex = LaunchOver;
        Action<KernelConfig, object[]> overGroups = LaunchGroups;
        Expression launch = isImplicit
            ? Expression.Invoke(Expression.Constant(overIndex), parameters[1], arguments)
            : Expression.Invoke(Expression.Constant(overGroups), parameters[1], arguments);
        return Expression.Lambda<TDelegate>(launch, parameters).Compile();
    }

    private ParameterInfo[] Arguments => method.GetParameters()[(isImplicit ? 1 : 0)..];

    private void LaunchOver(Index1D extent, object[] arguments)
    {
        int count = extent.X;
        int ranges = Math.Min(count, 4 * Environment.ProcessorCount);
        try
        {
            Parallel.For(0, ranges, range => run((int)((long)count * range / ranges), (int)((long)count * (range + 1) / ranges), arguments));
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
    }

    private void LaunchGroups(KernelConfig config, object[] arguments)
    {
        if (config.Members > accelerator.MaxNumThreadsPerGroup)
            throw new NotSupportedException($"A group of {config.Members} is larger than the {accelerator.MaxNumThreadsPerGroup} members this device allows.");
        int sharedBytes = config.SharedMemory.Count * config.SharedMemory.ElementSize;
        if (sharedBytes > accelerator.MaxSharedMemoryPerGroup)
            throw new NotSupportedException($"{sharedBytes} bytes of dynamic shared memory; this device allows {accelerator.MaxSharedMemoryPerGroup}.");
        using GroupLaunch launch = new(config, accelerator.WarpSize, () => run(0, 1, arguments));
        launch.Run(MemberThreads.Run);
    }

    /// <summary>
    /// (from, to, arguments) => for (int i = from; i != to; i++) method([new Index1D(i),] arguments...); compiled, so that an element costs little.
    /// </summary>
    private Action<int, int, object[]> CompileRange()
    {
        ParameterExpression from = Expression.Parameter(typeof(int));
        ParameterExpression to = Expression.Parameter(typeof(int));
        ParameterExpression boxed = Expression.Parameter(typeof(object[]));
        ParameterExpression[] locals = [.. Arguments.Select(p => Expression.Variable(p.ParameterType, p.Name))];
        IEnumerable<Expression> unboxed = locals.Select((local, i) => Expression.Assign(local, Expression.Convert(Expression.ArrayIndex(boxed, Expression.Constant(i)), local.Type)));
        Expression index = Expression.New(typeof(Index1D).GetConstructor([typeof(int)])!, from);
        Expression? target = method.IsStatic ? null : Expression.Constant(Activator.CreateInstance(method.DeclaringType!, nonPublic: true));
        LabelTarget done = Expression.Label();
        Expression loop = Expression.Loop(
            Expression.IfThenElse(
                Expression.LessThan(from, to),
                Expression.Block(Expression.Call(target, method, isImplicit ? locals.Prepend(index) : locals), Expression.PreIncrementAssign(from)),
                Expression.Break(done)),
            done);
        return Expression.Lambda<Action<int, int, object[]>>(Expression.Block(locals, unboxed.Append(loop)), from, to, boxed).Compile();
    }
}
