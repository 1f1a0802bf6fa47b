// SPDX-License-Identifier: GPL-3.0-or-later
//
// Owners of what the driver hands out. Each object belongs to the device that was current when it was made;
// everything throws CudaError.
#pragma once

#include "kernels/cuda/driver.h"

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace bathyscope::kernels::cuda {

/// A handle with one owner.
template <typename Handle, void (*release)(Handle)>
class Owned {
public:
    Owned() = default;
    explicit Owned(Handle handle)
        : m_handle(handle)
    {
    }
    Owned(Owned &&other) noexcept
        : m_handle(std::exchange(other.m_handle, Handle()))
    {
    }
    Owned &operator=(Owned &&other) noexcept
    {
        std::swap(m_handle, other.m_handle);
        return *this;
    }
    Owned(const Owned &) = delete;
    Owned &operator=(const Owned &) = delete;
    ~Owned()
    {
        if (m_handle)
            release(m_handle);
    }
    [[nodiscard]] Handle get() const { return m_handle; }

private:
    Handle m_handle = {};
};

namespace release {
// Failing to give back is nothing a destructor could mend.
inline void memory(CUdeviceptr p)
{
    driver().cuMemFree(p);
}
inline void hostMemory(void *p)
{
    driver().cuMemFreeHost(p);
}
inline void stream(CUstream s)
{
    driver().cuStreamDestroy(s);
}
inline void event(CUevent e)
{
    driver().cuEventDestroy(e);
}
inline void graph(CUgraph g)
{
    driver().cuGraphDestroy(g);
}
inline void graphExec(CUgraphExec g)
{
    driver().cuGraphExecDestroy(g);
}
inline void module(CUmodule m)
{
    driver().cuModuleUnload(m);
}
} // namespace release

/// The primary context of one card.
class Device {
public:
    explicit Device(int ordinal);
    ~Device();
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    /// Makes this card the calling thread's.
    void makeCurrent() const;

    [[nodiscard]] int ordinal() const { return m_ordinal; }
    [[nodiscard]] CUcontext context() const { return m_context; }
    [[nodiscard]] std::size_t freeMemory() const; ///< bytes; makes the card current

private:
    int m_ordinal;
    CUdevice m_device = 0;
    CUcontext m_context = nullptr;
};

/// Device memory, aligned to at least 256 bytes, not initialised.
class DeviceBuffer {
public:
    DeviceBuffer() = default;
    explicit DeviceBuffer(std::size_t bytes);

    [[nodiscard]] std::size_t size() const { return m_size; } ///< bytes
    [[nodiscard]] CUdeviceptr address() const { return m_memory.get(); }
    /// For kernel parameters only; the host cannot read it.
    template <typename T = void>
    [[nodiscard]] T *as() const
    {
        return reinterpret_cast<T *>(m_memory.get());
    }
    void upload(const void *from, std::size_t bytes, std::size_t offset = 0) const; ///< synchronous
    void download(void *to, std::size_t bytes, std::size_t offset = 0) const; ///< synchronous
    void fill(std::uint8_t value) const; ///< synchronous

private:
    Owned<CUdeviceptr, release::memory> m_memory;
    std::size_t m_size = 0;
};

/// Host memory that the card reads and writes by itself, at the same address.
class PinnedBuffer {
public:
    PinnedBuffer() = default;
    explicit PinnedBuffer(std::size_t bytes);

    [[nodiscard]] std::size_t size() const { return m_size; } ///< bytes
    template <typename T = void>
    [[nodiscard]] T *as() const
    {
        return static_cast<T *>(m_memory.get());
    }

private:
    Owned<void *, release::hostMemory> m_memory;
    std::size_t m_size = 0;
};

class Event {
public:
    Event();
    void record(CUstream stream) const;
    void synchronize() const;
    [[nodiscard]] double secondsSince(const Event &start) const;
    [[nodiscard]] CUevent get() const { return m_event.get(); }

private:
    Owned<CUevent, release::event> m_event;
};

/// A captured sequence of launches.
class Graph {
public:
    Graph() = default;
    Graph(CUgraph graph, CUgraphExec executable)
        : m_graph(graph)
        , m_executable(executable)
    {
    }
    [[nodiscard]] explicit operator bool() const { return m_executable.get() != nullptr; }
    void launch(CUstream stream) const;

private:
    Owned<CUgraph, release::graph> m_graph;
    Owned<CUgraphExec, release::graphExec> m_executable;
};

class Stream {
public:
    Stream();
    void synchronize() const;
    void wait(const Event &event) const;
    [[nodiscard]] CUstream get() const { return m_stream.get(); }

    /// Records what `work` launches on this stream instead of running it.
    template <typename Work>
    [[nodiscard]] Graph capture(const Work &work) const
    {
        beginCapture();
        work();
        return endCapture();
    }

private:
    void beginCapture() const;
    [[nodiscard]] Graph endCapture() const;
    Owned<CUstream, release::stream> m_stream;
};

/// Enqueues copies; host memory is pinned, so that the stream does not wait for it.
void copyToHost(void *to, const void *from, std::size_t bytes, const Stream &stream);
void copyToDevice(void *to, const void *from, std::size_t bytes, const Stream &stream);
void copyOnDevice(void *to, const void *from, std::size_t bytes, const Stream &stream);
void copyToPeer(const Device &toDevice, void *to, const Device &fromDevice, const void *from,
                std::size_t bytes, const Stream &stream);

/// A kernel of a loaded module.
class Kernel {
public:
    Kernel() = default;
    explicit Kernel(CUfunction function)
        : m_function(function)
    {
    }
    [[nodiscard]] CUfunction get() const { return m_function; }
    /// Lets blocks have `bytes` of dynamic shared memory.
    void allowSharedMemory(int bytes) const;
    /// Gives shared memory all that it can have of the L1 cache. Kernels that ask for different shares do not
    /// run beside each other.
    void preferSharedMemory() const;
    [[nodiscard]] int blocksPerMultiprocessor(int threads, std::size_t sharedBytes) const;

private:
    CUfunction m_function = nullptr;
};

/// Embedded device code, loaded on the current device.
class Module {
public:
    /// `name` is the .cu file's without ending; an Image of kernels/cuda/images.h.
    explicit Module(std::span<const unsigned char> image);
    [[nodiscard]] Kernel kernel(const char *name) const;

private:
    Owned<CUmodule, release::module> m_module;
};

} // namespace bathyscope::kernels::cuda
