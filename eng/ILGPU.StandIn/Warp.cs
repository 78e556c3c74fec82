namespace ILGPU;

/// <summary>Members of a group that run in step and can hand each other values.</summary>
public static class Warp
{
    /// <summary>Takes what the lane whose number differs by <paramref name="mask"/>, bit by bit, gives; all lanes of the warp call it.</summary>
    public static T ShuffleXor<T>(T variable, int mask)
        where T : unmanaged => GroupMember.Current.Exchange(variable, mask);
}
