// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/quantised_layer.h"

#include "kernels/cpu/quantise.h"

#include <algorithm>

namespace bathyscope {

std::int64_t scaleBlocksOf(std::int64_t n)
{
    return (n + kernels::scaleBlock - 1) / kernels::scaleBlock;
}

void quantiseMatrix(ThreadTeam::Member &member, const kernels::MatrixView &weights, std::uint8_t *values,
                    float *scales)
{
    member.forEach(scaleBlocksOf(weights.rows), 1, [&](std::int64_t begin, std::int64_t end) {
        kernels::quantise({.weights = weights,
                           .rowBegin = begin * kernels::scaleBlock,
                           .rowEnd = std::min(end * kernels::scaleBlock, weights.rows),
                           .values = values,
                           .scales = scales});
    });
}

QuantisedLayer::QuantisedLayer(const LayerWeights &stored, ThreadTeam &team)
    : m_weights(stored)
{
    if (auto *mla = std::get_if<MlaWeights>(&m_weights.attention)) {
        if (mla->qA)
            add(*mla->qA);
        for (kernels::MatrixView *matrix : {&mla->qB, &mla->kvA, &mla->kvB, &mla->o})
            add(*matrix);
    } else {
        auto &gqa = std::get<GqaWeights>(m_weights.attention);
        for (kernels::MatrixView *matrix : {&gqa.q, &gqa.k, &gqa.v, &gqa.o})
            add(*matrix);
    }
    if (m_weights.dense)
        add(*m_weights.dense);
    if (m_weights.moe) {
        for (FeedForwardWeights &expert : m_weights.moe->experts)
            add(expert);
        if (m_weights.moe->shared)
            add(*m_weights.moe->shared);
    }
    team.run([this](ThreadTeam::Member &member) {
        for (Blocks &blocks : m_blocks)
            quantiseMatrix(member, blocks.source, blocks.values.data(), blocks.scales.data());
    });
}

/// Takes note of the matrix, to be quantised with the others, and points it to where its blocks will be.
void QuantisedLayer::add(kernels::MatrixView &matrix)
{
    if (matrix.dtype == kernels::DType::F8E4M3 || kernels::isPacked(matrix.dtype))
        return;
    Blocks &blocks = m_blocks.emplace_back();
    blocks.source = matrix;
    blocks.values.resize(static_cast<std::size_t>(matrix.rows * matrix.columns));
    blocks.scales.resize(
        static_cast<std::size_t>(scaleBlocksOf(matrix.rows) * scaleBlocksOf(matrix.columns)));
    matrix = {.data = blocks.values.data(),
              .dtype = kernels::DType::F8E4M3,
              .rows = matrix.rows,
              .columns = matrix.columns,
              .scales = blocks.scales.data(),
              .scaleColumns = scaleBlocksOf(matrix.columns)};
}

void QuantisedLayer::add(FeedForwardWeights &block)
{
    add(block.gate);
    add(block.up);
    add(block.down);
}

} // namespace bathyscope
