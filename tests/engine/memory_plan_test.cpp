// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/memory_plan.h"

#include "engine/checkpoint/checkpoint.h"
#include "engine/checkpoint/random_weights.h"
#include "tests/engine/reference_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace bathyscope {
namespace {

constexpr std::int64_t giga = 1'000'000'000;
constexpr std::int64_t gibi = std::int64_t(1) << 30U;

/// Tensors of every shape that is asked for. Only vectors have data: a plan reads types and sizes.
class ShapeSource final : public TensorSource {
public:
    explicit ShapeSource(kernels::DType projections)
        : m_projections(projections)
    {
    }

    [[nodiscard]] const Tensor *find(const std::string &) const override { return nullptr; }
    [[nodiscard]] const Tensor *find(const std::string &name,
                                     const std::vector<std::int64_t> &shape) const override
    {
        Tensor &tensor = m_tensors[name];
        tensor.shape = shape;
        tensor.dtype = name.ends_with("_scale_inv")   ? kernels::DType::F32
            : name.find("_proj") != std::string::npos ? m_projections
                                                      : kernels::DType::BF16;
        tensor.data = &tensor; // of its own, so that the head is not taken for the embedding
        if (shape.size() == 1)
            tensor.data = m_zeros.data();
        return &tensor;
    }
    [[nodiscard]] std::string name() const override { return "shapes"; }

private:
    kernels::DType m_projections;
    mutable std::map<std::string, Tensor> m_tensors;
    std::vector<std::uint16_t> m_zeros = std::vector<std::uint16_t>(1 << 18U);
};

ModelMemory shapeMemory(const std::string &shape, kernels::DType projections)
{
    const ModelConfig config = shapeConfig(shape);
    return measureMemory(config, bindWeights(config, ShapeSource(projections)));
}

const ModelMemory &v3()
{
    static const ModelMemory memory = shapeMemory("deepseek-v3:61", kernels::DType::F8E4M3);
    return memory;
}

const ModelMemory &v2Lite(kernels::DType dtype)
{
    static const ModelMemory fp8 = shapeMemory("deepseek-v2-lite", kernels::DType::F8E4M3);
    static const ModelMemory bf16 = shapeMemory("deepseek-v2-lite", kernels::DType::BF16);
    return dtype == kernels::DType::BF16 ? bf16 : fp8;
}

/// A host with 64 GB free, and GPUs with so many bytes free.
DeviceList machine(const std::vector<std::int64_t> &gpus)
{
    DeviceList list{{{"cpu", "CPU", {64 * gibi, 64 * giga}}}, {}};
    for (const std::int64_t bytes : gpus) {
        const std::string id = "cuda:" + std::to_string(list.devices.size() - 1);
        list.devices.push_back({id, "GPU " + id, {bytes + gibi, bytes}});
    }
    if (gpus.empty())
        list.noGpu = "No NVIDIA driver was found.";
    return list;
}

/// What every plan that fits must keep: all layers once and in order, no device overfull.
void expectSound(const MemoryPlan &plan, const ModelMemory &model)
{
    ASSERT_TRUE(plan.fits()) << plan.refusal;
    ASSERT_FALSE(plan.shares.empty());
    std::int32_t next = 0;
    for (const DeviceShare &share : plan.shares) {
        EXPECT_EQ(share.firstLayer, next);
        EXPECT_GT(share.layers, 0);
        next += share.layers;
        if (share.device.id != "cpu") {
            EXPECT_LE(share.needed(), share.device.memory.available) << share.device.id;
        }
    }
    EXPECT_EQ(next, static_cast<std::int32_t>(model.layers.size()));
    EXPECT_LE(plan.contextLength, model.contextLength);
}

std::int64_t sumOf(const MemoryPlan &plan, std::int64_t DeviceShare::*part)
{
    std::int64_t sum = 0;
    for (const DeviceShare &share : plan.shares)
        sum += share.*part;
    return sum;
}

/// Published sizes: V2-Lite's BF16 files hold 31.4 GB, V3's FP8 files 688.6 GB with the layer for drafts,
/// which is not bound here (its own weights are 11.5 B and its copies of embedding and head in BF16).
TEST(ModelMemory, CountsWhatTheFilesHold)
{
    EXPECT_NEAR(double(v2Lite(kernels::DType::BF16).weightBytes(false)), 31.4e9, 0.05e9);
    EXPECT_NEAR(double(v3().weightBytes(false)), 673.2e9, 2e9);
    EXPECT_EQ(v3().weightBytes(true), v3().weightBytes(false)) << "FP8 stays as it is";
    // All but embedding, head and routers becomes FP8, with a scale for 16,384 values.
    EXPECT_NEAR(double(v2Lite(kernels::DType::BF16).weightBytes(true)),
                double(v2Lite(kernels::DType::F8E4M3).weightBytes(false)), 1e6);
}

TEST(ModelMemory, CountsACheckpoint)
{
    const ModelConfig config = loadModelConfig(testData + "/deepseek-v3-tiny-fp8/config.json");
    const Checkpoint checkpoint(testData + "/deepseek-v3-tiny-fp8");
    const ModelMemory memory = measureMemory(config, bindWeights(config, checkpoint));
    EXPECT_TRUE(memory.draft);
    EXPECT_EQ(memory.layers.size(), static_cast<std::size_t>(config.numHiddenLayers));
    EXPECT_EQ(memory.layers[0].experts, 0);
    EXPECT_EQ(memory.layers[1].experts, config.moe->nRoutedExperts);
    const auto files = std::filesystem::file_size(testData + "/deepseek-v3-tiny-fp8/model.safetensors");
    EXPECT_LT(memory.weightBytes(false), static_cast<std::int64_t>(files));
    EXPECT_GT(memory.weightBytes(false), static_cast<std::int64_t>(files) * 8 / 10);
}

TEST(ModelMemory, ATiedHeadIsStoredOnce)
{
    const ModelMemory tied = [] {
        ModelMemory memory = v2Lite(kernels::DType::BF16);
        memory.tiedHead = true;
        return memory;
    }();
    const auto one = planMemory(tied, machine({80 * giga}), {.device = "cuda", .contextLength = 1024});
    EXPECT_EQ(sumOf(one, &DeviceShare::weights), tied.weightBytes(false));
    const auto two =
        planMemory(tied, machine({20 * giga, 20 * giga}), {.device = "cuda", .contextLength = 1024});
    EXPECT_EQ(two.shares.size(), 2U);
    EXPECT_EQ(sumOf(two, &DeviceShare::weights), tied.weightBytes(false) + tied.head.stored)
        << "the last device needs a copy";
}

TEST(MemoryPlan, OneDeviceTakesAllWhereItFits)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    const MemoryPlan plan = planMemory(model, machine({80 * giga, 140 * giga}), {.device = "auto"});
    expectSound(plan, model);
    ASSERT_EQ(plan.shares.size(), 1U);
    EXPECT_EQ(plan.shares[0].device.id, "cuda:1") << "the one with most memory";
    EXPECT_EQ(plan.shares[0].weights, model.weightBytes(false));
    EXPECT_EQ(plan.contextLength, 163840);
    // 27 layers of 512 + 64 values in bf16: the model's paper gives the layout.
    EXPECT_EQ(plan.shares[0].cache, std::int64_t(27) * 576 * 2 * 163840);
    EXPECT_TRUE(plan.note.empty()) << plan.note;
}

TEST(MemoryPlan, LayersAreSplitByMemory)
{
    const MemoryPlan equal = planMemory(v3(), machine(std::vector<std::int64_t>(8, 139 * giga)),
                                        {.device = "cuda", .contextLength = 65536});
    expectSound(equal, v3());
    // A layer with experts has 11.5 GB: 11 to a card, and 6 cards for 61 of them.
    EXPECT_EQ(equal.shares.size(), 6U) << "as few as it takes";
    const MemoryPlan unequal = planMemory(v3(), machine({300 * giga, 150 * giga, 300 * giga}),
                                          {.device = "cuda", .contextLength = 32768});
    expectSound(unequal, v3());
    ASSERT_EQ(unequal.shares.size(), 3U);
    EXPECT_NEAR(unequal.shares[0].layers, 2 * unequal.shares[1].layers, 4);
    for (const DeviceShare &share : unequal.shares)
        EXPECT_NEAR(double(share.needed()) / double(share.device.memory.available), 0.92, 0.08)
            << "equally full";
}

TEST(MemoryPlan, TheContextThatNobodyChoseIsAsLongAsFits)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    const MemoryPlan plan = planMemory(model, machine({20 * giga}), {.device = "cuda:0"});
    expectSound(plan, model);
    EXPECT_LT(plan.contextLength, 163840);
    EXPECT_GE(plan.contextLength, leastChosenContext);
    EXPECT_EQ(plan.contextLength % 1024, 0);
    EXPECT_NE(plan.note.find("163840"), std::string::npos) << plan.note;
    const MemoryPlan longer = planMemory(model, machine({20 * giga}),
                                         {.device = "cuda:0", .contextLength = plan.contextLength + 1024});
    EXPECT_FALSE(longer.fits()) << "one step more has no room";
}

TEST(MemoryPlan, ARefusalSaysWhatWouldFit)
{
    const ModelMemory &model = v2Lite(kernels::DType::BF16);
    const DeviceList devices = machine({23 * giga});
    const MemoryPlan plan = planMemory(model, devices, {.device = "cuda:0", .contextLength = 16384});
    ASSERT_FALSE(plan.fits());
    EXPECT_GT(plan.shares.at(0).needed(), 23 * giga);
    EXPECT_NE(plan.refusal.find("weights 31.4 GB"), std::string::npos) << plan.refusal;
    EXPECT_NE(plan.refusal.find("23.0 GB are free"), std::string::npos) << plan.refusal;
    ASSERT_EQ(plan.advice.size(), 2U);
    EXPECT_NE(plan.advice[0].text.find("FP8"), std::string::npos) << plan.advice[0].text;
    for (const MemoryAdvice &advice : plan.advice)
        expectSound(planMemory(model, devices, advice.options), model);
}

TEST(MemoryPlan, AShorterContextIsAdvisedWhereItIsEnough)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    const DeviceList devices = machine({20 * giga});
    const MemoryPlan plan = planMemory(model, devices, {.device = "cuda:0", .contextLength = 163840});
    ASSERT_FALSE(plan.fits());
    ASSERT_FALSE(plan.advice.empty());
    EXPECT_NE(plan.advice[0].text.find("a context of"), std::string::npos);
    EXPECT_EQ(plan.advice[0].options.contextLength,
              planMemory(model, devices, {.device = "cuda:0"}).contextLength);
}

TEST(MemoryPlan, MoreGpusAreAdvisedWhereOneWasChosen)
{
    const ModelMemory &model = v2Lite(kernels::DType::BF16);
    const MemoryPlan plan =
        planMemory(model, machine({23 * giga, 23 * giga}), {.device = "cuda:1", .contextLength = 4096});
    ASSERT_FALSE(plan.fits());
    EXPECT_TRUE(std::ranges::any_of(plan.advice, [](const MemoryAdvice &advice) {
        return advice.options.device == "cuda" && advice.text == "2 GPUs";
    }));
}

TEST(MemoryPlan, ExpertsStayOnTheHostWhenAllowed)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    for (const std::int64_t gigabytes : {8, 12, 16}) {
        const MemoryPlan plan = planMemory(model, machine({gigabytes * giga}),
                                           {.device = "cuda:0", .contextLength = 8192, .hostExperts = true});
        expectSound(plan, model);
        ASSERT_TRUE(plan.hostExpertsFrom);
        EXPECT_LT(*plan.hostExpertsFrom, 27);
        EXPECT_GE(*plan.hostExpertsFrom, 1) << "the first layer has no experts";
        EXPECT_EQ(plan.hostBytes + sumOf(plan, &DeviceShare::weights), model.weightBytes(false));
        EXPECT_EQ(plan.hostBytes, (27 - *plan.hostExpertsFrom) * 64 * model.layers[1].expert.stored);
        // The experts of one more layer, 554 MB, have no room on the card.
        EXPECT_GT(plan.shares[0].needed() + 64 * model.layers[1].expert.stored, gigabytes * giga);
    }
    const MemoryPlan whole = planMemory(model, machine({24 * giga}),
                                        {.device = "cuda:0", .contextLength = 8192, .hostExperts = true});
    EXPECT_FALSE(whole.hostExpertsFrom) << "only what does not fit";
}

TEST(MemoryPlan, TheHostMustHoldItsExperts)
{
    const MemoryPlan plan =
        planMemory(v3(), machine({139 * giga}), {.device = "cuda:0", .hostExperts = true});
    EXPECT_FALSE(plan.fits()) << "64 GB of memory do not hold 550 GB";
    EXPECT_TRUE(plan.advice.empty());
    DeviceList large = machine({139 * giga});
    large.devices[0].memory.available = 800 * giga;
    expectSound(planMemory(v3(), large, {.device = "cuda:0", .hostExperts = true}), v3());
}

TEST(MemoryPlan, QuantisedWeightsTakeHalf)
{
    const ModelMemory &model = v2Lite(kernels::DType::BF16);
    const MemoryPlan plan = planMemory(model, machine({23 * giga}),
                                       {.device = "cuda:0", .contextLength = 4096, .quantise = true});
    expectSound(plan, model);
    EXPECT_TRUE(plan.quantised);
    const MemoryPlan stored = planMemory(v2Lite(kernels::DType::F8E4M3), machine({23 * giga}),
                                         {.device = "cuda:0", .contextLength = 4096, .quantise = true});
    EXPECT_FALSE(stored.quantised) << "there is nothing to quantise";
}

TEST(MemoryPlan, AutomaticFallsBackToTheCpuAndSaysWhy)
{
    const ModelMemory &model = v2Lite(kernels::DType::BF16);
    const MemoryPlan noGpu = planMemory(model, machine({}), {});
    expectSound(noGpu, model);
    EXPECT_EQ(noGpu.shares[0].device.id, "cpu");
    EXPECT_EQ(noGpu.note, "No NVIDIA driver was found.");
    const MemoryPlan tooSmall = planMemory(model, machine({23 * giga}), {});
    expectSound(tooSmall, model);
    EXPECT_EQ(tooSmall.shares[0].device.id, "cpu");
    EXPECT_NE(tooSmall.note.find("23.0 GB are free"), std::string::npos) << tooSmall.note;
    EXPECT_FALSE(tooSmall.advice.empty()) << "what the GPU could do";
}

TEST(MemoryPlan, WhatNoGpuCanRunGoesToTheCpu)
{
    ModelConfig config = loadModelConfig(testData + "/llama-tiny/config.json");
    const Checkpoint checkpoint(testData + "/llama-tiny");
    const ModelWeights weights = bindWeights(config, checkpoint);
    EXPECT_EQ(measureMemory(config, weights).gpuObstacle, "");
    std::get<GqaConfig>(config.attention).headDim = 160;
    const ModelMemory model = measureMemory(config, weights);
    const MemoryPlan plan = planMemory(model, machine({80 * giga}), {});
    EXPECT_EQ(plan.shares.at(0).device.id, "cpu");
    EXPECT_NE(plan.note.find("No GPU: the GPU's kernels do not have this shape: head_dim 160"),
              std::string::npos)
        << plan.note;
    EXPECT_THROW(planMemory(model, machine({80 * giga}), {.device = "cuda:0"}), Error);
}

TEST(MemoryPlan, TheCpuRefusesNothingButWarns)
{
    DeviceList devices = machine({});
    devices.devices[0].memory.available = 16 * giga;
    const MemoryPlan plan = planMemory(v2Lite(kernels::DType::BF16), devices, {.device = "cpu"});
    EXPECT_TRUE(plan.fits());
    EXPECT_NE(plan.note.find("31.4 GB"), std::string::npos) << plan.note;
    EXPECT_EQ(plan.shares[0].cache, std::int64_t(27) * 576 * 4 * 163840);
    devices.devices[0].memory.available = 0; // unknown
    EXPECT_TRUE(planMemory(v2Lite(kernels::DType::BF16), devices, {.device = "cpu"}).note.empty());
}

TEST(MemoryPlan, TheBuiltinModelFitsAnything)
{
    const ModelConfig config = loadModelConfig(builtinModel + "/config.json");
    const Checkpoint checkpoint(builtinModel);
    const ModelMemory model = measureMemory(config, bindWeights(config, checkpoint));
    for (const char *device : {"auto", "cpu", "cuda", "cuda:0"}) {
        const MemoryPlan plan = planMemory(model, machine({2 * giga}), {.device = device});
        expectSound(plan, model);
        EXPECT_EQ(plan.contextLength, config.maxPositionEmbeddings);
    }
}

TEST(MemoryPlan, AnUnknownDeviceIsNamedWithThoseThereAre)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    for (const char *device : {"cuda:7", "gpu", "", "cuda:"}) {
        try {
            planMemory(model, machine({8 * giga}), {.device = device});
            FAIL() << device << " was accepted";
        } catch (const Error &error) {
            EXPECT_NE(std::string(error.what()).find("\"cuda:0\""), std::string::npos) << error.what();
        }
    }
    try {
        planMemory(model, machine({}), {.device = "cuda"});
        FAIL() << "there is no GPU";
    } catch (const Error &error) {
        EXPECT_NE(std::string(error.what()).find("No NVIDIA driver"), std::string::npos) << error.what();
    }
}

TEST(MemoryPlan, ADeviceThatWentAwayIsReplacedOnRequest)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    const MemoryPlan plan = planMemory(model, machine({}), {.device = "cuda:1", .fallBack = true});
    EXPECT_EQ(plan.shares.at(0).device.id, "cpu");
    EXPECT_NE(plan.note.find("cuda:1 is not there. No NVIDIA driver"), std::string::npos) << plan.note;
    const MemoryPlan other = planMemory(model, machine({24 * giga}), {.device = "cuda:1", .fallBack = true});
    EXPECT_EQ(other.shares.at(0).device.id, "cuda:0");
    EXPECT_NE(other.note.find("cuda:1"), std::string::npos) << other.note;
}

TEST(MemoryPlan, AModelThatMakesWayGivesItsMemory)
{
    const ModelMemory &model = v2Lite(kernels::DType::F8E4M3);
    DeviceList devices = machine({24 * giga});
    const MemoryPlan loaded = planMemory(model, devices, {.device = "cuda:0", .contextLength = 8192});
    devices.devices[1].memory.available -= loaded.shares[0].needed();
    EXPECT_FALSE(planMemory(model, devices, {.device = "cuda:0", .contextLength = 8192}).fits());
    expectSound(planMemory(model, withoutModel(devices, loaded), {.device = "cuda:0"}), model);
}

} // namespace
} // namespace bathyscope
