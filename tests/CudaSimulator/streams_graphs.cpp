#include "streams_graphs.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace simulator {
namespace {
constexpr size_t LongestQueue = 4096; // then the host waits, as with a device
}

void Failures::add(const std::string& text) {
    for (size_t start = 0; start < text.size();) {
        size_t end = std::min(text.find(',', start), text.size());
        char kind[16];
        Plan plan;
        if (std::sscanf(text.substr(start, end - start).c_str(), "%15[a-z]:%ld:%d", kind, &plan.number, &plan.code) == 3) {
            plan.kind = kind;
            plan.number += plan.kind == "launch" ? launches : plan.kind == "alloc" ? allocations : copies;
            plans.push_back(plan);
        } else std::fprintf(stderr, "CUDA simulator: '%s' is no failure such as launch:3:700\n", text.substr(start, end - start).c_str());
        start = end + 1;
    }
}

int Failures::count(const std::string& kind) {
    long& counter = kind == "launch" ? launches : kind == "alloc" ? allocations : copies;
    counter++;
    for (const Plan& plan : plans)
        if (plan.kind == kind && plan.number == counter) return plan.code;
    return 0;
}

Context::Context(int device) : device(device) {
    const char* wanted = std::getenv("GSRNN_CUDA_SIMULATOR_MODE");
    if (wanted != nullptr) mode = std::strcmp(wanted, "threads") == 0 ? Mode::Threads : std::strcmp(wanted, "eager") == 0 ? Mode::Eager : Mode::Late;
    if (const char* fails = std::getenv("GSRNN_CUDA_SIMULATOR_FAIL")) failures.add(fails);
    standard = createStream(true);
}

Context::~Context() {
    while (!streams.empty()) destroyStream(*streams.begin());
    Memory::instance().releaseAll(this);
}

std::shared_ptr<Stream> Context::createStream(bool isBlocking) {
    auto stream = std::make_shared<Stream>();
    stream->context = this;
    stream->isBlocking = isBlocking;
    std::lock_guard<std::mutex> lock(guard);
    streams.insert(stream);
    if (mode == Mode::Threads) stream->worker = std::thread([this, stream] { serve(stream); });
    return stream;
}

void Context::destroyStream(const std::shared_ptr<Stream>& held) {
    std::shared_ptr<Stream> stream = held;
    finish(stream);
    {
        std::lock_guard<std::mutex> lock(guard);
        stream->ends = true;
        streams.erase(stream);
    }
    changes.notify_all();
    if (stream->worker.joinable()) stream->worker.join();
}

void Context::push(const std::shared_ptr<Stream>& stream, Work work) {
    size_t length;
    {
        std::lock_guard<std::mutex> lock(guard);
        stream->queue.push_back(std::move(work));
        length = stream->queue.size();
    }
    changes.notify_all();
    if (mode == Mode::Eager || (mode == Mode::Late && length > LongestQueue)) finish(stream);
}

void Context::enqueue(const std::shared_ptr<Stream>& stream, Work work) {
    if (stream->capture) {
        stream->capture->work.push_back(std::move(work));
        return;
    }
    // The default stream waits for all blocking streams, and they for it.
    std::vector<std::pair<std::shared_ptr<Stream>, std::shared_ptr<Stream>>> waits;
    if (stream == standard) {
        std::lock_guard<std::mutex> lock(guard);
        for (const auto& other : streams)
            if (other != standard && other->isBlocking && !(other->queue.empty() && !other->isRunning)) waits.emplace_back(other, standard);
    } else if (stream->isBlocking) waits.emplace_back(standard, stream);
    for (auto& [first, second] : waits) {
        Event event;
        record(first, event);
        push(second, {nullptr, event.mark});
    }
    push(stream, std::move(work));
}

void Context::record(const std::shared_ptr<Stream>& stream, Event& event) {
    auto mark = std::make_shared<Mark>();
    mark->stream = stream;
    event.mark = mark;
    push(stream, {[this, mark] {
        std::lock_guard<std::mutex> lock(guard);
        mark->time = std::chrono::steady_clock::now();
        mark->isReached = true;
    }, nullptr});
}

void Context::execute(Work& work) {
    if (!work.run || (work.isLaunch && sticky != 0)) return;
    try {
        work.run();
    } catch (const Fault& fault) {
        std::lock_guard<std::mutex> lock(guard);
        if (sticky == 0) {
            message = fault.what;
            sticky = fault.code;
        }
        std::fprintf(stderr, "CUDA simulator: error %d: %s\n", fault.code, fault.what.c_str());
    }
}

// Late work; false where nothing is queued.
bool Context::runNext(const std::shared_ptr<Stream>& stream) {
    std::lock_guard<std::recursive_mutex> one(execution);
    Work work;
    {
        std::lock_guard<std::mutex> lock(guard);
        if (stream->queue.empty()) return false;
        work = std::move(stream->queue.front());
        stream->queue.pop_front();
    }
    if (work.awaited) {
        while (!work.awaited->isReached && runNext(work.awaited->stream)) {}
    }
    execute(work);
    return true;
}

void Context::serve(const std::shared_ptr<Stream>& stream) {
    std::unique_lock<std::mutex> lock(guard);
    for (;;) {
        changes.wait(lock, [&] { return stream->ends || !stream->queue.empty(); });
        if (stream->queue.empty()) return;
        Work work = std::move(stream->queue.front());
        stream->queue.pop_front();
        stream->isRunning = true;
        if (work.awaited) changes.wait(lock, [&] { return work.awaited->isReached.load(); });
        lock.unlock();
        execute(work);
        lock.lock();
        stream->isRunning = false;
        changes.notify_all();
    }
}

void Context::finish(const std::shared_ptr<Stream>& stream) {
    if (mode != Mode::Threads) {
        std::lock_guard<std::recursive_mutex> one(execution);
        while (runNext(stream)) {}
        return;
    }
    std::unique_lock<std::mutex> lock(guard);
    changes.wait(lock, [&] { return stream->queue.empty() && !stream->isRunning; });
}

void Context::finishAll() {
    std::vector<std::shared_ptr<Stream>> all;
    {
        std::lock_guard<std::mutex> lock(guard);
        all.assign(streams.begin(), streams.end());
    }
    for (const auto& stream : all) finish(stream);
}

void Context::finish(const std::shared_ptr<Mark>& mark) {
    if (mode == Mode::Threads) {
        std::unique_lock<std::mutex> lock(guard);
        changes.wait(lock, [&] { return mark->isReached.load(); });
    } else {
        while (!mark->isReached && runNext(mark->stream)) {}
    }
}

void Context::advance(const std::shared_ptr<Mark>& mark) {
    if (mode != Mode::Threads && !mark->isReached) runNext(mark->stream);
}
} // namespace simulator
