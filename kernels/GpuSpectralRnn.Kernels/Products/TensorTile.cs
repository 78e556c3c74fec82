using ILGPU.Runtime.Cuda;

namespace GpuSpectralRnn.Kernels;

/// <summary>
/// Inline PTX (sm_80): the registers of a thread of <see cref="GemmTensorCores{TLeft, TRight}"/> and the shared memory of its group. Output operands
/// of ILGPU's inline PTX go through memory; therefore sums and factors live in registers and shared memory that the PTX declares by name, and C#
/// passes values and offsets in bytes only. In shared memory a factor is pairs of lines, and a pair is 8 quads of 2 lines x 2 k, which quad k / 2 of
/// pair P lies at k / 2 ^ P mod 8.
/// </summary>
internal static class TensorTile
{
    /// <summary>Two lines of a factor in shared memory: 2 x 16 numbers.</summary>
    public const int PairBytes = 128;

    /// <summary>Where the right factor begins in a stage: behind 128 lines of the left one.</summary>
    public const int RightAt = 64 * PairBytes;

    /// <summary>Both factors of a step; there are two stages.</summary>
    public const int StageBytes = 2 * RightAt;

    /// <summary>A tile of C in shared memory: four sums of each lane.</summary>
    public const int TileBytes = 4 * 4 * 32;

    // D += A B with A [16, 8], B [8, 8]. Lane 4 g + t has of A lines g and g + 8 at k = t (two registers) and at t + 4 (two more), of B line g at k =
    // t and t + 4, of D line g at B's lines 2 t and 2 t + 1, and line g + 8 at both. A's operand is a quad of two columns of C, B's half a quad of
    // two rows: so lines g and g + 8 are columns 2 g and 2 g + 1, a tile's rows are every second one of 16, and k = t and t + 4 are two neighbours.
    // Both factors have the same order of k, and which it is does not matter to the sum.
    private const string Multiply = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 ";

    // s: the sums of 4 x 4 tiles, 64 columns x 32 rows, tiles of the same columns one behind the other; u: rows; p and q: columns, and numbers on
    // their way in; e: sums on their way out.
    private const string Declarations =
        """
        .shared .align 128 .b8 stages[32768];
        .reg .f32 s<64>, e<4>;
        .reg .b32 u<8>, p<4>, q<4>, at<4>, base;
        mov.u32 base, stages;
        """;

    private const string Zeros =
        """
        mov.f32 s0, 0f00000000;  mov.f32 s1, s0;  mov.f32 s2, s0;  mov.f32 s3, s0;  mov.f32 s4, s0;  mov.f32 s5, s0;  mov.f32 s6, s0;  mov.f32 s7, s0;
        mov.f32 s8, s0;  mov.f32 s9, s0;  mov.f32 s10, s0;  mov.f32 s11, s0;  mov.f32 s12, s0;  mov.f32 s13, s0;  mov.f32 s14, s0;  mov.f32 s15, s0;
        mov.f32 s16, s0;  mov.f32 s17, s0;  mov.f32 s18, s0;  mov.f32 s19, s0;  mov.f32 s20, s0;  mov.f32 s21, s0;  mov.f32 s22, s0;  mov.f32 s23, s0;
        mov.f32 s24, s0;  mov.f32 s25, s0;  mov.f32 s26, s0;  mov.f32 s27, s0;  mov.f32 s28, s0;  mov.f32 s29, s0;  mov.f32 s30, s0;  mov.f32 s31, s0;
        mov.f32 s32, s0;  mov.f32 s33, s0;  mov.f32 s34, s0;  mov.f32 s35, s0;  mov.f32 s36, s0;  mov.f32 s37, s0;  mov.f32 s38, s0;  mov.f32 s39, s0;
        mov.f32 s40, s0;  mov.f32 s41, s0;  mov.f32 s42, s0;  mov.f32 s43, s0;  mov.f32 s44, s0;  mov.f32 s45, s0;  mov.f32 s46, s0;  mov.f32 s47, s0;
        mov.f32 s48, s0;  mov.f32 s49, s0;  mov.f32 s50, s0;  mov.f32 s51, s0;  mov.f32 s52, s0;  mov.f32 s53, s0;  mov.f32 s54, s0;  mov.f32 s55, s0;
        mov.f32 s56, s0;  mov.f32 s57, s0;  mov.f32 s58, s0;  mov.f32 s59, s0;  mov.f32 s60, s0;  mov.f32 s61, s0;  mov.f32 s62, s0;  mov.f32 s63, s0;
        """;

    private const string Round =
        """
        cvt.rna.tf32.f32 p0, %0;
        cvt.rna.tf32.f32 p1, %1;
        cvt.rna.tf32.f32 p2, %2;
        cvt.rna.tf32.f32 p3, %3;
        """;

    private const string RoundSecond =
        """
        cvt.rna.tf32.f32 q0, %0;
        cvt.rna.tf32.f32 q1, %1;
        cvt.rna.tf32.f32 q2, %2;
        cvt.rna.tf32.f32 q3, %3;
        """;

    private const string Places =
        """
        add.u32 at0, base, %0;
        add.u32 at1, base, %1;
        xor.b32 at2, at0, 16;
        xor.b32 at3, at1, 16;
        """;

    // Half of a step: eight k, two of each lane.
    private const string FirstHalf =
        $$"""
        ld.shared.v4.b32 {u0, u1, u2, u3}, [at0];
        ld.shared.v4.b32 {u4, u5, u6, u7}, [at0+1024];
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at1];
        {{Multiply}}{s0, s1, s2, s3}, {p0, p1, p2, p3}, {u0, u1}, {s0, s1, s2, s3};
        {{Multiply}}{s4, s5, s6, s7}, {p0, p1, p2, p3}, {u2, u3}, {s4, s5, s6, s7};
        {{Multiply}}{s8, s9, s10, s11}, {p0, p1, p2, p3}, {u4, u5}, {s8, s9, s10, s11};
        {{Multiply}}{s12, s13, s14, s15}, {p0, p1, p2, p3}, {u6, u7}, {s12, s13, s14, s15};
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at1+1024];
        {{Multiply}}{s16, s17, s18, s19}, {p0, p1, p2, p3}, {u0, u1}, {s16, s17, s18, s19};
        {{Multiply}}{s20, s21, s22, s23}, {p0, p1, p2, p3}, {u2, u3}, {s20, s21, s22, s23};
        {{Multiply}}{s24, s25, s26, s27}, {p0, p1, p2, p3}, {u4, u5}, {s24, s25, s26, s27};
        {{Multiply}}{s28, s29, s30, s31}, {p0, p1, p2, p3}, {u6, u7}, {s28, s29, s30, s31};
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at1+2048];
        {{Multiply}}{s32, s33, s34, s35}, {p0, p1, p2, p3}, {u0, u1}, {s32, s33, s34, s35};
        {{Multiply}}{s36, s37, s38, s39}, {p0, p1, p2, p3}, {u2, u3}, {s36, s37, s38, s39};
        {{Multiply}}{s40, s41, s42, s43}, {p0, p1, p2, p3}, {u4, u5}, {s40, s41, s42, s43};
        {{Multiply}}{s44, s45, s46, s47}, {p0, p1, p2, p3}, {u6, u7}, {s44, s45, s46, s47};
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at1+3072];
        {{Multiply}}{s48, s49, s50, s51}, {p0, p1, p2, p3}, {u0, u1}, {s48, s49, s50, s51};
        {{Multiply}}{s52, s53, s54, s55}, {p0, p1, p2, p3}, {u2, u3}, {s52, s53, s54, s55};
        {{Multiply}}{s56, s57, s58, s59}, {p0, p1, p2, p3}, {u4, u5}, {s56, s57, s58, s59};
        {{Multiply}}{s60, s61, s62, s63}, {p0, p1, p2, p3}, {u6, u7}, {s60, s61, s62, s63};
        """;

    private const string SecondHalf =
        $$"""
        ld.shared.v4.b32 {u0, u1, u2, u3}, [at2];
        ld.shared.v4.b32 {u4, u5, u6, u7}, [at2+1024];
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at3];
        {{Multiply}}{s0, s1, s2, s3}, {p0, p1, p2, p3}, {u0, u1}, {s0, s1, s2, s3};
        {{Multiply}}{s4, s5, s6, s7}, {p0, p1, p2, p3}, {u2, u3}, {s4, s5, s6, s7};
        {{Multiply}}{s8, s9, s10, s11}, {p0, p1, p2, p3}, {u4, u5}, {s8, s9, s10, s11};
        {{Multiply}}{s12, s13, s14, s15}, {p0, p1, p2, p3}, {u6, u7}, {s12, s13, s14, s15};
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at3+1024];
        {{Multiply}}{s16, s17, s18, s19}, {p0, p1, p2, p3}, {u0, u1}, {s16, s17, s18, s19};
        {{Multiply}}{s20, s21, s22, s23}, {p0, p1, p2, p3}, {u2, u3}, {s20, s21, s22, s23};
        {{Multiply}}{s24, s25, s26, s27}, {p0, p1, p2, p3}, {u4, u5}, {s24, s25, s26, s27};
        {{Multiply}}{s28, s29, s30, s31}, {p0, p1, p2, p3}, {u6, u7}, {s28, s29, s30, s31};
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at3+2048];
        {{Multiply}}{s32, s33, s34, s35}, {p0, p1, p2, p3}, {u0, u1}, {s32, s33, s34, s35};
        {{Multiply}}{s36, s37, s38, s39}, {p0, p1, p2, p3}, {u2, u3}, {s36, s37, s38, s39};
        {{Multiply}}{s40, s41, s42, s43}, {p0, p1, p2, p3}, {u4, u5}, {s40, s41, s42, s43};
        {{Multiply}}{s44, s45, s46, s47}, {p0, p1, p2, p3}, {u6, u7}, {s44, s45, s46, s47};
        ld.shared.v4.b32 {p0, p1, p2, p3}, [at3+3072];
        {{Multiply}}{s48, s49, s50, s51}, {p0, p1, p2, p3}, {u0, u1}, {s48, s49, s50, s51};
        {{Multiply}}{s52, s53, s54, s55}, {p0, p1, p2, p3}, {u2, u3}, {s52, s53, s54, s55};
        {{Multiply}}{s56, s57, s58, s59}, {p0, p1, p2, p3}, {u4, u5}, {s56, s57, s58, s59};
        {{Multiply}}{s60, s61, s62, s63}, {p0, p1, p2, p3}, {u6, u7}, {s60, s61, s62, s63};
        """;

    // In every second tile along the columns neighbours change places, so that lanes which read a row of two tiles find different banks.
    private const string Sums =
        """
        add.u32 at0, base, %0;
        st.shared.v4.f32 [at0], {s0, s1, s2, s3};
        st.shared.v4.f32 [at0+512], {s4, s5, s6, s7};
        st.shared.v4.f32 [at0+1024], {s8, s9, s10, s11};
        st.shared.v4.f32 [at0+1536], {s12, s13, s14, s15};
        st.shared.v4.f32 [at0+2048], {s17, s16, s19, s18};
        st.shared.v4.f32 [at0+2560], {s21, s20, s23, s22};
        st.shared.v4.f32 [at0+3072], {s25, s24, s27, s26};
        st.shared.v4.f32 [at0+3584], {s29, s28, s31, s30};
        st.shared.v4.f32 [at0+4096], {s32, s33, s34, s35};
        st.shared.v4.f32 [at0+4608], {s36, s37, s38, s39};
        st.shared.v4.f32 [at0+5120], {s40, s41, s42, s43};
        st.shared.v4.f32 [at0+5632], {s44, s45, s46, s47};
        st.shared.v4.f32 [at0+6144], {s49, s48, s51, s50};
        st.shared.v4.f32 [at0+6656], {s53, s52, s55, s54};
        st.shared.v4.f32 [at0+7168], {s57, s56, s59, s58};
        st.shared.v4.f32 [at0+7680], {s61, s60, s63, s62};
        """;

    /// <summary>Declares registers and shared memory and clears the sums: once, where a kernel starts.</summary>
    public static void Start()
    {
        CudaAsm.Emit(Declarations);
        CudaAsm.Emit(Zeros);
    }

    /// <summary>Puts four k of two rows of C, rounded to TF32, into shared memory.</summary>
    public static void PutRows(Float4 first, Float4 second, int place)
    {
        CudaAsm.Emit(Round, first.X, first.Y, first.Z, first.W);
        CudaAsm.Emit(RoundSecond, second.X, second.Y, second.Z, second.W);
        CudaAsm.Emit(
            """
            add.u32 at0, base, %0;
            xor.b32 at1, at0, 16;
            st.shared.v4.b32 [at0], {p0, p1, q0, q1};
            st.shared.v4.b32 [at1], {p2, p3, q2, q3};
            """,
            place);
    }

    /// <summary>Puts four k of two columns of C, rounded to TF32, into shared memory.</summary>
    public static void PutColumns(Float4 first, Float4 second, int place)
    {
        CudaAsm.Emit(Round, first.X, first.Y, first.Z, first.W);
        CudaAsm.Emit(RoundSecond, second.X, second.Y, second.Z, second.W);
        CudaAsm.Emit(
            """
            add.u32 at0, base, %0;
            xor.b32 at1, at0, 16;
            st.shared.v4.b32 [at0], {p0, q0, p1, q1};
            st.shared.v4.b32 [at1], {p2, q2, p3, q3};
            """,
            place);
    }

    /// <summary>Puts one k of four rows of C.</summary>
    public static void PutAcrossRows(Float4 quad, int place)
    {
        CudaAsm.Emit(Round, quad.X, quad.Y, quad.Z, quad.W);
        CudaAsm.Emit(
            """
            add.u32 at0, base, %0;
            xor.b32 at1, at0, 16;
            st.shared.b32 [at0], p0;
            st.shared.b32 [at0+8], p1;
            st.shared.b32 [at1+128], p2;
            st.shared.b32 [at1+136], p3;
            """,
            place);
    }

    /// <summary>Puts one k of four columns of C.</summary>
    public static void PutAcrossColumns(Float4 quad, int place)
    {
        CudaAsm.Emit(Round, quad.X, quad.Y, quad.Z, quad.W);
        CudaAsm.Emit(
            """
            add.u32 at0, base, %0;
            xor.b32 at1, at0, 16;
            st.shared.v2.b32 [at0], {p0, p1};
            st.shared.v2.b32 [at1+128], {p2, p3};
            """,
            place);
    }

    /// <summary>Adds the product of a warp's rows and columns, 16 numbers of each.</summary>
    public static void AddProduct(int rows, int columns)
    {
        CudaAsm.Emit(Places, rows, columns);
        CudaAsm.Emit(FirstHalf);
        CudaAsm.Emit(SecondHalf);
    }

    /// <summary>Puts a lane's sums into shared memory.</summary>
    public static void PutSums(int place) => CudaAsm.Emit(Sums, place);

    /// <summary>Fetches four sums, 32 columns apart, times alpha.</summary>
    public static void FetchSums(int place, float alpha) => CudaAsm.Emit(
        """
        add.u32 at0, base, %0;
        ld.shared.f32 e0, [at0];
        ld.shared.f32 e1, [at0+4096];
        ld.shared.f32 e2, [at0+8192];
        ld.shared.f32 e3, [at0+12288];
        mul.f32 e0, e0, %1;
        mul.f32 e1, e1, %1;
        mul.f32 e2, e2, %1;
        mul.f32 e3, e3, %1;
        """,
        place,
        alpha);
}
