#include "instructions.h"

#include "arithmetic.h"
#include <cstdio>

namespace simulator {
namespace {
using Table = std::unordered_map<std::string, Form>;

// Does something for every lane of the mask. Where a lane touches only its own numbers the order does not matter, and the compiler may do many at once.
template <class F> inline void forLanes(uint32_t mask, F&& lane) {
    if (mask == ~0u) {
#pragma GCC ivdep
        for (int k = 0; k < Lanes; k++) lane(k);
    } else
        for (; mask != 0; mask &= mask - 1) lane(__builtin_ctz(mask));
}

// One operation on all lanes. Operands and result may be the same register.
template <class Op, class D, class... P> inline void apply(uint32_t mask, D* d, P*... s) {
    forLanes(mask, [&](int k) __attribute__((always_inline)) { d[k] = Op::f(s[k]...); });
}

template <class Op, class D, class A> void run1(Warp& w, const Instruction& i, uint32_t mask) { apply<Op>(mask, w.lanes<D>(i.r[0]), w.lanes<A>(i.a)); }
template <class Op, class D, class A, class B> void run2(Warp& w, const Instruction& i, uint32_t mask) {
    apply<Op>(mask, w.lanes<D>(i.r[0]), w.lanes<A>(i.a), w.lanes<B>(i.b));
}
template <class Op, class D, class A, class B, class C> void run3(Warp& w, const Instruction& i, uint32_t mask) {
    apply<Op>(mask, w.lanes<D>(i.r[0]), w.lanes<A>(i.a), w.lanes<B>(i.b), w.lanes<C>(i.c));
}

enum class Space { Global, Shared, Local, Parameter, Generic };

using Addresses = uint64_t[Lanes];

// Where the lanes access memory, as pointers of this process; throws where one may not.
template <Space S> void locate(Warp& w, const Instruction& i, uint32_t mask, uint32_t bytes, Addresses& at) {
    if (i.isWideAddress) {
        const uint64_t* base = w.lanes<uint64_t>(i.a);
        for (int k = 0; k < Lanes; k++) at[k] = base[k] + static_cast<uint64_t>(i.offset);
    } else {
        const uint32_t* base = w.lanes<uint32_t>(i.a);
        for (int k = 0; k < Lanes; k++) at[k] = static_cast<uint32_t>(base[k] + static_cast<uint32_t>(i.offset));
    }
    uint64_t lowest = ~0ull, highest = 0, ored = 0;
    auto include = [&](int k) __attribute__((always_inline)) {
        lowest = at[k] < lowest ? at[k] : lowest;
        highest = at[k] > highest ? at[k] : highest;
        ored |= at[k];
    };
    if (mask == ~0u)
        for (int k = 0; k < Lanes; k++) include(k);
    else
        for (uint32_t rest = mask; rest != 0; rest &= rest - 1) include(__builtin_ctz(rest));
    char message[200];
    if ((ored & (bytes - 1)) != 0) {
        std::snprintf(message, sizeof message, "an address is no multiple of %u", bytes);
        w.fault(MisalignedAddress, i, mask, message);
    }

    if constexpr (S == Space::Global || S == Space::Generic) {
        Allocation& cached = w.caches[i.cache];
        if (cached.holds(lowest, bytes) && cached.holds(highest, bytes)) return;
        for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
            uint32_t lane = static_cast<uint32_t>(__builtin_ctz(rest));
            uint64_t& address = at[lane];
            if (cached.holds(address, bytes)) continue;
            if (S == Space::Generic && address >= SharedWindow) {
                bool isLocal = address >= LocalWindow;
                uint64_t inside = address - (isLocal ? LocalWindow : SharedWindow), size = isLocal ? w.launch->kernel->localBytes : w.sharedBytes;
                if (inside > size || size - inside < bytes) w.fault(IllegalAddress, i, 1u << lane, "a generic address is outside of its window");
                address = reinterpret_cast<uint64_t>(isLocal ? w.local + lane * size : w.shared) + inside;
                continue;
            }
            Allocation found = Memory::instance().find(address);
            if (!found.holds(address, bytes) || (found.owner != nullptr && found.owner != w.launch->context)) {
                std::snprintf(message, sizeof message, "%u bytes at 0x%llx are not in live memory", bytes, static_cast<unsigned long long>(address));
                w.fault(IllegalAddress, i, 1u << lane, message);
            }
            cached = found;
        }
    } else {
        uint64_t size = S == Space::Shared ? w.sharedBytes : S == Space::Local ? w.launch->kernel->localBytes : w.launch->parameters.size();
        if (highest >= size || size - highest < bytes) {
            std::snprintf(message, sizeof message, "%u bytes at %lld are outside of %llu bytes of %s memory", bytes, static_cast<long long>(highest),
                          static_cast<unsigned long long>(size), S == Space::Shared ? "shared" : S == Space::Local ? "local" : "parameter");
            w.fault(IllegalAddress, i, mask, message);
        }
        uint64_t base = reinterpret_cast<uint64_t>(S == Space::Shared ? w.shared : S == Space::Local ? w.local : w.parameters);
        uint64_t stride = S == Space::Local ? size : 0;
        for (int k = 0; k < Lanes; k++) at[k] += base + static_cast<uint64_t>(k) * stride;
    }
}

template <Space S, class M, class R, int N> void load(Warp& w, const Instruction& i, uint32_t mask) {
    Addresses at;
    locate<S>(w, i, mask, sizeof(M) * N, at);
    R* d[N];
    for (int n = 0; n < N; n++) d[n] = w.lanes<R>(i.r[n]);
    auto lane = [&](int k) {
        const M* from = reinterpret_cast<const M*>(at[k]);
        for (int n = 0; n < N; n++) d[n][k] = static_cast<R>(from[n]);
    };
    if (mask == ~0u)
        for (int k = 0; k < Lanes; k++) lane(k);
    else
        for (; mask != 0; mask &= mask - 1) lane(__builtin_ctz(mask));
}

template <Space S, class M, class R, int N> void store(Warp& w, const Instruction& i, uint32_t mask) {
    Addresses at;
    locate<S>(w, i, mask, sizeof(M) * N, at);
    for (; mask != 0; mask &= mask - 1) {
        int k = __builtin_ctz(mask);
        M* to = reinterpret_cast<M*>(at[k]);
        for (int n = 0; n < N; n++) to[n] = static_cast<M>(w.lanes<R>(i.r[n])[k]);
    }
}

// Blocks run side by side, so the exchange is one of the machine's; U has the bits of T.
template <Space S, class Op, class T, class U, bool Returns> void atomic(Warp& w, const Instruction& i, uint32_t mask) {
    Addresses at;
    locate<S>(w, i, mask, sizeof(T), at);
    const T* b = w.lanes<T>(i.b);
    for (; mask != 0; mask &= mask - 1) {
        int k = __builtin_ctz(mask);
        U* place = reinterpret_cast<U*>(at[k]);
        U before = __atomic_load_n(place, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(place, &before, bits<U>(static_cast<T>(Op::f(bits<T>(before), b[k]))), true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {}
        if (Returns) w.lanes<U>(i.r[0])[k] = before;
    }
}

template <Space S, class T> void compareAndSwap(Warp& w, const Instruction& i, uint32_t mask) {
    Addresses at;
    locate<S>(w, i, mask, sizeof(T), at);
    for (; mask != 0; mask &= mask - 1) {
        int k = __builtin_ctz(mask);
        T expected = w.lanes<T>(i.b)[k];
        __atomic_compare_exchange_n(reinterpret_cast<T*>(at[k]), &expected, w.lanes<T>(i.c)[k], false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        w.lanes<T>(i.r[0])[k] = expected;
    }
}

struct Second { template <class T> static T f(T, T b) { return b; } };

// A lane reads another's number. All lanes that the mask names and that still live must be here: on a device they would wait for each other.
enum class Way { Up, Down, Butterfly, Index };

template <Way W> void shuffle(Warp& w, const Instruction& i, uint32_t mask) {
    const uint32_t *a = w.lanes<uint32_t>(i.a), *b = w.lanes<uint32_t>(i.b), *c = w.lanes<uint32_t>(i.c), *members = w.lanes<uint32_t>(i.d);
    uint32_t result[Lanes], valid[Lanes];
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
        int lane = __builtin_ctz(rest);
        if ((members[lane] & w.live()) != mask) w.fault(LaunchFailed, i, mask, "a shuffle is not reached by exactly the lanes of its mask");
        int clamp = static_cast<int>(c[lane] & 31), segments = static_cast<int>(c[lane] >> 8 & 31), by = static_cast<int>(b[lane] & 31);
        int most = (lane & segments) | (clamp & ~segments), least = lane & segments, from;
        bool isInside;
        if (W == Way::Up) isInside = (from = lane - by) >= most;
        else if (W == Way::Down) isInside = (from = lane + by) <= most;
        else if (W == Way::Butterfly) isInside = (from = lane ^ by) <= most;
        else isInside = (from = least | (by & ~segments)) <= most;
        if (!isInside) from = lane;
        result[lane] = (mask >> from & 1) != 0 ? a[from] : 0xFFFFFFFFu; // undefined: not-a-number
        valid[lane] = isInside;
    }
    for (; mask != 0; mask &= mask - 1) {
        int lane = __builtin_ctz(mask);
        w.lanes<uint32_t>(i.r[0])[lane] = result[lane];
        if (i.r[1] != 0) w.lanes<uint32_t>(i.r[1])[lane] = valid[lane];
    }
}

// D = A B + C, A 16 x 8, B 8 x 8, spread over the lanes as PTX has it. Products are exact, sums are cut off towards zero as tensor cores do.
void multiplyTiles(Warp& w, const Instruction& i, uint32_t mask) {
    if (mask != ~0u) w.fault(LaunchFailed, i, mask, "mma.sync is not reached by all lanes");
    const std::vector<uint32_t>& list = w.launch->kernel->lists[static_cast<size_t>(i.offset)]; // A: 4, B: 2, C: 4
    auto number = [&](size_t n, int lane) { return static_cast<double>(bits<float>(w.lanes<uint32_t>(list[n])[lane] & ~0x1FFFu)); };
    double a[16][8], b[8][8], d[16][8];
    for (int lane = 0; lane < Lanes; lane++) {
        int group = lane / 4, t = lane % 4;
        a[group][t] = number(0, lane);
        a[group + 8][t] = number(1, lane);
        a[group][t + 4] = number(2, lane);
        a[group + 8][t + 4] = number(3, lane);
        b[t][group] = number(4, lane);
        b[t + 4][group] = number(5, lane);
        for (int n = 0; n < 4; n++) d[group + n / 2 * 8][2 * t + n % 2] = static_cast<double>(w.lanes<float>(list[6 + static_cast<size_t>(n)])[lane]);
    }
    for (int row = 0; row < 16; row++)
        for (int k = 0; k < 8; k++)
            for (int column = 0; column < 8; column++) d[row][column] += a[row][k] * b[k][column];
    for (int lane = 0; lane < Lanes; lane++) {
        for (int n = 0; n < 4; n++) {
            double exact = d[lane / 4 + n / 2 * 8][2 * (lane % 4) + n % 2];
            float near = static_cast<float>(exact);
            if (std::isfinite(near) && std::fabs(static_cast<double>(near)) > std::fabs(exact)) near = std::nextafter(near, 0.0f);
            w.lanes<float>(i.r[n])[lane] = canonical(near);
        }
    }
}

void nothing(Warp&, const Instruction&, uint32_t) {}
void fence(Warp&, const Instruction&, uint32_t) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

void meet(Warp& w, const Instruction& i, uint32_t mask) {
    uint32_t members = w.lanes<uint32_t>(i.r[0])[__builtin_ctz(mask)];
    if ((members & w.live()) != mask) w.fault(LaunchFailed, i, mask, "bar.warp.sync is not reached by exactly the lanes of its mask");
}

template <class T> std::string letters(int count) { return std::string(static_cast<size_t>(count), sizeof(T) == 8 ? '8' : '4'); }

template <class T> void addIntegers(Table& t, const std::string& type) {
    const std::string two = letters<T>(3), three = letters<T>(4);
    using U = Unsigned<T>; // sums and products wrap
    t["add." + type] = {run2<Add, U, U, U>, two};
    t["sub." + type] = {run2<Subtract, U, U, U>, two};
    t["mul.lo." + type] = {run2<Multiply, U, U, U>, two};
    t["mul.hi." + type] = {run2<MultiplyHigh<T>, T, T, T>, two};
    t["mad.lo." + type] = {run3<MultiplyAdd, U, U, U, U>, three};
    t["div." + type] = {run2<Divide, T, T, T>, two};
    t["rem." + type] = {run2<Remainder, T, T, T>, two};
    t["min." + type] = {run2<Minimum, T, T, T>, two};
    t["max." + type] = {run2<Maximum, T, T, T>, two};
    t["shr." + type] = {run2<ShiftRight, T, T, uint32_t>, letters<T>(2) + "4"};
    if (std::is_signed<T>::value) {
        t["neg." + type] = {run1<Negate, U, U>, letters<T>(2)};
        t["abs." + type] = {run1<Absolute, T, T>, letters<T>(2)};
    }
    const std::string compared = "p" + letters<T>(2);
    auto compare = [&](const char* name, Handler run) { t["setp." + std::string(name) + "." + type] = {run, compared}; };
    compare("eq", run2<Equal, uint32_t, T, T>);
    compare("ne", run2<NotEqual, uint32_t, T, T>);
    for (const char* name : {"lt", "lo"}) compare(name, run2<Less, uint32_t, T, T>);
    for (const char* name : {"le", "ls"}) compare(name, run2<LessOrEqual, uint32_t, T, T>);
    for (const char* name : {"gt", "hi"}) compare(name, run2<Greater, uint32_t, T, T>);
    for (const char* name : {"ge", "hs"}) compare(name, run2<GreaterOrEqual, uint32_t, T, T>);
}

template <class T> void addBits(Table& t, const std::string& width) {
    const std::string one = letters<T>(2), two = letters<T>(3);
    for (const char* kind : {".b", ".u", ".s", ".f"}) {
        t["mov" + (kind + width)] = {run1<Move, T, T>, one};
        t["selp" + (kind + width)] = {run3<Select, T, T, T, uint32_t>, two + "p"};
    }
    t["and.b" + width] = {run2<And, T, T, T>, two};
    t["or.b" + width] = {run2<Or, T, T, T>, two};
    t["xor.b" + width] = {run2<Xor, T, T, T>, two};
    t["not.b" + width] = {run1<Not, T, T>, one};
    t["shl.b" + width] = {run2<ShiftLeft, T, T, uint32_t>, one + "4"};
    t["shr.b" + width] = {run2<ShiftRight, T, T, uint32_t>, one + "4"};
    t["setp.eq.b" + width] = {run2<Equal, uint32_t, T, T>, "p" + one};
    t["setp.ne.b" + width] = {run2<NotEqual, uint32_t, T, T>, "p" + one};
    for (const char* space : {"global", "shared", "local", "const", "param"}) {
        t["cvta.to." + std::string(space) + ".u" + width] = {run1<Move, T, T>, one};
        if (std::string(space) == "global") t["cvta.global.u" + width] = {run1<Move, T, T>, one};
    }
}

template <class T, template <class> class Mode> void addFloats(Table& t, const std::string& ftz, const std::string& type) {
    const std::string one = letters<T>(2), two = letters<T>(3), name = ftz + "." + type;
    for (const char* rn : {"", ".rn"}) {
        t["add" + (rn + name)] = {run2<Mode<AddFloat>, T, T, T>, two};
        t["sub" + (rn + name)] = {run2<Mode<SubtractFloat>, T, T, T>, two};
        t["mul" + (rn + name)] = {run2<Mode<MultiplyFloat>, T, T, T>, two};
    }
    for (const char* fused : {"fma.rn", "mad.rn"}) t[fused + name] = {run3<Mode<FusedMultiplyAdd>, T, T, T, T>, letters<T>(4)};
    t["div.rn" + name] = {run2<Mode<DivideFloat>, T, T, T>, two};
    t["rcp.rn" + name] = {run1<Mode<Reciprocal>, T, T>, one};
    t["sqrt.rn" + name] = {run1<Mode<Root>, T, T>, one};
    t["rsqrt.approx" + name] = {run1<Mode<ReciprocalRoot>, T, T>, one};
    t["neg" + name] = {run1<Mode<NegateFloat>, T, T>, one};
    t["abs" + name] = {run1<Mode<AbsoluteFloat>, T, T>, one};
    t["min" + name] = {run2<Mode<MinimumFloat>, T, T, T>, two};
    t["max" + name] = {run2<Mode<MaximumFloat>, T, T, T>, two};
    const std::pair<const char*, Handler> comparisons[] = {
        {"eq", run2<Mode<Equal>, uint32_t, T, T>}, {"ne", run2<Mode<OrderedNotEqual>, uint32_t, T, T>}, {"lt", run2<Mode<Less>, uint32_t, T, T>},
        {"le", run2<Mode<LessOrEqual>, uint32_t, T, T>}, {"gt", run2<Mode<Greater>, uint32_t, T, T>}, {"ge", run2<Mode<GreaterOrEqual>, uint32_t, T, T>},
        {"equ", run2<Mode<EqualOrUnordered>, uint32_t, T, T>}, {"neu", run2<Mode<NotEqual>, uint32_t, T, T>},
        {"ltu", run2<Mode<LessOrUnordered>, uint32_t, T, T>}, {"leu", run2<Mode<LessOrEqualOrUnordered>, uint32_t, T, T>},
        {"gtu", run2<Mode<GreaterOrUnordered>, uint32_t, T, T>}, {"geu", run2<Mode<GreaterOrEqualOrUnordered>, uint32_t, T, T>},
        {"num", run2<Mode<AreNumbers>, uint32_t, T, T>}, {"nan", run2<Mode<IsNone>, uint32_t, T, T>}};
    for (auto& [how, run] : comparisons) t["setp." + (how + name)] = {run, "p" + one};
}

template <class Op> using Plain = Op;

template <template <class> class Mode> void addApproximations(Table& t, const std::string& ftz) {
    const std::string name = ".approx" + ftz + ".f32";
    t["rcp" + name] = {run1<Mode<Reciprocal>, float, float>, "44"};
    t["sqrt" + name] = {run1<Mode<Root>, float, float>, "44"};
    t["ex2" + name] = {run1<Mode<PowerOfTwo>, float, float>, "44"};
    t["lg2" + name] = {run1<Mode<LogarithmOfTwo>, float, float>, "44"};
    t["sin" + name] = {run1<Mode<Sine>, float, float>, "44"};
    t["cos" + name] = {run1<Mode<Cosine>, float, float>, "44"};
    t["div" + name] = {run2<Mode<DivideApproximately>, float, float, float>, "444"};
    t["div.full" + ftz + ".f32"] = {run2<Mode<DivideFloat>, float, float, float>, "444"};
    for (const char* from : {".rzi", ".rni"}) {
        Handler run = from[2] == 'z' ? run1<Mode<CutToWhole>, float, float> : run1<Mode<RoundToWhole>, float, float>;
        t["cvt" + (from + ftz) + ".f32.f32"] = {run, "44"};
    }
}

template <class To, class From> void addConversion(Table& t, const std::string& name) {
    const std::string operands = letters<To>(1) + letters<From>(1);
    constexpr bool FromFloat = std::is_floating_point<From>::value, ToFloat = std::is_floating_point<To>::value;
    if constexpr (FromFloat && !ToFloat) {
        t["cvt.rni." + name] = {run1<Convert<To, From, Rounding::Even>, To, From>, operands};
        t["cvt.rzi." + name] = {run1<Convert<To, From, Rounding::Zero>, To, From>, operands};
        t["cvt.rmi." + name] = {run1<Convert<To, From, Rounding::Down>, To, From>, operands};
        t["cvt.rpi." + name] = {run1<Convert<To, From, Rounding::Up>, To, From>, operands};
        if constexpr (sizeof(From) == 4) t["cvt.rzi.ftz." + name] = {run1<Ftz<Convert<To, From, Rounding::Zero>>, To, From>, operands};
    } else if constexpr (ToFloat && (!FromFloat || sizeof(To) < sizeof(From))) t["cvt.rn." + name] = {run1<Convert<To, From>, To, From>, operands};
    else t["cvt." + name] = {run1<Convert<To, From>, To, From>, operands};
}

template <class To> void addConversions(Table& t, const std::string& to) {
    addConversion<To, int32_t>(t, to + ".s32"), addConversion<To, uint32_t>(t, to + ".u32"), addConversion<To, float>(t, to + ".f32");
    addConversion<To, int64_t>(t, to + ".s64"), addConversion<To, uint64_t>(t, to + ".u64"), addConversion<To, double>(t, to + ".f64");
}

template <Space S, class M, class R, int N> void addAccess(Table& t, const std::string& space, const std::string& type) {
    const std::string vector = N == 1 ? "." : N == 2 ? ".v2." : ".v4.";
    t["ld" + space + vector + type] = {load<S, M, R, N>, "xA", N, sizeof(R)};
    if (S != Space::Parameter) t["st" + space + vector + type] = {store<S, M, R, N>, "Ax", N, sizeof(R)};
}

template <Space S> void addAccesses(Table& t, const std::string& space) {
    for (const char* kind : {"b", "u", "s", "f"}) {
        std::string k = kind;
        addAccess<S, uint32_t, uint32_t, 1>(t, space, k + "32");
        addAccess<S, uint32_t, uint32_t, 2>(t, space, k + "32");
        addAccess<S, uint32_t, uint32_t, 4>(t, space, k + "32");
        addAccess<S, uint64_t, uint64_t, 1>(t, space, k + "64");
        addAccess<S, uint64_t, uint64_t, 2>(t, space, k + "64");
    }
    for (const char* kind : {"b", "u"}) {
        addAccess<S, uint8_t, uint32_t, 1>(t, space, kind + std::string("8"));
        addAccess<S, uint16_t, uint32_t, 1>(t, space, kind + std::string("16"));
    }
    addAccess<S, int8_t, int32_t, 1>(t, space, "s8");
    addAccess<S, int16_t, int32_t, 1>(t, space, "s16");
}

template <Space S, class Op, class T, class U> void addAtomic(Table& t, const std::string& space, const std::string& name) {
    const std::string letter = letters<T>(1);
    t["atom" + space + "." + name] = {atomic<S, Op, T, U, true>, letter + "A" + letter};
    t["red" + space + "." + name] = {atomic<S, Op, T, U, false>, "A" + letter};
}

template <Space S> void addAtomics(Table& t, const std::string& space) {
    addAtomic<S, Add, uint32_t, uint32_t>(t, space, "add.u32");
    addAtomic<S, Add, uint32_t, uint32_t>(t, space, "add.s32");
    addAtomic<S, Add, uint64_t, uint64_t>(t, space, "add.u64");
    addAtomic<S, Ftz<AddFloat>, float, uint32_t>(t, space, "add.f32");
    addAtomic<S, AddFloat, double, uint64_t>(t, space, "add.f64");
    addAtomic<S, Minimum, int32_t, uint32_t>(t, space, "min.s32");
    addAtomic<S, Maximum, int32_t, uint32_t>(t, space, "max.s32");
    addAtomic<S, Minimum, uint32_t, uint32_t>(t, space, "min.u32");
    addAtomic<S, Maximum, uint32_t, uint32_t>(t, space, "max.u32");
    addAtomic<S, And, uint32_t, uint32_t>(t, space, "and.b32");
    addAtomic<S, Or, uint32_t, uint32_t>(t, space, "or.b32");
    addAtomic<S, Xor, uint32_t, uint32_t>(t, space, "xor.b32");
    addAtomic<S, Second, uint32_t, uint32_t>(t, space, "exch.b32");
    addAtomic<S, Second, uint64_t, uint64_t>(t, space, "exch.b64");
    t["atom" + space + ".cas.b32"] = {compareAndSwap<S, uint32_t>, "4A44"};
    t["atom" + space + ".cas.b64"] = {compareAndSwap<S, uint64_t>, "8A88"};
}

Table makeTable() {
    Table t;
    addIntegers<int32_t>(t, "s32");
    addIntegers<uint32_t>(t, "u32");
    addIntegers<int64_t>(t, "s64");
    addIntegers<uint64_t>(t, "u64");
    t["mul.wide.u32"] = {run2<MultiplyWide<uint64_t>, uint64_t, uint32_t, uint32_t>, "844"};
    t["mul.wide.s32"] = {run2<MultiplyWide<int64_t>, int64_t, int32_t, int32_t>, "844"};
    t["mad.wide.u32"] = {run3<MultiplyAddWide<uint64_t>, uint64_t, uint32_t, uint32_t, uint64_t>, "8448"};
    t["mad.wide.s32"] = {run3<MultiplyAddWide<int64_t>, int64_t, int32_t, int32_t, int64_t>, "8448"};
    addBits<uint32_t>(t, "32");
    addBits<uint64_t>(t, "64");
    addFloats<float, Plain>(t, "", "f32");
    addFloats<float, Ftz>(t, ".ftz", "f32");
    addFloats<double, Plain>(t, "", "f64");
    addApproximations<Plain>(t, "");
    addApproximations<Ftz>(t, ".ftz");
    t["tanh.approx.f32"] = {run1<HyperbolicTangent, float, float>, "44"};
    t["popc.b32"] = {run1<CountOnes, uint32_t, uint32_t>, "44"};
    t["clz.b32"] = {run1<CountZeros, uint32_t, uint32_t>, "44"};
    t["mov.pred"] = {run1<Move, uint32_t, uint32_t>, "pp"};
    t["not.pred"] = {run1<NotPredicate, uint32_t, uint32_t>, "pp"};
    t["and.pred"] = {run2<And, uint32_t, uint32_t, uint32_t>, "ppp"};
    t["or.pred"] = {run2<Or, uint32_t, uint32_t, uint32_t>, "ppp"};
    t["xor.pred"] = {run2<Xor, uint32_t, uint32_t, uint32_t>, "ppp"};
    addConversions<int32_t>(t, "s32"), addConversions<uint32_t>(t, "u32"), addConversions<float>(t, "f32");
    addConversions<int64_t>(t, "s64"), addConversions<uint64_t>(t, "u64"), addConversions<double>(t, "f64");
    t["cvt.rn.ftz.f32.f64"] = {run1<Convert<float, double>, float, double>, "48"};
    t["cvt.ftz.f64.f32"] = {run1<Convert<double, float>, double, float>, "84"};
    t["cvt.ftz.f32.f32"] = {run1<Ftz<Move>, float, float>, "44"};
    t["cvt.rna.tf32.f32"] = {run1<RoundToTf32, uint32_t, uint32_t>, "44"};
    addAccesses<Space::Global>(t, ".global");
    addAccesses<Space::Shared>(t, ".shared");
    addAccesses<Space::Local>(t, ".local");
    addAccesses<Space::Parameter>(t, ".param");
    addAccesses<Space::Generic>(t, "");
    addAtomics<Space::Global>(t, ".global");
    addAtomics<Space::Shared>(t, ".shared");
    addAtomics<Space::Generic>(t, "");
    t["shfl.sync.up.b32"] = {shuffle<Way::Up>, "s4444"};
    t["shfl.sync.down.b32"] = {shuffle<Way::Down>, "s4444"};
    t["shfl.sync.bfly.b32"] = {shuffle<Way::Butterfly>, "s4444"};
    t["shfl.sync.idx.b32"] = {shuffle<Way::Index>, "s4444"};
    t["mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"] = {multiplyTiles, "xVVV", 4, 4};
    t["bar.warp.sync"] = {meet, "4"};
    for (const char* name : {"membar.cta", "membar.gl", "membar.sys", "fence.sc.cta", "fence.sc.gpu", "fence.acq_rel.cta", "fence.acq_rel.gpu"}) t[name] = {fence, ""};
    t["nop"] = {nothing, ""};
    return t;
}
} // namespace

const Form* findForm(const std::string& opcode) {
    static const Table table = makeTable();
    // How caches treat an access, and how widely it is seen, changes nothing here.
    std::string name;
    bool isAccess = opcode.compare(0, 2, "ld") == 0 || opcode.compare(0, 2, "st") == 0 || opcode.compare(0, 4, "atom") == 0 || opcode.compare(0, 4, "red.") == 0;
    for (size_t start = 0; start < opcode.size();) {
        size_t end = std::min(opcode.find('.', start + 1), opcode.size());
        std::string part = opcode.substr(start, end - start);
        bool isHint = false;
        for (const char* hint : {".volatile", ".relaxed", ".weak", ".acquire", ".release", ".acq_rel", ".cta", ".gpu", ".sys", ".nc", ".ca", ".cg", ".cs", ".lu", ".cv", ".wb", ".wt"})
            isHint |= isAccess && part == hint;
        if (!isHint) name += part;
        start = end;
    }
    auto found = table.find(name);
    return found == table.end() ? nullptr : &found->second;
}
} // namespace simulator
