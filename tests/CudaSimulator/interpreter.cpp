#include "interpreter.h"
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>

namespace simulator {
namespace {
constexpr uint64_t MostSteps = 1ull << 34; // of a warp in one launch: a kernel that hangs is stopped
constexpr uint8_t Garbage = 0xFF;

// Memory of one core for the blocks that it runs, kept from launch to launch.
struct Arena {
    std::vector<uint8_t> bytes;
    uint8_t* take(size_t size) {
        if (bytes.size() < size + 64) bytes.resize(size + 64);
        return bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64) % 64;
    }
};

uint32_t predicateMask(Warp& w, const Instruction& i) {
    const uint32_t* p = w.lanes<uint32_t>(i.guard);
    uint32_t mask = 0;
    for (int k = 0; k < Lanes; k++) mask |= (p[k] & 1) << k;
    return i.isNegated ? ~mask : mask;
}

// Advances until the warp waits at a barrier or all its lanes are done. Lanes that a branch parts are frames of a stack, of which the top runs, until
// it comes to where they meet.
void advance(Warp& w, uint64_t& steps) {
    const Instruction* code = w.launch->kernel->code.data();
    const uint32_t length = static_cast<uint32_t>(w.launch->kernel->code.size());
    while (!w.frames.empty()) {
        Warp::Frame& top = w.frames.back();
        top.mask &= ~w.exited;
        uint32_t pc = top.pc, mask = top.mask;
        const uint32_t meeting = top.meeting;
        if (mask == 0 || pc == meeting) {
            w.frames.pop_back();
            continue;
        }
        for (;;) {
            const Instruction& i = code[pc];
            uint32_t active = i.isGuarded ? mask & predicateMask(w, i) : mask;
            steps++;
            if (i.kind == Instruction::Compute) {
                if (active != 0) i.run(w, i, active);
                if (++pc != meeting) continue;
                w.frames.pop_back();
            } else if (i.kind == Instruction::Branch) {
                if (steps > MostSteps) w.fault(LaunchTimeout, i, mask, "the kernel does not end");
                if (active == mask || active == 0) {
                    pc = active == 0 ? pc + 1 : i.target;
                    if (pc != meeting) continue;
                    w.frames.pop_back();
                } else {
                    const uint32_t next = i.meeting == length ? meeting : i.meeting; // lanes that only the end unites meet whom the frame meets
                    if (next == meeting) w.frames.pop_back();
                    else top.pc = next;
                    if (pc + 1 != next) w.frames.push_back({pc + 1, next, mask & ~active});
                    if (i.target != next) w.frames.push_back({i.target, next, active});
                }
            } else if (i.kind == Instruction::Exit) {
                w.exited |= active;
                mask &= ~active;
                if (mask != 0) {
                    pc++;
                    continue;
                }
                w.frames.pop_back();
            } else if (i.kind == Instruction::Trap) {
                if (active != 0) w.fault(LaunchFailed, i, active, "trap");
                pc++;
                continue;
            } else {
                if (active != w.live()) w.fault(LaunchFailed, i, w.live() & ~active, "not all threads of the warp come to this barrier together");
                top.pc = pc + 1;
                w.state = Warp::AtBarrier;
                return;
            }
            break;
        }
    }
    w.state = Warp::Done;
}

void fill32(Warp& w, uint32_t place, uint32_t value) {
    if (place != 0) std::fill_n(w.lanes<uint32_t>(place), Lanes, value);
}

class BlockRunner {
public:
    explicit BlockRunner(const Launch& launch) : launch(launch), kernel(*launch.kernel) {
        static thread_local Arena files, sharedMemory, localMemory;
        threads = launch.block[0] * launch.block[1] * launch.block[2];
        warps.resize((threads + Lanes - 1) / Lanes);
        fileBytes = (kernel.fileBytes + 63) / 64 * 64;
        sharedBytes = (kernel.sharedBytes + 15) / 16 * 16 + launch.dynamicShared;
        uint8_t* file = files.take(fileBytes * warps.size());
        shared = sharedMemory.take(sharedBytes);
        local = localMemory.take(size_t(kernel.localBytes) * Lanes * warps.size());
        caches.resize(kernel.caches);
        for (size_t n = 0; n < warps.size(); n++) prepare(warps[n], static_cast<uint32_t>(n), file + n * fileBytes);
    }

    void run(uint32_t number) {
        uint32_t block[3] = {number % launch.grid[0], number / launch.grid[0] % launch.grid[1], number / launch.grid[0] / launch.grid[1]};
        std::memset(shared, Garbage, sharedBytes);
        if (kernel.localBytes > 0) std::memset(local, Garbage, size_t(kernel.localBytes) * Lanes * warps.size());
        for (Warp& w : warps) {
            for (int axis = 0; axis < 3; axis++) fill32(w, kernel.specials[CtaidX + axis], w.block[axis] = block[axis]);
            w.exited = 0;
            w.state = Warp::Ready;
            w.frames.assign(1, {0, static_cast<uint32_t>(kernel.code.size()), w.present});
        }
        // Between two barriers warps run one after the other, in every second block from the last: what a missing barrier leaves to chance differs.
        size_t count = warps.size();
        for (bool isRunning = true; isRunning;) {
            isRunning = false;
            int64_t barrier = -1;
            for (size_t n = 0; n < count; n++) {
                Warp& w = warps[number % 2 == 0 ? n : count - 1 - n];
                if (w.state == Warp::Done) continue;
                w.state = Warp::Ready;
                advance(w, steps);
                if (w.state != Warp::AtBarrier) continue;
                const Instruction& at = kernel.code[w.frames.back().pc - 1];
                if (barrier >= 0 && barrier != at.offset) w.fault(LaunchFailed, at, w.live(), "the warps wait at different barriers");
                barrier = at.offset;
                isRunning = true;
            }
        }
    }

    uint64_t steps = 0;

private:
    const Launch& launch;
    const Kernel& kernel;
    std::vector<Warp> warps;
    std::vector<Allocation> caches;
    uint8_t *shared = nullptr, *local = nullptr;
    uint32_t threads = 0, sharedBytes = 0;
    size_t fileBytes = 0;

    void prepare(Warp& w, uint32_t index, uint8_t* file) {
        w.file = file;
        w.shared = shared;
        w.local = local + size_t(index) * kernel.localBytes * Lanes;
        w.parameters = launch.parameters.data();
        w.caches = caches.data();
        w.launch = &launch;
        w.sharedBytes = sharedBytes;
        w.index = index;
        uint32_t here = std::min<uint32_t>(Lanes, threads - index * Lanes);
        w.present = here == Lanes ? ~0u : (1u << here) - 1;
        for (const Constant& constant : kernel.constants) {
            if (constant.bytes == 8) std::fill_n(w.lanes<uint64_t>(constant.place), Lanes, constant.value);
            else fill32(w, constant.place, static_cast<uint32_t>(constant.value));
        }
        const uint32_t* specials = kernel.specials;
        for (uint32_t lane = 0; lane < Lanes; lane++) {
            uint32_t thread = index * Lanes + lane, x = launch.block[0], y = launch.block[1];
            uint32_t values[] = {thread % x, thread / x % y, thread / x / y};
            for (int axis = 0; axis < 3; axis++)
                if (specials[TidX + axis] != 0) w.lanes<uint32_t>(specials[TidX + axis])[lane] = values[axis];
            if (specials[LaneId] != 0) w.lanes<uint32_t>(specials[LaneId])[lane] = lane;
        }
        for (int axis = 0; axis < 3; axis++) {
            fill32(w, specials[NtidX + axis], launch.block[axis]);
            fill32(w, specials[NctaidX + axis], launch.grid[axis]);
        }
        fill32(w, specials[WarpId], index);
        fill32(w, specials[DynamicShared], launch.dynamicShared);
    }
};

// Threads beside the launching one that take blocks; one launch has them at a time, others then run on their own thread alone.
class Team {
public:
    static Team& instance() {
        static Team* team = new Team;
        return *team;
    }

    void run(const std::function<void()>& work) {
        std::unique_lock<std::mutex> busy(isBusy, std::try_to_lock);
        if (!busy || helpers == 0) return work();
        {
            std::lock_guard<std::mutex> lock(guard);
            job = &work;
            round++;
            running = helpers;
        }
        begins.notify_all();
        work();
        std::unique_lock<std::mutex> lock(guard);
        ends.wait(lock, [&] { return running == 0; });
    }

private:
    std::mutex isBusy, guard;
    std::condition_variable begins, ends;
    const std::function<void()>* job = nullptr;
    uint64_t round = 0;
    unsigned helpers = 0, running = 0;

    Team() {
        const char* wanted = std::getenv("GSRNN_CUDA_SIMULATOR_THREADS");
        unsigned threads = wanted ? static_cast<unsigned>(std::atoi(wanted)) : std::thread::hardware_concurrency();
        helpers = threads > 1 ? threads - 1 : 0;
        for (unsigned n = 0; n < helpers; n++) std::thread([this] { help(); }).detach();
    }

    void help() {
        for (uint64_t seen = 0;;) {
            const std::function<void()>* mine;
            {
                std::unique_lock<std::mutex> lock(guard);
                begins.wait(lock, [&] { return round != seen; });
                seen = round;
                mine = job;
            }
            (*mine)();
            std::lock_guard<std::mutex> lock(guard);
            if (--running == 0) ends.notify_all();
        }
    }
};
} // namespace

void Warp::fault(int code, const Instruction& at, uint32_t mask, const std::string& what) const {
    char place[200];
    std::snprintf(place, sizeof place, "%s, line %d, block (%u, %u, %u), thread %u: ", launch->kernel->name.c_str(), at.line, block[0], block[1], block[2],
                  index * Lanes + static_cast<uint32_t>(mask == 0 ? 0 : __builtin_ctz(mask)));
    throw Fault{code, place + what};
}

void run(const Launch& launch) {
    const uint64_t blocks = uint64_t(launch.grid[0]) * launch.grid[1] * launch.grid[2];
    std::atomic<uint64_t> next{0};
    std::mutex guard;
    std::unique_ptr<Fault> first;
    std::function<void()> work = [&] {
        if (next.load() >= blocks) return;
        try {
            BlockRunner runner(launch);
            for (uint64_t block; (block = next.fetch_add(1)) < blocks;) runner.run(static_cast<uint32_t>(block));
        } catch (const Fault& fault) {
            std::lock_guard<std::mutex> lock(guard);
            if (!first) first = std::make_unique<Fault>(fault);
            next = blocks;
        }
    };
    if (blocks > 1) Team::instance().run(work);
    else work();
    if (first) throw *first;
}
} // namespace simulator
