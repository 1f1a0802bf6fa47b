// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/local_backend.h"

#include "engine/error.h"
#include "engine/executor/cpu_executor.h"
#include "engine/executor/devices.h"
#include "engine/library/model_description.h"
#include "engine/models/model_weights.h"
#include "engine/session/local_session.h"
#include "engine/session/read_ahead.h"
#include "engine/system_memory.h"
#include "engine/text/prompt.h"

#ifdef BATHYSCOPE_HAS_CUDA
#include "engine/executor/cuda_executor.h"
#endif

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

AttentionShape shapeOf(const ModelConfig &config)
{
    AttentionShape shape{.heads = config.numAttentionHeads};
    if (const auto *mla = std::get_if<MlaConfig>(&config.attention)) {
        shape.keyDim = mla->qkHeadDim();
        shape.valueDim = mla->vHeadDim;
        shape.latentDim = mla->kvLoraRank;
        shape.ropeDim = mla->qkRopeHeadDim;
    } else {
        shape.keyDim = shape.valueDim = config.gqa().headDim;
        shape.keyValueHeads = config.gqa().numKeyValueHeads;
    }
    return shape;
}

} // namespace

MemoryPlan planLoading(const std::shared_ptr<const ModelMemory> &needs, const LocalBackendOptions &options,
                       const MemoryPlan &predecessor)
{
    const DeviceList devices = withoutModel(listDevices(), predecessor);
    MemoryPlan plan = planMemory(*needs, devices, options);
    if (!plan.fits())
        throw DoesNotFit(plan, needs);
    return plan;
}

std::unique_ptr<Executor> createExecutor(const ModelConfig &config,
                                         std::shared_ptr<const TensorSource> source,
                                         const LocalBackendOptions &options,
                                         [[maybe_unused]] const MemoryPlan &plan)
{
#ifdef BATHYSCOPE_HAS_CUDA
    if (plan.onGpu())
        return createCudaExecutor(config, std::move(source), plan,
                                  {.bf16Activations = options.bf16Activations,
                                   .quantise = plan.quantised,
                                   .threads = options.threads});
#endif
    return createCpuExecutor(config, std::move(source), options.threads);
}

std::unique_ptr<Backend> openLocalBackend(const std::string &model, const LocalBackendOptions &options,
                                          const Predecessor &predecessor, const LoadObserver &observer)
{
    return std::make_unique<LocalBackend>(model, options, predecessor, observer);
}

LocalBackend::LocalBackend(const std::string &model, const LocalBackendOptions &options,
                           const Predecessor &predecessor, const LoadObserver &observer)
    : LocalBackend(openModelFiles(fromUtf8(model)), model, options, predecessor, observer)
{
}

LocalBackend::LocalBackend(ModelFiles files, const std::string &path, const LocalBackendOptions &options,
                           const Predecessor &predecessor, const LoadObserver &observer)
    : m_tokenizer(std::move(files.tokenizer))
    , m_template(std::move(files.chatTemplate))
    , m_templateError(std::move(files.templateError))
    , m_endOfSequence(files.config.eosTokenIds)
    , m_source(files.weights)
{
    const ModelWeights weights = bindWeights(files.config, *files.weights);
    const ParameterCount parameters = countParameters(files.config, weights);
    const auto needs = std::make_shared<const ModelMemory>(measureMemory(files.config, weights));
    m_info.needs = needs;
    m_info.plan = planLoading(needs, options, predecessor.plan);
    readAhead(*files.weights, systemMemory().available, observer);
    if (m_info.plan.onGpu() && predecessor.release)
        predecessor.release();
    placeModel(files.config, files.weights, options);
    m_endOfSequence.insert(m_endOfSequence.end(), files.generation.eosTokenIds.begin(),
                           files.generation.eosTokenIds.end());
    expectWholeModel();

    m_info.name = std::move(files.name);
    m_info.path = path;
    m_info.dtype = mainType(weights);
    m_info.fingerprint = std::move(files.fingerprint);
    m_info.weightBytes = files.weightBytes;
    m_info.parameters = parameters.total;
    m_info.activeParameters = parameters.active;
    m_info.defaults = files.generation.sampling;
    m_info.contextLength = m_info.plan.contextLength;
    describe();
}

void LocalBackend::describe()
{
    const ModelConfig &config = m_executor->config();
    m_info.architecture = config.modelType;
    m_info.device = m_executor->deviceName();
    m_info.layers = config.numHiddenLayers;
    m_info.moeLayers = config.moeLayers();
    if (config.moe) {
        m_info.experts = config.moe->nRoutedExperts;
        m_info.expertsPerToken = config.moe->numExpertsPerTok;
    }
    m_info.cacheBytesPerToken = m_executor->cacheBytesPerToken();
    m_info.attention = shapeOf(config);
    m_info.memory = m_executor->memory();
    // Models pad their vocabulary; an id that the tokenizer does not know has no text.
    auto vocabulary = std::make_shared<Vocabulary>(*m_tokenizer.vocabulary());
    vocabulary->resize(static_cast<std::size_t>(config.vocabSize));
    m_info.vocabulary = std::move(vocabulary);
}

/// On the devices of the plan; where a GPU that nobody insisted on fails after all, on the CPU.
void LocalBackend::placeModel(const ModelConfig &config, const std::shared_ptr<const TensorSource> &weights,
                              const LocalBackendOptions &options)
{
    const bool canFallBack = options.device == "auto" && m_info.plan.onGpu();
    try {
        m_executor = createExecutor(config, weights, options, m_info.plan);
    } catch (const Error &error) {
        if (!canFallBack)
            throw;
        LocalBackendOptions onCpu = options;
        onCpu.device = "cpu";
        m_info.plan = planLoading(m_info.needs, onCpu);
        m_info.plan.note = fmt::format("The GPU failed: {} The CPU was taken.", error.what());
        m_executor = createExecutor(config, weights, onCpu, m_info.plan);
    }
}

Capabilities LocalBackend::capabilities() const
{
    return {.logProbs = true,
            .maxCandidates = m_executor->config().vocabSize,
            .routing = m_info.experts > 0,
            .analysis = true,
            .forks = true};
}

Analysis Session::analyse(const AnalysisRequest & /*request*/, std::stop_token /*stop*/)
{
    throw Error("this backend cannot measure a text that is there already");
}

std::unique_ptr<Session> LocalBackend::createSession()
{
    return std::make_unique<LocalSession>(*this);
}

void LocalBackend::expectIds(const std::vector<TokenId> &ids) const
{
    for (const TokenId id : ids)
        if (id < 0 || id >= m_executor->config().vocabSize)
            throw Error(fmt::format("prompt: expected token ids from 0 to {}, found {}",
                                    m_executor->config().vocabSize - 1, id));
}

LocalBackend::PreparedPrompt LocalBackend::preparePrompt(const Prompt &prompt) const
{
    if (const auto *ids = std::get_if<std::vector<TokenId>>(&prompt)) {
        expectIds(*ids);
        PreparedPrompt prepared{*ids, {}};
        for (const TokenId id : *ids)
            prepared.text += (*m_info.vocabulary)[static_cast<std::size_t>(id)];
        return prepared;
    }
    if (!m_template)
        throw Error(m_templateError);
    const auto pieces = m_template->renderPrompt(std::get<std::vector<Message>>(prompt));
    return {encodePrompt(m_tokenizer, pieces), joined(pieces)};
}

std::vector<TokenId> LocalBackend::prepareContinuation(const Continuation &continuation) const
{
    if (const auto *text = std::get_if<std::string>(&continuation))
        return m_tokenizer.encode(*text, AddedTokens::Plain);
    const auto &ids = std::get<std::vector<TokenId>>(continuation);
    expectIds(ids);
    return ids;
}

std::vector<TokenId> LocalBackend::textStart() const
{
    const TokenId bos = m_executor->config().bosTokenId;
    if (bos >= 0)
        return {bos};
    return m_endOfSequence.empty() ? std::vector<TokenId>() : std::vector<TokenId>{m_endOfSequence.front()};
}

bool LocalBackend::endsSequence(TokenId id) const
{
    return std::find(m_endOfSequence.begin(), m_endOfSequence.end(), id) != m_endOfSequence.end();
}

} // namespace bathyscope
