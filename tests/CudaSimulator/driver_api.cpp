// The entry points of libcuda.so.1 that ILGPU and this project call.
#include "streams_graphs.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace simulator;

#define CHECK(isForbiddenWhileCapturing) if (int error = check(isForbiddenWhileCapturing)) return error
#define FIND(name, found) auto name = found; if (!name) return InvalidHandle
#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {
constexpr const char* DeviceName = "CUDA simulator (interprets PTX on the processor; for tests only)";
constexpr int DriverVersion = 12040, Multiprocessors = 16, MostThreads = 1024, ThreadsOfMultiprocessor = 2048, BlocksOfMultiprocessor = 32;
constexpr int SharedOfMultiprocessor = 167936, SharedOfBlock = 166912, RegistersOfMultiprocessor = 65536;

struct Module {
    std::vector<std::shared_ptr<Kernel>> kernels;
};

// Handles are addresses of these; every one that lives is here, so that a wrong handle is told from a right one.
template <class T> class Handles {
public:
    void* add(std::shared_ptr<T> object) {
        std::lock_guard<std::mutex> lock(guard);
        void* handle = object.get();
        live[handle] = std::move(object);
        return handle;
    }
    std::shared_ptr<T> find(const void* handle) {
        std::lock_guard<std::mutex> lock(guard);
        auto found = live.find(const_cast<void*>(handle));
        return found == live.end() ? nullptr : found->second;
    }
    std::shared_ptr<T> remove(void* handle) {
        std::shared_ptr<T> object = find(handle);
        std::lock_guard<std::mutex> lock(guard);
        live.erase(handle);
        return object;
    }

private:
    std::mutex guard;
    std::unordered_map<void*, std::shared_ptr<T>> live;
};

template <class T> Handles<T>& handles() {
    static auto* all = new Handles<T>;
    return *all;
}

std::atomic<bool> isInitialized{false};
thread_local std::shared_ptr<Context> current;
thread_local std::string lastMessage;

// What every call begins with: a context that is not broken. A stream that this thread captures forbids calls that would wait or allocate.
int check(bool isForbiddenWhileCapturing) {
    if (!isInitialized) return NotInitialized;
    if (!current || !handles<Context>().find(current.get())) return InvalidContext;
    if (current->sticky != 0) return current->sticky;
    if (!isForbiddenWhileCapturing) return 0;
    std::lock_guard<std::mutex> lock(current->guard);
    for (const auto& stream : current->streams) {
        if (!stream->capture || stream->capturer != std::this_thread::get_id()) continue;
        stream->isCaptureInvalid = true;
        return CaptureUnsupported;
    }
    return 0;
}

template <class T> int put(T* where, T value) {
    *where = value;
    return 0;
}

std::shared_ptr<Stream> streamOf(void* handle) {
    if (handle == nullptr || handle == reinterpret_cast<void*>(1)) return current->standard; // CU_STREAM_LEGACY
    auto stream = handles<Stream>().find(handle);
    return stream && stream->context == current.get() ? stream : nullptr;
}

// Errors that a call itself returns, where others break the context when the work runs.
bool isImmediate(int code) { return code < 100 || code == OutOfResources || code >= 800; }

int injected(const char* kind, const std::shared_ptr<Stream>& stream) {
    int code;
    {
        std::lock_guard<std::mutex> lock(current->guard);
        code = current->failures.count(kind);
    }
    if (code == 0 || isImmediate(code) || !stream) return code;
    std::string what = std::string("a failure was asked for: ") + kind;
    current->enqueue(stream, {[code, what] { throw Fault{code, what}; }, nullptr, false});
    return 0;
}

struct Place {
    Allocation allocation;
    bool isDevice = false, isLocked = false;
    explicit Place(uint64_t address) : allocation(Memory::instance().find(address)) {
        isDevice = Memory::instance().isReserved(address);
        isLocked = !isDevice && allocation.end > allocation.begin;
    }
    bool isWrong(uint64_t address, uint64_t bytes) const {
        return isDevice && (!allocation.holds(address, bytes) || allocation.owner != current.get());
    }
};

int blocksThatFit(const Kernel& kernel, int threads, size_t dynamicShared) {
    size_t shared = kernel.sharedBytes + dynamicShared + 1024;
    if (threads <= 0 || threads > static_cast<int>(kernel.maxThreads) || dynamicShared > kernel.maxDynamicShared) return 0;
    int rounded = (threads + Lanes - 1) / Lanes * Lanes;
    return std::min({ThreadsOfMultiprocessor / rounded, BlocksOfMultiprocessor, static_cast<int>(SharedOfMultiprocessor / shared)});
}

int load(void** module, const char* text, std::string& log) {
    auto loaded = std::make_shared<Module>();
    try {
        for (const ParsedKernel& parsed : parsePtx(text)) loaded->kernels.push_back(decode(parsed));
    } catch (const PtxError& error) {
        log = error.what();
        lastMessage = log;
        std::fprintf(stderr, "CUDA simulator: %s\n", log.c_str());
        return InvalidPtx;
    }
    for (const auto& kernel : loaded->kernels) handles<Kernel>().add(kernel);
    return put(module, handles<Module>().add(loaded));
}
} // namespace
EXPORT int cuInit(unsigned) { return isInitialized = true, 0; }
EXPORT int cuDriverGetVersion(int* version) { return put(version, DriverVersion); }
EXPORT int cuDeviceGetCount(int* count) { return isInitialized ? put(count, 1) : NotInitialized; }
EXPORT int cuDeviceGet(int* device, int ordinal) { return ordinal == 0 ? put(device, 0) : InvalidDevice; }
EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int device) { return device == 0 ? put<size_t>(bytes, Memory::instance().total()) : InvalidDevice; }
EXPORT int cuDeviceCanAccessPeer(int* can, int, int) { return put(can, 0); }
EXPORT int cuDeviceGetP2PAttribute(int* value, int, int, int) { return put(value, 0); }
EXPORT int cuCtxEnablePeerAccess(void*, unsigned) { return 217; } // CUDA_ERROR_PEER_ACCESS_UNSUPPORTED
EXPORT int cuCtxDisablePeerAccess(void*) { return 705; }          // CUDA_ERROR_PEER_ACCESS_NOT_ENABLED
EXPORT int cuDeviceGetName(char* name, int length, int device) {
    if (device != 0) return InvalidDevice;
    std::snprintf(name, static_cast<size_t>(length), "%s", DeviceName);
    return 0;
}
EXPORT int cuDeviceGetAttribute(int* value, int attribute, int device) {
    static const std::unordered_map<int, int> values = {
        {1, MostThreads}, {2, 1024}, {3, 1024}, {4, 64}, {5, 0x7FFFFFFF}, {6, 65535}, {7, 65535}, {8, 49152}, {9, 65536}, {10, Lanes},
        {11, 0x7FFFFFFF}, {12, RegistersOfMultiprocessor}, {13, 1000000}, {16, Multiprocessors}, {19, 1}, {31, 1}, {36, 1000000}, {37, 64},
        {38, 4 << 20}, {39, ThreadsOfMultiprocessor}, {40, 2}, {41, 1}, {75, 8}, {76, 0}, {78, 1}, {81, SharedOfMultiprocessor},
        {82, RegistersOfMultiprocessor}, {91, 1}, {97, SharedOfBlock}, {106, BlocksOfMultiprocessor}};
    if (device != 0) return InvalidDevice;
    auto found = values.find(attribute);
    return put(value, found == values.end() ? 0 : found->second);
}
EXPORT int cuCtxCreate_v2(void** context, unsigned, int device) {
    if (!isInitialized) return NotInitialized;
    if (device != 0) return InvalidDevice;
    current = std::make_shared<Context>(device);
    *context = handles<Context>().add(current);
    return 0;
}
EXPORT int cuCtxDestroy_v2(void* handle) {
    auto context = handles<Context>().remove(handle);
    if (!context) return InvalidContext;
    context->finishAll();
    std::vector<std::shared_ptr<Stream>> streams(context->streams.begin(), context->streams.end());
    for (const auto& stream : streams) handles<Stream>().remove(stream.get());
    while (!context->streams.empty()) context->destroyStream(*context->streams.begin());
    Memory::instance().releaseAll(context.get());
    if (current == context) current = nullptr;
    return 0;
}
EXPORT int cuCtxSetCurrent(void* handle) {
    auto context = handles<Context>().find(handle);
    if (handle != nullptr && !context) return InvalidContext;
    current = context;
    return 0;
}
EXPORT int cuCtxSynchronize() {
    CHECK(true);
    current->finishAll();
    return current->sticky;
}
EXPORT int cuCtxGetCacheConfig(int* config) { return put(config, 0); }
EXPORT int cuCtxSetCacheConfig(int) { return check(false); }
EXPORT int cuCtxGetSharedMemConfig(int* config) { return put(config, 1); }
EXPORT int cuCtxSetSharedMemConfig(int) { return check(false); }
EXPORT int cuMemGetInfo_v2(size_t* free, size_t* total) {
    *free = Memory::instance().free();
    *total = Memory::instance().total();
    return check(false);
}
EXPORT int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    CHECK(true);
    if (bytes == 0) return InvalidValue;
    if (int code = injected("alloc", nullptr)) {
        if (!isImmediate(code)) current->sticky = code;
        return code;
    }
    *address = Memory::instance().allocate(current.get(), bytes);
    return *address != 0 ? 0 : OutOfMemory;
}
EXPORT int cuMemFree_v2(uint64_t address) {
    if (address == 0) return 0;
    CHECK(true);
    current->finishAll(); // as the driver does
    return Memory::instance().release(current.get(), address) ? current->sticky.load() : static_cast<int>(InvalidValue);
}
EXPORT int cuMemAllocHost_v2(void** address, size_t bytes) {
    CHECK(true);
    *address = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (*address == nullptr) return OutOfMemory;
    Memory::instance().lockPages(reinterpret_cast<uint64_t>(*address), bytes);
    return 0;
}
EXPORT int cuMemFreeHost(void* address) {
    CHECK(true);
    current->finishAll();
    if (!Memory::instance().unlockPages(reinterpret_cast<uint64_t>(address))) return InvalidValue;
    std::free(address);
    return 0;
}
EXPORT int cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
    CHECK(true);
    if (Memory::instance().find(reinterpret_cast<uint64_t>(address)).end != 0) return 712; // CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED
    Memory::instance().lockPages(reinterpret_cast<uint64_t>(address), bytes);
    return 0;
}
EXPORT int cuMemHostUnregister(void* address) {
    CHECK(true);
    current->finishAll();
    return Memory::instance().unlockPages(reinterpret_cast<uint64_t>(address)) ? 0 : 713; // CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED
}
EXPORT int cuMemHostGetDevicePointer_v2(uint64_t* address, void* host, unsigned) {
    *address = reinterpret_cast<uint64_t>(host);
    return Place(*address).isLocked ? check(false) : static_cast<int>(InvalidValue);
}
EXPORT int cuPointerGetAttribute(void* value, int attribute, uint64_t address) {
    Place place(address);
    if (!place.isLocked && place.allocation.end == 0) return InvalidValue;
    if (attribute == 2) return put(static_cast<int*>(value), place.isDevice ? 2 : 1); // CU_POINTER_ATTRIBUTE_MEMORY_TYPE
    return attribute == 3 || attribute == 4 ? put(static_cast<uint64_t*>(value), address) : static_cast<int>(InvalidValue);
}
EXPORT int cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void* handle) {
    CHECK(false);
    FIND(stream, streamOf(handle));
    if (bytes == 0) return 0;
    Place target(to), source(from);
    if (to == 0 || from == 0 || target.isWrong(to, bytes) || source.isWrong(from, bytes)) return InvalidValue;
    bool isPageable = (!target.isDevice && !target.isLocked) || (!source.isDevice && !source.isLocked);
    if (stream->capture && isPageable) {
        stream->isCaptureInvalid = true;
        return CaptureUnsupported;
    }
    if (int code = injected("copy", stream)) return code;
    if (!source.isDevice && !source.isLocked) {
        // Pageable memory is read at once.
        auto staged = std::make_shared<std::vector<uint8_t>>(reinterpret_cast<uint8_t*>(from), reinterpret_cast<uint8_t*>(from) + bytes);
        current->enqueue(stream, {[=] { std::memcpy(reinterpret_cast<void*>(to), staged->data(), bytes); }, nullptr, true});
    } else {
        current->enqueue(stream, {[=] { std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes); }, nullptr, true});
    }
    if (!target.isDevice && (!target.isLocked || !source.isDevice)) current->finish(stream);
    return current->sticky;
}
EXPORT int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void* handle) {
    CHECK(false);
    FIND(stream, streamOf(handle));
    if (bytes == 0) return 0;
    Place target(to);
    if (!target.isDevice || target.isWrong(to, bytes)) return InvalidValue;
    current->enqueue(stream, {[=] { std::memset(reinterpret_cast<void*>(to), value, bytes); }, nullptr, true});
    return 0;
}
EXPORT int cuStreamCreate(void** stream, unsigned flags) {
    CHECK(true);
    return put(stream, handles<Stream>().add(current->createStream((flags & 1) == 0)));
}
EXPORT int cuStreamCreateWithPriority(void** stream, unsigned flags, int) { return cuStreamCreate(stream, flags); }
EXPORT int cuStreamDestroy_v2(void* handle) {
    FIND(stream, handles<Stream>().remove(handle));
    stream->context->destroyStream(stream);
    return 0;
}
EXPORT int cuStreamSynchronize(void* handle) {
    CHECK(true);
    FIND(stream, streamOf(handle));
    // The default stream ends only with the blocking ones.
    if (stream == current->standard) current->enqueue(stream, {});
    current->finish(stream);
    return current->sticky;
}
EXPORT int cuStreamWaitEvent(void* handle, void* event, unsigned) {
    CHECK(false);
    FIND(stream, streamOf(handle));
    FIND(waited, handles<Event>().find(event));
    if (stream->capture) return CaptureUnsupported;
    if (waited->mark) current->enqueue(stream, {nullptr, waited->mark});
    return 0;
}
EXPORT int cuEventCreate(void** event, unsigned) {
    CHECK(false);
    return put(event, handles<Event>().add(std::make_shared<Event>()));
}
EXPORT int cuEventDestroy_v2(void* event) { return handles<Event>().remove(event) ? 0 : InvalidHandle; }
EXPORT int cuEventRecord(void* event, void* handle) {
    CHECK(false);
    FIND(stream, streamOf(handle));
    FIND(recorded, handles<Event>().find(event));
    if (stream->capture) return CaptureUnsupported;
    current->record(stream, *recorded);
    return 0;
}
EXPORT int cuEventQuery(void* event) {
    CHECK(false);
    FIND(asked, handles<Event>().find(event));
    if (!asked->mark || asked->mark->isReached) return 0;
    current->advance(asked->mark);
    return current->sticky != 0 ? current->sticky.load() : static_cast<int>(NotReady);
}
EXPORT int cuEventSynchronize(void* event) {
    CHECK(true);
    FIND(awaited, handles<Event>().find(event));
    if (awaited->mark) current->finish(awaited->mark);
    return current->sticky;
}
EXPORT int cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    auto first = handles<Event>().find(start), second = handles<Event>().find(end);
    if (!first || !second || !first->mark || !second->mark) return InvalidHandle;
    if (!first->mark->isReached || !second->mark->isReached) return NotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(second->mark->time - first->mark->time).count();
    return check(false);
}
EXPORT int cuModuleLoadDataEx(void** module, const char* text, unsigned count, const int* options, void** values) {
    CHECK(true);
    std::string log;
    int result = load(module, text, log);
    char* buffer = nullptr;
    size_t size = 0;
    for (unsigned n = 0; n < count; n++) {
        if (options[n] == 5) buffer = static_cast<char*>(values[n]); // CU_JIT_ERROR_LOG_BUFFER
        if (options[n] == 6) size = reinterpret_cast<size_t>(values[n]) & 0xFFFFFFFF;
    }
    if (buffer != nullptr && size > 0) std::snprintf(buffer, size, "%s", log.c_str());
    return result;
}
EXPORT int cuModuleLoadData(void** module, const char* text) { return cuModuleLoadDataEx(module, text, 0, nullptr, nullptr); }
EXPORT int cuModuleUnload(void* handle) {
    CHECK(true);
    FIND(module, handles<Module>().remove(handle));
    for (const auto& kernel : module->kernels) handles<Kernel>().remove(kernel.get());
    return 0;
}
EXPORT int cuModuleGetFunction(void** function, void* handle, const char* name) {
    CHECK(false);
    FIND(module, handles<Module>().find(handle));
    for (const auto& kernel : module->kernels)
        if (kernel->name == name) return put<void*>(function, kernel.get());
    return NotFound;
}
EXPORT int cuFuncGetAttribute(int* value, int attribute, void* function) {
    CHECK(false);
    FIND(kernel, handles<Kernel>().find(function));
    switch (attribute) {
    case 0: return put<int>(value, kernel->maxThreads);
    case 1: return put<int>(value, kernel->sharedBytes);
    case 3: return put<int>(value, kernel->localBytes);
    case 4: return put<int>(value, std::min<uint32_t>(kernel->registers, 255));
    case 8: return put<int>(value, kernel->maxDynamicShared);
    default: return InvalidValue;
    }
}
EXPORT int cuFuncSetAttribute(void* function, int attribute, int value) {
    CHECK(false);
    FIND(kernel, handles<Kernel>().find(function));
    if (attribute != 8 || value < 0 || value > SharedOfBlock - static_cast<int>(kernel->sharedBytes)) return InvalidValue;
    kernel->maxDynamicShared = static_cast<uint32_t>(value);
    return 0;
}
EXPORT int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void* function, int threads, size_t dynamicShared) {
    CHECK(false);
    FIND(kernel, handles<Kernel>().find(function));
    *blocks = blocksThatFit(*kernel, threads, dynamicShared);
    return 0;
}
EXPORT int cuOccupancyMaxPotentialBlockSize(int* grid, int* threads, void* function, size_t (*sharedOf)(int), size_t dynamicShared, int most) {
    CHECK(false);
    FIND(kernel, handles<Kernel>().find(function));
    int limit = static_cast<int>(kernel->maxThreads), best = 0;
    if (most > 0) limit = std::min(limit, most);
    for (int size = limit / Lanes * Lanes; size >= Lanes; size -= Lanes) {
        int fitting = blocksThatFit(*kernel, size, sharedOf != nullptr ? sharedOf(size) : dynamicShared);
        if (fitting * size <= best) continue;
        best = fitting * size;
        *threads = size;
        *grid = fitting * Multiprocessors;
    }
    return best > 0 ? 0 : InvalidValue;
}
EXPORT int cuLaunchKernel(void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
                          unsigned dynamicShared, void* handle, void** parameters, void** extra) {
    CHECK(false);
    FIND(kernel, handles<Kernel>().find(function));
    FIND(stream, streamOf(handle));
    if (gridX == 0 || gridY == 0 || gridZ == 0 || blockX == 0 || blockY == 0 || blockZ == 0) return InvalidValue;
    if (gridX > 0x7FFFFFFF || gridY > 65535 || gridZ > 65535 || blockX > 1024 || blockY > 1024 || blockZ > 64) return InvalidValue;
    if (uint64_t(blockX) * blockY * blockZ > kernel->maxThreads || dynamicShared > kernel->maxDynamicShared) return InvalidValue;
    Launch launch{kernel, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, dynamicShared, std::vector<uint8_t>(kernel->parameterBytes), current.get()};
    if (parameters != nullptr) {
        for (size_t n = 0; n < kernel->parameters.size(); n++)
            std::memcpy(launch.parameters.data() + kernel->parameters[n].offset, parameters[n], kernel->parameters[n].bytes);
    } else if (extra != nullptr) {
        const void* buffer = nullptr;
        size_t size = 0;
        for (; *extra != nullptr; extra += 2) {
            if (*extra == reinterpret_cast<void*>(1)) buffer = extra[1];
            else if (*extra == reinterpret_cast<void*>(2)) size = *static_cast<size_t*>(extra[1]);
        }
        if (buffer == nullptr || size < kernel->parameterBytes) return InvalidValue;
        std::memcpy(launch.parameters.data(), buffer, kernel->parameterBytes);
    } else if (kernel->parameterBytes > 0) return InvalidValue;
    if (int code = stream->capture ? 0 : injected("launch", stream)) return code;
    current->enqueue(stream, {[launch = std::move(launch)] { run(launch); }, nullptr, true});
    return 0;
}
EXPORT int cuStreamBeginCapture_v2(void* handle, int) {
    CHECK(false);
    FIND(stream, streamOf(handle));
    if (stream == current->standard || stream->capture) return stream->capture ? InvalidValue : CaptureUnsupported;
    stream->isCaptureInvalid = false;
    stream->capturer = std::this_thread::get_id();
    stream->capture = std::make_shared<Graph>();
    return 0;
}
EXPORT int cuStreamEndCapture(void* handle, void** graph) {
    CHECK(false);
    FIND(stream, streamOf(handle));
    *graph = nullptr;
    if (!stream->capture) return InvalidValue;
    std::shared_ptr<Graph> captured = std::move(stream->capture);
    stream->capture = nullptr;
    if (stream->isCaptureInvalid) return CaptureInvalidated;
    return put(graph, handles<Graph>().add(captured));
}
EXPORT int cuGraphInstantiateWithFlags(void** executable, void* handle, unsigned long long) {
    CHECK(false);
    FIND(graph, handles<Graph>().find(handle));
    return put(executable, handles<Graph>().add(std::make_shared<Graph>(*graph)));
}
EXPORT int cuGraphInstantiate_v2(void** executable, void* graph, void**, char*, size_t) { return cuGraphInstantiateWithFlags(executable, graph, 0); }
EXPORT int cuGraphLaunch(void* handle, void* on) {
    CHECK(false);
    FIND(graph, handles<Graph>().find(handle));
    FIND(stream, streamOf(on));
    if (stream->capture) return CaptureUnsupported;
    for (const Work& work : graph->work) {
        if (int code = injected("launch", stream)) return code;
            current->enqueue(stream, work);
    }
    return 0;
}
EXPORT int cuGraphExecDestroy(void* executable) { return handles<Graph>().remove(executable) ? 0 : InvalidHandle; }
EXPORT int cuGraphDestroy(void* graph) { return handles<Graph>().remove(graph) ? 0 : InvalidHandle; }
EXPORT int cuGetErrorString(int error, const char** text) {
    static const std::unordered_map<int, const char*> texts = {
        {0, "no error"}, {1, "invalid argument"}, {2, "out of memory"}, {3, "initialization error"}, {101, "invalid device ordinal"},
        {201, "invalid device context"}, {214, "uncorrectable ECC error encountered"}, {218, "a PTX JIT compilation failed"},
        {400, "invalid resource handle"}, {500, "named symbol not found"}, {600, "device not ready"},
        {700, "an illegal memory access was encountered"}, {701, "too many resources requested for launch"},
        {702, "the launch timed out and was terminated"}, {715, "an illegal instruction was encountered"}, {716, "misaligned address"},
        {719, "unspecified launch failure"}, {900, "operation not permitted when stream is capturing"},
        {901, "operation failed due to a previous error during capture"}, {999, "unknown error"}};
    auto found = texts.find(error);
    *text = found == texts.end() ? "unrecognized error code" : found->second;
    return found == texts.end() ? InvalidValue : 0;
}

/// Beside the driver's own: adds failures to the current context, counted from now on, in the form of GSRNN_CUDA_SIMULATOR_FAIL.
EXPORT int simulatorFail(const char* plans) {
    if (!current) return InvalidContext;
    std::lock_guard<std::mutex> lock(current->guard);
    current->failures.add(plans);
    return 0;
}

/// Why the current context is broken, or why this thread's last module was refused.
EXPORT const char* simulatorMessage() {
    if (current && current->sticky != 0) lastMessage = current->message;
    return lastMessage.c_str();
}
