// SPDX-License-Identifier: GPL-3.0-or-later
//
// Feed-forward blocks of a layer for a chunk of tokens, which are grouped by the blocks they go through.
#pragma once

#include "engine/executor/thread_team.h"
#include "engine/models/model_weights.h"
#include "engine/records.h"

#include <span>
#include <vector>

namespace bathyscope::cpu {

/// x[t] += Σ scale * block(normed[t]). Blocks are added by one thread, and computed by all members together.
class FeedForward {
public:
    FeedForward(const ModelConfig &config, int threads);

    /// Makes room for chunks of `tokens`.
    void reserve(std::int64_t tokens);

    void clear() { m_tasks.clear(); }
    /// A block that all `tokens` go through.
    void add(const FeedForwardWeights &block, std::int64_t tokens);
    /// The experts that tokens chose, [tokens, num_experts_per_tok].
    void add(const std::vector<FeedForwardWeights> &experts, std::span<const ExpertChoice> choices);

    /// normed, x: [tokens, hidden].
    void run(ThreadTeam::Member &member, const float *normed, float *x);

private:
    /// One block and the tokens that go through it.
    struct Task {
        const FeedForwardWeights *weights = nullptr;
        std::vector<std::int32_t> tokens; ///< rows of the chunk
        std::vector<float> scales; ///< weight of each token's output
        std::int64_t firstActivation = 0; ///< float offset into m_activations
    };
    /// Memory of one thread.
    struct Scratch {
        std::vector<float> gathered; ///< [tokens, hidden]
        std::vector<float> block; ///< results of a block of rows
    };

    void activate(Scratch &own, const Task &task, const float *normed, std::int64_t begin);
    void projectDown(Scratch &own, float *x, std::int64_t begin, std::int64_t end);

    std::int64_t m_hidden;
    std::size_t m_chosen = 0; ///< num_experts_per_tok
    std::size_t m_rowsOfToken; ///< of gates that a token goes through at the most
    std::vector<Task> m_tasks;
    std::vector<float> m_activations;
    std::vector<Scratch> m_scratch; ///< by thread
};

} // namespace bathyscope::cpu
