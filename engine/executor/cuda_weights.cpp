// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_weights.h"

#include "engine/error.h"
#include "kernels/cpu/operations.h"

#include <fmt/format.h>

namespace bathyscope::cuda {

using kernels::DType;
using kernels::MatrixView;
using kernels::cuda::DeviceExperts;

void Upload::add(const std::vector<float> &values, const float *&target)
{
    if (!values.empty())
        add(values.data(), values.size() * sizeof(float), target);
}

void Upload::add(const MatrixView &view, DeviceMatrix &target)
{
    target.rows = static_cast<std::int32_t>(view.rows);
    target.columns = static_cast<std::int32_t>(view.columns);
    target.scaleColumns = static_cast<std::int32_t>(view.scaleColumns);
    target.dtype = view.dtype;
    add(view.data, static_cast<std::size_t>(view.rows) * kernels::rowBytes(view.dtype, view.columns),
        target.data);
    if (view.scales)
        add(view.scales,
            static_cast<std::size_t>((view.rows + kernels::scaleBlock - 1) / kernels::scaleBlock
                                     * view.scaleColumns)
                * sizeof(float),
            target.scales);
}

DeviceBuffer Upload::commit()
{
    DeviceBuffer memory(m_size);
    for (const Copy &copy : m_copies) {
        memory.upload(copy.source, copy.bytes, copy.offset);
        copy.setTarget(memory.as<std::byte>() + copy.offset);
    }
    m_copies.clear();
    m_kept.clear();
    m_size = 0;
    return memory;
}

void expectUsable(const MatrixView &view, const char *what)
{
    if (kernels::isPacked(view.dtype))
        return;
    if (kernels::rowBytes(view.dtype, view.columns) % 16 != 0)
        throw Error(fmt::format("{}: the GPU's kernels need rows of a multiple of 16 bytes, found {} columns "
                                "of {}: use the CPU",
                                what, view.columns, kernels::blockOf(view.dtype).name));
}

namespace {

/// The same matrix of all experts, at equal distances. Different types or shapes are an Error.
void addExperts(Upload &upload, const std::vector<FeedForwardWeights> &experts,
                MatrixView FeedForwardWeights::*matrix, DeviceExperts &target, const char *what)
{
    const MatrixView &first = experts.front().*matrix;
    const std::size_t bytes =
        static_cast<std::size_t>(first.rows) * kernels::rowBytes(first.dtype, first.columns);
    const std::size_t scaleBytes = static_cast<std::size_t>(
        first.scales ? (first.rows + kernels::scaleBlock - 1) / kernels::scaleBlock * first.scaleColumns * 4
                     : 0);
    for (const FeedForwardWeights &expert : experts) {
        const MatrixView &view = expert.*matrix;
        expectUsable(view, what);
        if (view.dtype != first.dtype || (view.scales == nullptr) != (first.scales == nullptr))
            throw Error(fmt::format("{}: expected one type for all experts of a layer, found {} and {}", what,
                                    kernels::blockOf(first.dtype).name, kernels::blockOf(view.dtype).name));
    }
    DeviceMatrix rest;
    for (std::size_t e = 0; e < experts.size(); ++e)
        upload.add((experts[e].*matrix).data, bytes, e == 0 ? target.first.data : rest.data);
    for (std::size_t e = 0; e < experts.size() && scaleBytes > 0; ++e)
        upload.add((experts[e].*matrix).scales, scaleBytes, e == 0 ? target.first.scales : rest.scales);
    target.first.rows = static_cast<std::int32_t>(first.rows);
    target.first.columns = static_cast<std::int32_t>(first.columns);
    target.first.scaleColumns = static_cast<std::int32_t>(first.scaleColumns);
    target.first.dtype = first.dtype;
    target.dataStride = static_cast<std::int64_t>(Upload::stride(bytes));
    target.scaleStride = static_cast<std::int64_t>(Upload::stride(scaleBytes) / sizeof(float));
}

void addMatrix(Upload &upload, const MatrixView &view, DeviceMatrix &target, const char *what)
{
    expectUsable(view, what);
    upload.add(view, target);
}

/// A matrix whose kernels read no packed types: those are made wide.
void addWidened(Upload &upload, const MatrixView &view, DeviceMatrix &target, const char *what)
{
    if (!kernels::isPacked(view.dtype))
        return addMatrix(upload, view, target, what);
    std::vector<float> &values = upload.keep(static_cast<std::size_t>(view.rows * view.columns));
    for (std::int64_t r = 0; r < view.rows; ++r)
        kernels::widenRow(view, r, values.data() + r * view.columns);
    upload.add({.data = values.data(), .rows = view.rows, .columns = view.columns}, target);
}

/// Two matrices that one kernel reads: of one type, or both packed.
void expectAlike(const MatrixView &a, const MatrixView &b, const char *what)
{
    if (a.dtype != b.dtype && !(kernels::isPacked(a.dtype) && kernels::isPacked(b.dtype)))
        throw Error(fmt::format("{}: the GPU's kernels do not mix {} and {}: use the CPU", what,
                                kernels::blockOf(a.dtype).name, kernels::blockOf(b.dtype).name));
}

/// Two matrices that meet in one product.
void expectSameType(const MatrixView &a, const MatrixView &b, const char *what)
{
    if (a.dtype != b.dtype)
        throw Error(fmt::format("{}: expected one type, found {} and {}: use the CPU", what,
                                kernels::blockOf(a.dtype).name, kernels::blockOf(b.dtype).name));
}

void addBlock(Upload &upload, const FeedForwardWeights &block, DeviceLayer &layer)
{
    expectSameType(block.gate, block.up, "gate_proj and up_proj");
    addMatrix(upload, block.gate, layer.gate, "gate_proj");
    addMatrix(upload, block.up, layer.up, "up_proj");
    addMatrix(upload, block.down, layer.down, "down_proj");
}

void addMoe(Upload &upload, const MoeWeights &moe, DeviceLayer &layer)
{
    addWidened(upload, moe.router, layer.router, "router");
    upload.add(moe.correctionBias, layer.correctionBias);
    if (moe.shared)
        addBlock(upload, *moe.shared, layer);
    if (moe.experts.empty())
        return;
    const FeedForwardWeights &expert = moe.experts.front();
    expectSameType(expert.gate, expert.up, "experts' gate_proj and up_proj");
    addExperts(upload, moe.experts, &FeedForwardWeights::gate, layer.expertGate, "experts' gate_proj");
    addExperts(upload, moe.experts, &FeedForwardWeights::up, layer.expertUp, "experts' up_proj");
    addExperts(upload, moe.experts, &FeedForwardWeights::down, layer.expertDown, "experts' down_proj");
    if (!moe.shared)
        return;
    expectAlike(moe.shared->gate, expert.gate, "gate_proj");
    expectAlike(moe.shared->down, expert.down, "down_proj");
}

void addAttention(Upload &upload, const MlaWeights &mla, DeviceLayer &layer)
{
    upload.add(mla.qANorm, layer.qANorm);
    upload.add(mla.kvANorm, layer.kvANorm);
    if (mla.qA)
        addMatrix(upload, *mla.qA, layer.qA, "q_a_proj");
    addMatrix(upload, mla.qB, layer.qB, "q_b_proj");
    addMatrix(upload, mla.kvA, layer.kvA, "kv_a_proj");
    addWidened(upload, mla.kvB, layer.kvB, "kv_b_proj");
    addMatrix(upload, mla.o, layer.o, "o_proj");
}

void addAttention(Upload &upload, const GqaWeights &gqa, DeviceLayer &layer)
{
    kernels::cuda::DeviceGroupedAttention &grouped = layer.grouped;
    addMatrix(upload, gqa.q, grouped.q, "q_proj");
    addMatrix(upload, gqa.k, grouped.k, "k_proj");
    addMatrix(upload, gqa.v, grouped.v, "v_proj");
    addMatrix(upload, gqa.o, layer.o, "o_proj");
    upload.add(gqa.qBias, grouped.qBias);
    upload.add(gqa.kBias, grouped.kBias);
    upload.add(gqa.vBias, grouped.vBias);
    upload.add(gqa.qNorm, grouped.qNorm);
    upload.add(gqa.kNorm, grouped.kNorm);
}

} // namespace

void uploadLayer(const LayerWeights &weights, DeviceLayer &layer, std::vector<DeviceBuffer> &memory)
{
    Upload upload;
    upload.add(weights.inputNorm, layer.inputNorm);
    upload.add(weights.postAttentionNorm, layer.postAttentionNorm);
    std::visit([&](const auto &attention) { addAttention(upload, attention, layer); }, weights.attention);
    if (weights.dense)
        addBlock(upload, *weights.dense, layer);
    else
        addMoe(upload, *weights.moe, layer);
    memory.push_back(upload.commit());
}

} // namespace bathyscope::cuda
