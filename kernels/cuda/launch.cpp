// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/launch.h"

namespace bathyscope::kernels::cuda {

void launchKernel(const Kernel &kernel, const LaunchShape &shape, CUstream stream, void **parameters)
{
    std::array<CUlaunchAttribute, 3> attributes{};
    unsigned count = 0;
    if (shape.cluster > 1) {
        attributes[count].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
        attributes[count].value.clusterDim.x = shape.cluster;
        attributes[count].value.clusterDim.y = 1;
        attributes[count++].value.clusterDim.z = 1;
    }
    if (shape.cooperative) {
        attributes[count].id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
        attributes[count++].value.cooperative = 1;
    }
    if (shape.programmatic) {
        attributes[count].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
        attributes[count++].value.programmaticStreamSerializationAllowed = 1;
    }
    CUlaunchConfig config{};
    config.gridDimX = shape.grid.x;
    config.gridDimY = shape.grid.y;
    config.gridDimZ = shape.grid.z;
    config.blockDimX = shape.block.x;
    config.blockDimY = shape.block.y;
    config.blockDimZ = shape.block.z;
    config.sharedMemBytes = shape.sharedBytes;
    config.hStream = stream;
    config.attrs = attributes.data();
    config.numAttrs = count;
    BATHYSCOPE_CUDA_CALL(cuLaunchKernelEx(&config, kernel.get(), parameters, nullptr));
}

} // namespace bathyscope::kernels::cuda
