// SPDX-License-Identifier: GPL-3.0-or-later
//
// Attention of a chunk: latent attention in expanded form, or grouped-query attention.
#pragma once

#include "engine/executor/cuda_prefill_products.h"

namespace bathyscope::cuda {

/// What of a chunk one layer has to make.
struct Span {
    std::int32_t tokens = 0;
    std::int32_t firstPosition = 0;
    std::int32_t first = 0; ///< token from which on outputs are needed

    [[nodiscard]] std::int32_t needed() const { return tokens - first; }
    [[nodiscard]] std::int32_t context() const { return firstPosition + tokens; }
};

class PrefillAttention {
public:
    /// All outlive this.
    PrefillAttention(const Model &model, const PrefillProducts &products, const PrefillWorkspace &work,
                     const RowPreparation &rows);

    /// Makes room for `context` tokens. Growing waits for the card.
    void reserve(std::int32_t context) { m_context.reserve(context); }

    /// x += attention of the needed tokens; the keys and values of all of them go to the layer's cache.
    void run(const DeviceLayer &layer, std::uint16_t *cache, float *x, const Span &span) const;

private:
    [[nodiscard]] const MlaConfig &mla() const { return m_config.mla(); }
    void appendToCache(const DeviceLayer &layer, std::uint16_t *cache, const Rows &normed,
                       const Span &span) const;
    void projectQueries(const DeviceLayer &layer, const Rows &normed, const Span &span) const;
    void attend(const DeviceLayer &layer, const std::uint16_t *stored, const Span &span) const;
    void latent(const DeviceLayer &layer, std::uint16_t *cache, const float *x, const Span &span) const;
    void grouped(const DeviceLayer &layer, std::uint16_t *cache, const float *x, const Span &span) const;
    void finishHeads(const DeviceLayer &layer, std::uint16_t *cache, const Span &span) const;
    void widenCache(const std::uint16_t *stored, const Span &span) const;

    const Model &m_model;
    const ModelConfig &m_config;
    const PrefillProducts &m_products;
    const kernels::cuda::PrefillKernels &m_kernels;
    const PrefillWorkspace &m_work;
    const RowPreparation &m_rows;
    ExpandedContext m_context;
};

} // namespace bathyscope::cuda
