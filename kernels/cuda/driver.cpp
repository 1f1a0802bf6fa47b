// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/driver.h"

#include "kernels/cuda/library.h"

#include <array>

namespace bathyscope::kernels::cuda {

namespace {

#ifdef _WIN32
constexpr std::array driverNames = {"nvcuda.dll"};
#else
constexpr std::array driverNames = {"libcuda.so.1", "libcuda.so"};
#endif

#define BATHYSCOPE_TEXT_OF(name) #name
#define BATHYSCOPE_EXPANDED_TEXT_OF(name) BATHYSCOPE_TEXT_OF(name)

Driver loadDriver()
{
    const Library library(driverNames);
    if (!library.loaded())
        throw CudaError("no NVIDIA driver was found (" + library.error() + ")", CUDA_ERROR_NOT_INITIALIZED);
    Driver driver;
    const auto resolve = [&](auto &function, const char *name) {
        function = library.function<std::remove_reference_t<decltype(function)>>(name);
        if (!function)
            throw CudaError(std::string("the NVIDIA driver is too old: it lacks ") + name,
                            CUDA_ERROR_NOT_FOUND);
    };
#define BATHYSCOPE_CUDA_RESOLVE(name) resolve(driver.name, BATHYSCOPE_EXPANDED_TEXT_OF(name));
    BATHYSCOPE_CUDA_FUNCTIONS(BATHYSCOPE_CUDA_RESOLVE)
#undef BATHYSCOPE_CUDA_RESOLVE
    if (const CUresult result = driver.cuInit(0); result != CUDA_SUCCESS) {
        const char *text = nullptr;
        driver.cuGetErrorString(result, &text);
        throw CudaError(std::string("the NVIDIA driver gives no card: ") + (text ? text : "unknown error"),
                        result);
    }
    return driver;
}

int attribute(CUdevice device, CUdevice_attribute which)
{
    int value = 0;
    BATHYSCOPE_CUDA_CALL(cuDeviceGetAttribute(&value, which, device));
    return value;
}

/// Bytes that other programs left free. Needs a context, which is let go again.
std::size_t freeMemoryOf(CUdevice device)
{
    CUcontext previous = nullptr;
    CUcontext context = nullptr;
    std::size_t free = 0;
    std::size_t total = 0;
    BATHYSCOPE_CUDA_CALL(cuCtxGetCurrent(&previous));
    BATHYSCOPE_CUDA_CALL(cuDevicePrimaryCtxRetain(&context, device));
    BATHYSCOPE_CUDA_CALL(cuCtxSetCurrent(context));
    BATHYSCOPE_CUDA_CALL(cuMemGetInfo(&free, &total));
    BATHYSCOPE_CUDA_CALL(cuCtxSetCurrent(previous));
    BATHYSCOPE_CUDA_CALL(cuDevicePrimaryCtxRelease(device));
    return free;
}

DeviceInfo describe(int ordinal)
{
    CUdevice device = 0;
    std::array<char, 256> name{};
    DeviceInfo info;
    info.ordinal = ordinal;
    BATHYSCOPE_CUDA_CALL(cuDeviceGet(&device, ordinal));
    BATHYSCOPE_CUDA_CALL(cuDeviceGetName(name.data(), static_cast<int>(name.size()), device));
    BATHYSCOPE_CUDA_CALL(cuDeviceTotalMem(&info.totalMemory, device));
    info.name = name.data();
    info.freeMemory = freeMemoryOf(device);
    info.major = attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    info.minor = attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    info.multiprocessors = attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    info.sharedMemoryPerBlock = attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    info.l2Bytes = attribute(device, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
    return info;
}

} // namespace

const Driver &driver()
{
    static const Driver loaded = loadDriver();
    return loaded;
}

void check(CUresult result, const char *call, std::source_location where)
{
    if (result == CUDA_SUCCESS)
        return;
    const char *name = nullptr;
    const char *text = nullptr;
    driver().cuGetErrorName(result, &name);
    driver().cuGetErrorString(result, &text);
    throw CudaError(std::string(call) + ": " + (name ? name : "unknown error") + " (" + (text ? text : "")
                        + "), " + where.file_name() + ":" + std::to_string(where.line()),
                    result);
}

std::vector<DeviceInfo> listDevices(std::string *why)
{
    std::vector<DeviceInfo> devices;
    try {
        int count = 0;
        BATHYSCOPE_CUDA_CALL(cuDeviceGetCount(&count));
        for (int i = 0; i < count; ++i)
            devices.push_back(describe(i));
        if (why && devices.empty())
            *why = "the NVIDIA driver sees no card";
    } catch (const CudaError &error) {
        devices.clear();
        if (why)
            *why = error.what();
    }
    return devices;
}

} // namespace bathyscope::kernels::cuda
