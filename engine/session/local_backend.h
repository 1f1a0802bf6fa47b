// SPDX-License-Identifier: GPL-3.0-or-later
//
// A model on this machine: what openLocalBackend() makes, for callers that need its parts.
#pragma once

#include "engine/checkpoint/tensor_source.h"
#include "engine/executor/executor.h"
#include "engine/executor/memory_plan.h"
#include "engine/session/backend.h"
#include "engine/session/model_files.h"

#include <optional>
#include <string>

namespace bathyscope {

/// Where the model will lie, on this machine as it is once the predecessor has made way. Throws DoesNotFit,
/// and Error for a device that is not there.
MemoryPlan planLoading(const std::shared_ptr<const ModelMemory> &needs, const LocalBackendOptions &options,
                       const MemoryPlan &predecessor = {});

/// The executor that the plan asks for. Throws Error where its devices fail or have no memory after all.
std::unique_ptr<Executor> createExecutor(const ModelConfig &config,
                                         std::shared_ptr<const TensorSource> source,
                                         const LocalBackendOptions &options, const MemoryPlan &plan);

class LocalBackend : public Backend {
public:
    /// Loads a model; see openModelFiles(). Throws Error.
    LocalBackend(const std::string &model, const LocalBackendOptions &options,
                 const Predecessor &predecessor = {}, const LoadObserver &observer = {});

    [[nodiscard]] const ModelInfo &model() const override { return m_info; }
    [[nodiscard]] Capabilities capabilities() const override;
    [[nodiscard]] std::unique_ptr<Session> createSession() override;

    [[nodiscard]] Executor &executor() { return *m_executor; }
    [[nodiscard]] const Tokenizer &tokenizer() const { return m_tokenizer; }

    /// Ids and text of a prompt. Throws Error where the model has no template for messages.
    struct PreparedPrompt {
        std::vector<TokenId> ids;
        std::string text;
    };
    [[nodiscard]] PreparedPrompt preparePrompt(const Prompt &prompt) const;
    [[nodiscard]] std::vector<TokenId> prepareContinuation(const Continuation &continuation) const;

    /// What a text without a prompt begins with: the BOS token; where there is none the end of another text.
    [[nodiscard]] std::vector<TokenId> textStart() const;

    [[nodiscard]] bool endsSequence(TokenId id) const;

    /// Throws Error when a file of the model was changed while it was read; see TensorSource.
    void expectWholeModel() const { m_source->expectWhole(); }

private:
    LocalBackend(ModelFiles files, const std::string &path, const LocalBackendOptions &options,
                 const Predecessor &predecessor, const LoadObserver &observer);
    void expectIds(const std::vector<TokenId> &ids) const;
    void placeModel(const ModelConfig &config, const std::shared_ptr<const TensorSource> &weights,
                    const LocalBackendOptions &options);
    void describe();

    Tokenizer m_tokenizer;
    std::optional<ChatTemplate> m_template;
    std::string m_templateError; ///< why there is none
    std::vector<TokenId> m_endOfSequence;
    std::shared_ptr<const TensorSource> m_source; ///< what the executor reads
    std::unique_ptr<Executor> m_executor;
    ModelInfo m_info;
};

} // namespace bathyscope
