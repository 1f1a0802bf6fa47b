// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/local_backend.h"

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "engine/executor/cpu_executor.h"
#include "engine/executor/devices.h"
#include "engine/models/model_weights.h"
#include "engine/session/local_session.h"
#include "engine/text/prompt.h"

#ifdef BATHYSCOPE_HAS_CUDA
#include "engine/executor/cuda_executor.h"
#endif

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

/// The type that most of a model's weights are stored in.
std::string mainType(const ModelWeights &weights)
{
    const kernels::DType dtype = weights.layers.front().outputProjection().dtype;
    return dtype == kernels::DType::F8E4M3 ? "FP8" : kernels::blockOf(dtype).name;
}

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
                                         const LocalBackendOptions &options, const MemoryPlan &plan)
{
#ifdef BATHYSCOPE_HAS_CUDA
    if (plan.onGpu())
        return createCudaExecutor(config, std::move(source), plan,
                                  {.bf16Activations = options.bf16Activations});
#endif
    return createCpuExecutor(config, std::move(source), options.threads);
}

std::unique_ptr<Backend> openLocalBackend(const std::string &modelDirectory,
                                          const LocalBackendOptions &options, const Predecessor &predecessor)
{
    return std::make_unique<LocalBackend>(modelDirectory, options, predecessor);
}

LocalBackend::LocalBackend(const std::string &modelDirectory, const LocalBackendOptions &options,
                           const Predecessor &predecessor)
    : m_tokenizer(Tokenizer::fromFile(fromUtf8(modelDirectory) / "tokenizer.json"))
{
    const std::filesystem::path directory = fromUtf8(modelDirectory);
    const ModelConfig config = loadModelConfig(directory / "config.json");
    const auto vocabularySize = static_cast<std::int64_t>(m_tokenizer.vocabulary()->size());
    if (vocabularySize > config.vocabSize)
        throwFileError(directory / "tokenizer.json", "model.vocab",
                       fmt::format("ids below vocab_size ({})", config.vocabSize),
                       fmt::format("an id of {}", vocabularySize - 1));
    try {
        m_template = ChatTemplate::fromModelDirectory(directory);
    } catch (const Error &error) {
        m_templateError = error.what(); // such a model still continues ids
    }
    auto checkpoint = std::make_shared<const Checkpoint>(directory);
    const ModelWeights weights = bindWeights(config, *checkpoint);
    const ParameterCount parameters = countParameters(config, weights);
    const auto needs = std::make_shared<const ModelMemory>(measureMemory(config, weights));
    m_info.needs = needs;
    m_info.plan = planLoading(needs, options, predecessor.plan);
    if (m_info.plan.onGpu() && predecessor.release)
        predecessor.release();
    m_executor = createExecutor(config, checkpoint, options, m_info.plan);

    const GenerationConfig generation = loadGenerationConfig(directory);
    m_endOfSequence = config.eosTokenIds;
    m_endOfSequence.insert(m_endOfSequence.end(), generation.eosTokenIds.begin(),
                           generation.eosTokenIds.end());

    m_info.dtype = mainType(weights);
    m_source = checkpoint;
    expectWholeModel();
    m_info.fingerprint = checkpoint->fingerprint();
    m_info.weightBytes = checkpoint->bytes();
    m_info.parameters = parameters.total;
    m_info.activeParameters = parameters.active;
    m_info.defaults = generation.sampling;
    m_info.contextLength = m_info.plan.contextLength;
    describe(directory);
}

void LocalBackend::describe(const std::filesystem::path &directory)
{
    const ModelConfig &config = m_executor->config();
    m_info.name =
        toUtf8(directory.filename().empty() ? directory.parent_path().filename() : directory.filename());
    m_info.path = toUtf8(directory);
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
    return bos < 0 ? std::vector<TokenId>() : std::vector<TokenId>{bos};
}

bool LocalBackend::endsSequence(TokenId id) const
{
    return std::find(m_endOfSequence.begin(), m_endOfSequence.end(), id) != m_endOfSequence.end();
}

} // namespace bathyscope
