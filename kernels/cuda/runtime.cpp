// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/runtime.h"

namespace bathyscope::kernels::cuda {

Device::Device(int ordinal)
    : m_ordinal(ordinal)
{
    BATHYSCOPE_CUDA_CALL(cuDeviceGet(&m_device, ordinal));
    BATHYSCOPE_CUDA_CALL(cuDevicePrimaryCtxRetain(&m_context, m_device));
}

Device::~Device()
{
    driver().cuDevicePrimaryCtxRelease(m_device);
}

void Device::makeCurrent() const
{
    BATHYSCOPE_CUDA_CALL(cuCtxSetCurrent(m_context));
}

std::size_t Device::freeMemory() const
{
    makeCurrent();
    std::size_t free = 0;
    std::size_t total = 0;
    BATHYSCOPE_CUDA_CALL(cuMemGetInfo(&free, &total));
    return free;
}

DeviceBuffer::DeviceBuffer(std::size_t bytes)
    : m_size(bytes)
{
    CUdeviceptr memory = 0;
    if (bytes > 0)
        BATHYSCOPE_CUDA_CALL(cuMemAlloc(&memory, bytes));
    m_memory = Owned<CUdeviceptr, release::memory>(memory);
}

void DeviceBuffer::upload(const void *from, std::size_t bytes, std::size_t offset) const
{
    BATHYSCOPE_CUDA_CALL(cuMemcpyHtoD(address() + offset, from, bytes));
    // A small copy may still be on its way when the call returns, and our streams wait for no other one.
    BATHYSCOPE_CUDA_CALL(cuStreamSynchronize(nullptr));
}

void DeviceBuffer::download(void *to, std::size_t bytes, std::size_t offset) const
{
    BATHYSCOPE_CUDA_CALL(cuMemcpyDtoH(to, address() + offset, bytes));
}

void DeviceBuffer::fill(std::uint8_t value) const
{
    BATHYSCOPE_CUDA_CALL(cuMemsetD8Async(address(), value, m_size, nullptr));
    BATHYSCOPE_CUDA_CALL(cuStreamSynchronize(nullptr));
}

PinnedBuffer::PinnedBuffer(std::size_t bytes)
    : m_size(bytes)
{
    void *memory = nullptr;
    BATHYSCOPE_CUDA_CALL(
        cuMemHostAlloc(&memory, bytes, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP));
    m_memory = Owned<void *, release::hostMemory>(memory);
}

Event::Event()
{
    CUevent event = nullptr;
    BATHYSCOPE_CUDA_CALL(cuEventCreate(&event, CU_EVENT_DEFAULT));
    m_event = Owned<CUevent, release::event>(event);
}

void Event::record(CUstream stream) const
{
    BATHYSCOPE_CUDA_CALL(cuEventRecord(m_event.get(), stream));
}

void Event::synchronize() const
{
    BATHYSCOPE_CUDA_CALL(cuEventSynchronize(m_event.get()));
}

double Event::secondsSince(const Event &start) const
{
    float milliseconds = 0;
    BATHYSCOPE_CUDA_CALL(cuEventElapsedTime(&milliseconds, start.get(), m_event.get()));
    return double(milliseconds) * 1e-3;
}

void Graph::launch(CUstream stream) const
{
    BATHYSCOPE_CUDA_CALL(cuGraphLaunch(m_executable.get(), stream));
}

Stream::Stream()
{
    CUstream stream = nullptr;
    BATHYSCOPE_CUDA_CALL(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    m_stream = Owned<CUstream, release::stream>(stream);
}

void Stream::synchronize() const
{
    BATHYSCOPE_CUDA_CALL(cuStreamSynchronize(m_stream.get()));
}

void Stream::wait(const Event &event) const
{
    BATHYSCOPE_CUDA_CALL(cuStreamWaitEvent(m_stream.get(), event.get(), 0));
}

void Stream::beginCapture() const
{
    BATHYSCOPE_CUDA_CALL(cuStreamBeginCapture(m_stream.get(), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
}

Graph Stream::endCapture() const
{
    CUgraph graph = nullptr;
    CUgraphExec executable = nullptr;
    BATHYSCOPE_CUDA_CALL(cuStreamEndCapture(m_stream.get(), &graph));
    Owned<CUgraph, release::graph> owner(graph);
    BATHYSCOPE_CUDA_CALL(cuGraphInstantiate(&executable, graph, 0));
    Graph captured(graph, executable);
    owner = {};
    return captured;
}

namespace {
CUdeviceptr addressOf(const void *pointer)
{
    return reinterpret_cast<CUdeviceptr>(pointer);
}
} // namespace

void copyToHost(void *to, const void *from, std::size_t bytes, const Stream &stream)
{
    BATHYSCOPE_CUDA_CALL(cuMemcpyDtoHAsync(to, addressOf(from), bytes, stream.get()));
}

void copyToDevice(void *to, const void *from, std::size_t bytes, const Stream &stream)
{
    BATHYSCOPE_CUDA_CALL(cuMemcpyHtoDAsync(addressOf(to), from, bytes, stream.get()));
}

void copyOnDevice(void *to, const void *from, std::size_t bytes, const Stream &stream)
{
    BATHYSCOPE_CUDA_CALL(cuMemcpyDtoDAsync(addressOf(to), addressOf(from), bytes, stream.get()));
}

void copyToPeer(const Device &toDevice, void *to, const Device &fromDevice, const void *from,
                std::size_t bytes, const Stream &stream)
{
    BATHYSCOPE_CUDA_CALL(cuMemcpyPeerAsync(addressOf(to), toDevice.context(), addressOf(from),
                                           fromDevice.context(), bytes, stream.get()));
}

void Kernel::allowSharedMemory(int bytes) const
{
    BATHYSCOPE_CUDA_CALL(
        cuFuncSetAttribute(m_function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes));
}

void Kernel::preferSharedMemory() const
{
    BATHYSCOPE_CUDA_CALL(cuFuncSetAttribute(m_function, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT,
                                            CU_SHAREDMEM_CARVEOUT_MAX_SHARED));
}

int Kernel::blocksPerMultiprocessor(int threads, std::size_t sharedBytes) const
{
    int blocks = 0;
    BATHYSCOPE_CUDA_CALL(
        cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, m_function, threads, sharedBytes));
    return blocks;
}

Module::Module(std::span<const unsigned char> image)
{
    CUmodule module = nullptr;
    BATHYSCOPE_CUDA_CALL(cuModuleLoadData(&module, image.data()));
    m_module = Owned<CUmodule, release::module>(module);
}

Kernel Module::kernel(const char *name) const
{
    CUfunction function = nullptr;
    BATHYSCOPE_CUDA_CALL(cuModuleGetFunction(&function, m_module.get(), name));
    return Kernel(function);
}

} // namespace bathyscope::kernels::cuda
