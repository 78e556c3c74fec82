// Arithmetic of one lane, as PTX defines it.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace simulator {
template <class To, class From> To bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "a change of type, not of size");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

// .ftz: subnormal numbers become zeros of their sign.
inline float flush(float x) {
    uint32_t b = bits<uint32_t>(x);
    return bits<float>((b & 0x7F800000u) == 0 ? b & 0x80000000u : b);
}
inline uint32_t flush(uint32_t x) { return x; }
inline int32_t flush(int32_t x) { return x; }
inline int64_t flush(int64_t x) { return x; }
inline uint64_t flush(uint64_t x) { return x; }

// Single-precision results that are no number are this one.
inline float canonical(float x) { return x != x ? bits<float>(0x7FFFFFFFu) : x; }
template <class T> T canonical(T x) { return x; }

template <class Op> struct Ftz {
    template <class... A> static auto f(A... a) { return flush(Op::f(flush(a)...)); }
};

template <class T> using Unsigned = std::make_unsigned_t<T>;

#define OPERATION1(Name, expression) struct Name { template <class T> static T f(T a) { return static_cast<T>(expression); } };
#define OPERATION2(Name, expression) struct Name { template <class T> static T f(T a, T b) { return static_cast<T>(expression); } };
#define OPERATION3(Name, expression) struct Name { template <class T> static T f(T a, T b, T c) { return static_cast<T>(expression); } };
#define COMPARISON(Name, expression) struct Name { template <class T> static uint32_t f(T a, T b) { return expression; } };

OPERATION1(Move, a)
OPERATION1(Not, ~a)
OPERATION1(NotPredicate, a ^ 1)
OPERATION1(Negate, T(0) - a)
OPERATION1(Absolute, a < 0 ? T(0) - a : a)
OPERATION1(NegateFloat, -a)
OPERATION1(AbsoluteFloat, std::fabs(a))
OPERATION1(Reciprocal, canonical(T(1) / a))
OPERATION1(Root, canonical(std::sqrt(a)))
OPERATION1(ReciprocalRoot, canonical(T(1) / std::sqrt(a)))
OPERATION1(PowerOfTwo, canonical(std::exp2(a)))
OPERATION1(LogarithmOfTwo, canonical(std::log2(a)))
OPERATION1(Sine, canonical(std::sin(a)))
OPERATION1(Cosine, canonical(std::cos(a)))
OPERATION1(HyperbolicTangent, canonical(std::tanh(a)))
OPERATION2(Add, a + b)
OPERATION2(Subtract, a - b)
OPERATION2(Multiply, a * b)
OPERATION2(AddFloat, canonical(a + b))
OPERATION2(SubtractFloat, canonical(a - b))
OPERATION2(MultiplyFloat, canonical(a * b))
OPERATION2(DivideFloat, canonical(a / b))
OPERATION2(And, a & b)
OPERATION2(Or, a | b)
OPERATION2(Xor, a ^ b)
OPERATION2(Minimum, a < b ? a : b)
OPERATION2(Maximum, a > b ? a : b)
// A number wins over what is none; -0 is below +0.
OPERATION2(MinimumFloat, canonical(a != a ? b : b != b ? a : a < b || (a == b && std::signbit(a)) ? a : b))
OPERATION2(MaximumFloat, canonical(a != a ? b : b != b ? a : a > b || (a == b && !std::signbit(a)) ? a : b))
OPERATION3(MultiplyAdd, a * b + c)
OPERATION3(FusedMultiplyAdd, canonical(std::fma(a, b, c)))

// The reciprocal of a divisor above 2^126 is subnormal and flushed, so that the quotient is zero, or no number if the dividend is infinite.
struct DivideApproximately {
    static float f(float a, float b) { return canonical(a * flush(1.0f / b)); }
};

// Division by zero is undefined; devices give all ones, and the dividend as the rest.
struct Divide {
    template <class T> static T f(T a, T b) {
        if (b == 0) return static_cast<T>(-1);
        if (std::is_signed<T>::value && b == static_cast<T>(-1)) return static_cast<T>(Unsigned<T>(0) - static_cast<Unsigned<T>>(a));
        return static_cast<T>(a / b);
    }
};
struct Remainder {
    template <class T> static T f(T a, T b) {
        if (b == 0) return a;
        if (std::is_signed<T>::value && b == static_cast<T>(-1)) return 0;
        return static_cast<T>(a % b);
    }
};

template <class T> struct MultiplyHigh;
template <> struct MultiplyHigh<uint32_t> { static uint32_t f(uint32_t a, uint32_t b) { return static_cast<uint32_t>(uint64_t(a) * b >> 32); } };
template <> struct MultiplyHigh<int32_t> { static int32_t f(int32_t a, int32_t b) { return static_cast<int32_t>(int64_t(a) * b >> 32); } };
template <> struct MultiplyHigh<uint64_t> {
    static uint64_t f(uint64_t a, uint64_t b) { return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64); }
};
template <> struct MultiplyHigh<int64_t> {
    static int64_t f(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<__int128>(a) * b >> 64); }
};
template <class Wide> struct MultiplyWide {
    template <class T> static Wide f(T a, T b) { return static_cast<Wide>(a) * static_cast<Wide>(b); }
};
template <class Wide> struct MultiplyAddWide {
    template <class T> static Wide f(T a, T b, Wide c) { return static_cast<Wide>(a) * static_cast<Wide>(b) + c; }
};

// Shifts beyond the width shift everything out.
struct ShiftLeft {
    template <class T> static T f(T a, uint32_t n) { return n >= sizeof(T) * 8 ? T(0) : static_cast<T>(a << n); }
};
struct ShiftRight {
    template <class T> static T f(T a, uint32_t n) {
        constexpr uint32_t Width = sizeof(T) * 8;
        return n < Width ? static_cast<T>(a >> n) : std::is_signed<T>::value ? static_cast<T>(a >> (Width - 1)) : T(0);
    }
};
struct Select {
    template <class T> static T f(T a, T b, uint32_t p) { return p ? a : b; }
};

COMPARISON(Equal, a == b)
COMPARISON(NotEqual, a != b)
COMPARISON(Less, a < b)
COMPARISON(LessOrEqual, a <= b)
COMPARISON(Greater, a > b)
COMPARISON(GreaterOrEqual, a >= b)
COMPARISON(OrderedNotEqual, a < b || a > b)
COMPARISON(EqualOrUnordered, !(a < b || a > b))
COMPARISON(LessOrUnordered, !(a >= b))
COMPARISON(LessOrEqualOrUnordered, !(a > b))
COMPARISON(GreaterOrUnordered, !(a <= b))
COMPARISON(GreaterOrEqualOrUnordered, !(a < b))
COMPARISON(AreNumbers, a == a && b == b)
COMPARISON(IsNone, a != a || b != b)

// Conversions: To from From; floating-point numbers to integers clamp, and what is no number becomes zero (64 bits: the top bit).
enum class Rounding { Even, Zero, Down, Up };

template <class To, class From, Rounding R = Rounding::Even> struct Convert {
    static To f(From a) {
        if constexpr (std::is_floating_point<From>::value && std::is_integral<To>::value) {
            if (a != a) return sizeof(To) == 8 ? static_cast<To>(1ull << 63) : To(0);
            From r = R == Rounding::Zero ? std::trunc(a) : R == Rounding::Down ? std::floor(a) : R == Rounding::Up ? std::ceil(a) : std::nearbyint(a);
            constexpr From Top = static_cast<From>(static_cast<Unsigned<To>>(std::numeric_limits<To>::max()) / 2 + 1) * 2;
            if (r >= Top) return std::numeric_limits<To>::max();
            if (r < static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
            return static_cast<To>(r);
        } else if constexpr (std::is_same<To, float>::value && std::is_floating_point<From>::value) return canonical(static_cast<float>(a));
        else return static_cast<To>(a);
    }
};

// A number with 10 bits behind the point: the nearest, ties away from zero.
struct RoundToTf32 {
    static uint32_t f(uint32_t a) { return (a & 0x7F800000u) == 0x7F800000u ? ((a & 0x7FFFFFu) != 0 ? 0x7FFFFFFFu : a) : (a + 0x1000u) & ~0x1FFFu; }
};
struct RoundToWhole {
    template <class T> static T f(T a) { return canonical(std::nearbyint(a)); }
};
struct CutToWhole {
    template <class T> static T f(T a) { return canonical(std::trunc(a)); }
};

struct CountOnes { static uint32_t f(uint32_t a) { return static_cast<uint32_t>(__builtin_popcount(a)); } };
struct CountZeros { static uint32_t f(uint32_t a) { return a == 0 ? 32u : static_cast<uint32_t>(__builtin_clz(a)); } };
} // namespace simulator
