// Contexts, streams, events and graphs. What is queued runs late: when the host waits for it, or on a thread of its stream.
#pragma once
#include "interpreter.h"
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <set>
#include <thread>

namespace simulator {
struct Context;
struct Stream;

/// A place in a stream's queue, as an event marks it.
struct Mark {
    std::shared_ptr<Stream> stream;
    std::atomic<bool> isReached{false};
    std::chrono::steady_clock::time_point time;
};

struct Event {
    std::shared_ptr<Mark> mark; // null before it is recorded
};

/// One piece of work; what throws Fault breaks the context.
struct Work {
    std::function<void()> run;
    std::shared_ptr<Mark> awaited; // it waits for this mark and does nothing else
    bool isLaunch = false;
};

struct Graph {
    std::vector<Work> work;
};

struct Stream {
    Context* context = nullptr;
    bool isBlocking = true; // orders itself with the context's default stream
    std::deque<Work> queue;
    bool isRunning = false, ends = false;
    std::shared_ptr<Graph> capture; // what is queued is taken down instead
    std::thread::id capturer;
    bool isCaptureInvalid = false;
    std::thread worker;
};

/// Failures on demand: the n-th launch, allocation or copy of a context.
struct Failures {
    struct Plan {
        std::string kind;
        long number;
        int code;
    };
    std::vector<Plan> plans;
    long launches = 0, allocations = 0, copies = 0;
    /// "launch:3:700,alloc:2:2,copy:5:719"; what cannot be read is ignored with a message.
    void add(const std::string& text);
    /// The code with which this one fails; 0 for none.
    int count(const std::string& kind);
};

/// When queued work runs.
enum class Mode { Late, Threads, Eager };

struct Context {
    explicit Context(int device);
    ~Context();

    const int device;
    Mode mode = Mode::Late;
    std::recursive_mutex execution; // late work runs on one host thread at a time
    std::mutex guard;               // of all queues
    std::condition_variable changes;
    std::set<std::shared_ptr<Stream>> streams;
    std::shared_ptr<Stream> standard; // the default stream
    std::atomic<int> sticky{0};       // the error after which every call fails
    std::string message;              // of it
    Failures failures;

    std::shared_ptr<Stream> createStream(bool isBlocking);
    void destroyStream(const std::shared_ptr<Stream>& stream);

    /// Queues work, or takes it down where the stream is captured.
    void enqueue(const std::shared_ptr<Stream>& stream, Work work);
    void record(const std::shared_ptr<Stream>& stream, Event& event);

    /// Waits until all is done.
    void finish(const std::shared_ptr<Stream>& stream);
    void finishAll();
    void finish(const std::shared_ptr<Mark>& mark);
    /// Runs one piece of late work, so that a host that only asks comes to an end.
    void advance(const std::shared_ptr<Mark>& mark);

private:
    void push(const std::shared_ptr<Stream>& stream, Work work);
    bool runNext(const std::shared_ptr<Stream>& stream);
    void execute(Work& work);
    void serve(const std::shared_ptr<Stream>& stream);
};
} // namespace simulator
