// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/launch.h"
#include "tests/kernels/cuda/card.h"

#include <cstring>
#include <numeric>

namespace bathyscope::kernels::cuda {
namespace {

/// addend[i] += amount for each thread i.
constexpr const char *addKernel = R"(
.version 7.0
.target sm_80
.address_size 64
.visible .entry add(.param .u64 values, .param .u32 amount)
{
    .reg .u64 %p<3>;
    .reg .u32 %r<4>;
    ld.param.u64 %p0, [values];
    ld.param.u32 %r0, [amount];
    mov.u32 %r1, %tid.x;
    mul.wide.u32 %p1, %r1, 4;
    add.u64 %p2, %p0, %p1;
    ld.global.u32 %r2, [%p2];
    add.u32 %r3, %r2, %r0;
    st.global.u32 [%p2], %r3;
    ret;
}
)";

using Runtime = Card;

TEST(Driver, SaysWhyThereIsNoCardOrDescribesEachOne)
{
    std::string why;
    const auto devices = listDevices(&why);
    EXPECT_EQ(devices.empty(), !why.empty()) << why;
    for (const DeviceInfo &info : devices) {
        EXPECT_FALSE(info.name.empty());
        EXPECT_GT(info.multiprocessors, 0);
        EXPECT_LE(info.freeMemory, info.totalMemory);
    }
}

TEST_F(Runtime, AFailedCallNamesCallReasonAndPlace)
{
    try {
        const DeviceBuffer tooMuch(std::size_t(1) << 50U);
        FAIL() << "a petabyte was given";
    } catch (const CudaError &error) {
        EXPECT_TRUE(error.outOfMemory());
        EXPECT_NE(std::strstr(error.what(), "cuMemAlloc"), nullptr) << error.what();
        EXPECT_NE(std::strstr(error.what(), "CUDA_ERROR_OUT_OF_MEMORY"), nullptr) << error.what();
        EXPECT_NE(std::strstr(error.what(), "runtime.cpp:"), nullptr) << error.what();
    }
}

TEST_F(Runtime, AKernelRunsDirectlyAndFromAGraph)
{
    const Module module({reinterpret_cast<const unsigned char *>(addKernel), std::strlen(addKernel) + 1});
    const Kernel add = module.kernel("add");
    const Stream stream;
    std::vector<std::uint32_t> values(64);
    std::iota(values.begin(), values.end(), 0U);
    const DeviceBuffer buffer(values.size() * sizeof(values[0]));
    buffer.upload(values.data(), buffer.size());

    const LaunchShape shape{.grid = {}, .block = {64}};
    launch(add, shape, stream, buffer.address(), std::uint32_t(5));
    const Graph graph =
        stream.capture([&] { launch(add, shape, stream, buffer.address(), std::uint32_t(100)); });
    graph.launch(stream.get());
    graph.launch(stream.get());
    stream.synchronize();
    buffer.download(values.data(), buffer.size());
    for (std::uint32_t i = 0; i < values.size(); ++i)
        EXPECT_EQ(values[i], i + 205);
}

TEST_F(Runtime, EventsMeasureAndPinnedMemoryIsReadByTheCard)
{
    const Stream stream;
    const Event start;
    const Event end;
    const PinnedBuffer pinned(4096);
    std::memset(pinned.as(), 0x5A, pinned.size());
    const DeviceBuffer buffer(pinned.size());
    start.record(stream.get());
    BATHYSCOPE_CUDA_CALL(cuMemcpyHtoDAsync(buffer.address(), pinned.as(), pinned.size(), stream.get()));
    end.record(stream.get());
    end.synchronize();
    EXPECT_GT(end.secondsSince(start), 0);
    std::vector<unsigned char> back(pinned.size());
    buffer.download(back.data(), back.size());
    EXPECT_EQ(back, std::vector<unsigned char>(pinned.size(), 0x5A));
}

} // namespace
} // namespace bathyscope::kernels::cuda
