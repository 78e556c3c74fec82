using ILGPU.Runtime;

namespace ILGPU
{
    /// <summary>How one dimension lies in memory.</summary>
    public static class Stride1D
    {
        /// <summary>Without gaps.</summary>
        public readonly struct Dense;
    }
}

namespace ILGPU.Runtime
{
    /// <summary>A view of one dimension; here always without gaps.</summary>
    public readonly struct ArrayView1D<T, TStride>
        where T : unmanaged
        where TStride : struct
    {
        internal ArrayView1D(ArrayView<T> view) => BaseView = view;

        /// <summary>The view without its stride.</summary>
        public ArrayView<T> BaseView { get; }

        /// <summary>Number of elements.</summary>
        public long Length => BaseView.Length;

        /// <summary>The view without its stride.</summary>
        public static implicit operator ArrayView<T>(ArrayView1D<T, TStride> view) => view.BaseView;
    }
}
