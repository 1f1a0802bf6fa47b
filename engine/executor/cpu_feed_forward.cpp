// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cpu_feed_forward.h"

#include "kernels/cpu/operations.h"

#include <algorithm>

namespace bathyscope::cpu {

namespace {

/// Rows of a block's gate and up computed at a time.
constexpr std::int64_t rowBlock = 128;

std::int64_t rowBlocks(std::int64_t rows)
{
    return (rows + rowBlock - 1) / rowBlock;
}

/// y = W[begin, end) x for `m` tokens; one token's product is that of a matrix and a vector.
void multiplyRows(const kernels::GemmParams &p)
{
    if (p.m != 1)
        return kernels::gemm(p);
    kernels::gemv({.weights = p.weights, .rowBegin = p.rowBegin, .rowEnd = p.rowEnd, .x = p.x, .y = p.y});
}

} // namespace

FeedForward::FeedForward(const ModelConfig &config, int threads)
    : m_hidden(config.hiddenSize)
    , m_rowsOfToken(static_cast<std::size_t>(config.intermediateSize))
    , m_scratch(static_cast<std::size_t>(threads))
{
    if (!config.moe)
        return;
    m_chosen = static_cast<std::size_t>(config.moe->numExpertsPerTok);
    m_rowsOfToken = std::max(m_rowsOfToken,
                             (m_chosen + static_cast<std::size_t>(config.moe->nSharedExperts))
                                 * static_cast<std::size_t>(config.moe->moeIntermediateSize));
}

void FeedForward::reserve(std::int64_t tokens)
{
    const auto n = static_cast<std::size_t>(tokens);
    if (m_activations.size() >= n * m_rowsOfToken)
        return;
    m_activations.resize(n * m_rowsOfToken);
    for (Scratch &own : m_scratch) {
        own.gathered.resize(n * static_cast<std::size_t>(m_hidden));
        own.block.resize(n * static_cast<std::size_t>(rowBlock));
    }
}

void FeedForward::add(const FeedForwardWeights &block, std::int64_t tokens)
{
    Task &task = m_tasks.emplace_back();
    task.weights = &block;
    for (std::int32_t t = 0; t < tokens; ++t)
        task.tokens.push_back(t);
    task.scales.assign(static_cast<std::size_t>(tokens), 1.0F);
}

void FeedForward::add(const std::vector<FeedForwardWeights> &experts, std::span<const ExpertChoice> choices)
{
    const std::size_t first = m_tasks.size();
    m_tasks.resize(first + experts.size());
    for (std::size_t i = 0; i < choices.size(); ++i) {
        Task &task = m_tasks[first + choices[i].expert];
        task.weights = &experts[choices[i].expert];
        task.tokens.push_back(static_cast<std::int32_t>(i / m_chosen));
        task.scales.push_back(choices[i].weight);
    }
    std::erase_if(m_tasks, [](const Task &task) { return task.tokens.empty(); });
}

/// activations = scale * silu(gate x) * up x for a block of rows of one task.
void FeedForward::activate(Scratch &own, const Task &task, const float *normed, std::int64_t begin)
{
    const FeedForwardWeights &w = *task.weights;
    const std::int64_t rows = w.gate.rows;
    const std::int64_t end = std::min(begin + rowBlock, rows);
    const auto m = static_cast<std::int64_t>(task.tokens.size());
    for (std::int64_t i = 0; i < m; ++i)
        std::copy_n(normed + task.tokens[static_cast<std::size_t>(i)] * m_hidden, m_hidden,
                    own.gathered.data() + i * m_hidden);
    float *activations = m_activations.data() + task.firstActivation;
    const kernels::MatrixView up = w.up.rowRange(begin, end - begin);
    multiplyRows({.weights = w.gate,
                  .rowBegin = begin,
                  .rowEnd = end,
                  .m = m,
                  .x = own.gathered.data(),
                  .xStride = m_hidden,
                  .y = activations,
                  .yStride = rows});
    multiplyRows({.weights = up,
                  .rowBegin = 0,
                  .rowEnd = up.rows,
                  .m = m,
                  .x = own.gathered.data(),
                  .xStride = m_hidden,
                  .y = own.block.data(),
                  .yStride = up.rows});
    for (std::int64_t i = 0; i < m; ++i)
        kernels::siluMultiply({.gate = activations + i * rows + begin,
                               .up = own.block.data() + i * up.rows,
                               .out = activations + i * rows + begin,
                               .n = up.rows,
                               .scale = task.scales[static_cast<std::size_t>(i)]});
}

/// x += down(activations) for some columns of the hidden state, over all tasks in order: whatever the
/// threads do, the sums are the same.
void FeedForward::projectDown(Scratch &own, float *x, std::int64_t begin, std::int64_t end)
{
    const std::int64_t n = end - begin;
    for (const Task &task : m_tasks) {
        const kernels::MatrixView down = task.weights->down.rowRange(begin, n);
        const auto m = static_cast<std::int64_t>(task.tokens.size());
        multiplyRows({.weights = down,
                      .rowBegin = 0,
                      .rowEnd = n,
                      .m = m,
                      .x = m_activations.data() + task.firstActivation,
                      .xStride = down.columns,
                      .y = own.block.data(),
                      .yStride = n});
        for (std::int64_t i = 0; i < m; ++i)
            kernels::addScaled(own.block.data() + i * n, 1.0F,
                               x + task.tokens[static_cast<std::size_t>(i)] * m_hidden + begin, n);
    }
}

void FeedForward::run(ThreadTeam::Member &member, const float *normed, float *x)
{
    if (member.index() == 0) {
        std::int64_t offset = 0;
        for (Task &task : m_tasks) {
            task.firstActivation = offset;
            offset += static_cast<std::int64_t>(task.tokens.size()) * task.weights->gate.rows;
        }
    }
    member.barrier();
    Scratch &own = m_scratch[static_cast<std::size_t>(member.index())];
    std::int64_t blocks = 0;
    for (const Task &task : m_tasks)
        blocks += rowBlocks(task.weights->gate.rows);
    member.forEach(blocks, 1, [&](std::int64_t index, std::int64_t) {
        for (const Task &task : m_tasks) {
            const std::int64_t count = rowBlocks(task.weights->gate.rows);
            if (index < count)
                return activate(own, task, normed, index * rowBlock);
            index -= count;
        }
    });
    member.forEach(m_hidden, kernels::gemmPanel,
                   [&](std::int64_t begin, std::int64_t end) { projectDown(own, x, begin, end); });
}

} // namespace bathyscope::cpu
