// SPDX-License-Identifier: GPL-3.0-or-later
//
// The CUDA driver, found at run time: one binary starts on any machine and says why it has no GPU.
#pragma once

#include <cuda.h>

#include <cstddef>
#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

namespace bathyscope::kernels::cuda {

/// A driver call that failed. The text has the call, the driver's reason, file and line.
class CudaError : public std::runtime_error {
public:
    CudaError(const std::string &text, CUresult result)
        : std::runtime_error(text)
        , m_result(result)
    {
    }
    [[nodiscard]] bool outOfMemory() const { return m_result == CUDA_ERROR_OUT_OF_MEMORY; }

private:
    CUresult m_result;
};

// The functions in use. cuda.h's macros give each name its current version (cuMemAlloc is cuMemAlloc_v2).
// clang-format off
#define BATHYSCOPE_CUDA_FUNCTIONS(X) \
    X(cuInit) X(cuDriverGetVersion) X(cuGetErrorName) X(cuGetErrorString) X(cuDeviceGetCount) \
    X(cuDeviceGet) X(cuDeviceGetName) X(cuDeviceGetAttribute) X(cuDeviceTotalMem) \
    X(cuDeviceCanAccessPeer) X(cuDevicePrimaryCtxRetain) X(cuDevicePrimaryCtxRelease) X(cuCtxSetCurrent) \
    X(cuCtxGetCurrent) X(cuCtxSynchronize) X(cuMemGetInfo) X(cuMemAlloc) X(cuMemFree) X(cuMemHostAlloc) \
    X(cuMemFreeHost) X(cuMemcpyHtoD) X(cuMemcpyDtoH) X(cuMemcpyHtoDAsync) X(cuMemcpyDtoHAsync) \
    X(cuMemcpyDtoDAsync) X(cuMemcpyPeerAsync) X(cuMemcpy2D) X(cuMemsetD8Async) X(cuStreamCreate) \
    X(cuStreamDestroy) X(cuStreamSynchronize) X(cuStreamWaitEvent) X(cuStreamBeginCapture) \
    X(cuStreamEndCapture) X(cuLaunchHostFunc) X(cuEventCreate) X(cuEventDestroy) X(cuEventRecord) \
    X(cuEventSynchronize) X(cuEventElapsedTime) X(cuGraphInstantiate) X(cuGraphLaunch) X(cuGraphDestroy) \
    X(cuGraphExecDestroy) X(cuModuleLoadData) X(cuModuleUnload) X(cuModuleGetFunction) \
    X(cuFuncSetAttribute) X(cuFuncGetAttribute) X(cuLaunchKernelEx) \
    X(cuOccupancyMaxActiveBlocksPerMultiprocessor) X(cuTensorMapEncodeTiled)
// clang-format on

/// The resolved functions; each member is named as in the driver's documentation.
struct Driver {
#define BATHYSCOPE_CUDA_MEMBER(name) decltype(&::name) name = nullptr;
    BATHYSCOPE_CUDA_FUNCTIONS(BATHYSCOPE_CUDA_MEMBER)
#undef BATHYSCOPE_CUDA_MEMBER
};

/// The driver of this machine, loaded and initialised at the first call. Throws CudaError saying what is
/// missing: the library, a function of it (a driver that is too old), or a card.
const Driver &driver();

/// Throws CudaError when `result` is not success.
void check(CUresult result, const char *call, std::source_location where = std::source_location::current());

/// BATHYSCOPE_CUDA_CALL(cuMemFree(pointer)): calls the driver and checks.
#define BATHYSCOPE_CUDA_CALL(call)                                                                           \
    ::bathyscope::kernels::cuda::check(::bathyscope::kernels::cuda::driver().call, #call)

/// What a card is.
struct DeviceInfo {
    int ordinal = 0;
    std::string name; ///< "NVIDIA H200"
    std::size_t totalMemory = 0; ///< bytes
    std::size_t freeMemory = 0; ///< bytes, when it was asked
    int major = 0; ///< compute capability
    int minor = 0;
    int multiprocessors = 0;
    int sharedMemoryPerBlock = 0; ///< bytes a kernel can opt in to
    int l2Bytes = 0;
};

/// All cards, by ordinal. Empty with the reason in `why` where there is no driver or no card; never throws
/// for that.
std::vector<DeviceInfo> listDevices(std::string *why);

} // namespace bathyscope::kernels::cuda
