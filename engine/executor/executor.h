// SPDX-License-Identifier: GPL-3.0-or-later
//
// An executor holds a model's weights on its device and runs the whole stack of blocks. It is coarse on
// purpose: each device fuses as it likes. The CPU executor is the readable reference.
#pragma once

#include "engine/executor/token_choice.h"
#include "engine/models/model_config.h"
#include "engine/records.h"

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace bathyscope {

/// Keys and values of one timeline, on the executor's device. A token and layer take
/// ModelConfig::cacheWidth() values: the latent and the rotated key, or keys and values of all key-value
/// heads.
class KvCache {
public:
    virtual ~KvCache() = default;
    [[nodiscard]] std::int32_t length() const { return m_length; } ///< tokens held
    [[nodiscard]] std::int32_t capacity() const { return m_capacity; } ///< tokens that fit
    /// Forgets all tokens from position `length` on; until others are appended, advance() brings them back.
    void truncate(std::int32_t length) { m_length = length < m_length ? length : m_length; }
    /// An executor appended `count` tokens.
    void advance(std::int32_t count) { m_length += count; }

protected:
    explicit KvCache(std::int32_t capacity)
        : m_capacity(capacity)
    {
    }

private:
    std::int32_t m_length = 0;
    std::int32_t m_capacity = 0;
};

enum class LogitsOf : std::uint8_t { None, LastToken, AllTokens };

/// What one forward pass is asked to hand out. What is off costs nothing.
struct ForwardRequest {
    std::span<const TokenId> tokens; ///< appended at the cache's end; at least one
    LogitsOf logits = LogitsOf::LastToken;
    /// With LogitsOf::LastToken: what is wanted in place of the logits, which then are handed out only where
    /// it takes all of them to tell the next token.
    std::optional<ChoiceRequest> choice = {};
    bool routing = false; ///< of the tokens that logits are asked for
    bool routerLogits = false; ///< of the same tokens; see Executor::hasRouterLogits()
    bool hidden = false; ///< outputs of all layers, of all tokens
    bool draftInput = false; ///< hidden state after the final norm, of all tokens: what draft() takes
};

struct ForwardResult {
    std::vector<float> logits; ///< [1 or tokens, vocab_size]
    TokenChoice choice; ///< whole where it has a token
    std::vector<ExpertChoice> routing; ///< [1 or tokens, MoE layers, num_experts_per_tok], ascending experts
    std::vector<float> routerLogits; ///< [1 or tokens, MoE layers, n_routed_experts]
    std::vector<float> hidden; ///< [layers, tokens, hidden_size]: the residual stream after each layer
    std::vector<float> draftInput; ///< [tokens, hidden_size]
};

class Executor {
public:
    virtual ~Executor() = default;

    [[nodiscard]] virtual const ModelConfig &config() const = 0;

    /// For people: "CPU · 2 threads".
    [[nodiscard]] virtual std::string deviceName() const = 0;

    /// Room for `capacity` tokens. Throws Error when the device has none.
    [[nodiscard]] virtual std::unique_ptr<KvCache> createCache(std::int32_t capacity) = 0;

    /// Bytes that one token takes in the cache, all layers together.
    [[nodiscard]] virtual std::int64_t cacheBytesPerToken() const = 0;

    /// Tokens that one call of forward() takes at the most.
    [[nodiscard]] virtual std::int32_t maxChunk() const = 0;

    /// Runs the stack on request.tokens (at most maxChunk()) and appends them to the cache. The vectors of
    /// `result` are resized; those not asked for stay empty. The tokens must be valid ids and fit.
    virtual void forward(const ForwardRequest &request, KvCache &cache, ForwardResult &result) = 0;

    /// Memory of the device as it is now, with all weights in; zeros when it cannot be told.
    [[nodiscard]] virtual DeviceMemory memory() const { return {}; }

    /// Whether forward() can hand out router logits; where not, they stay empty.
    [[nodiscard]] virtual bool hasRouterLogits() const { return false; }

    /// What the router of a MoE layer adds to the scores for the choice, [n_routed_experts]; empty: nothing.
    /// Only where hasRouterLogits().
    [[nodiscard]] virtual std::span<const float> correctionBias(std::int32_t) const { return {}; }

    /// Whether draft() can be called: the model has a multi-token prediction layer.
    [[nodiscard]] virtual bool hasDraft() const = 0;

    /// Multi-token prediction (DeepSeek-V3, section 2.2): for each i, logits of the token after tokens[i],
    /// from hidden[i], the draftInput of the token before it. Appends to the draft layer's own part of
    /// `cache` from position `position` on.
    virtual void draft(std::span<const TokenId> tokens, std::span<const float> hidden, std::int32_t position,
                       KvCache &cache, std::vector<float> &logits) = 0;
};

} // namespace bathyscope
