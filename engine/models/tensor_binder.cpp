// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/models/tensor_binder.h"

#include "engine/error.h"
#include "engine/models/model_weights.h"
#include "kernels/cpu/operations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bathyscope {

using kernels::MatrixView;

namespace {

/// "`file`: `tensor`: expected `expected`, found `found`".
[[noreturn]] void fail(const Tensor &tensor, const TensorSource &source, const std::string &name,
                       const std::string &expected)
{
    throw Error(fmt::format("{}: {}: expected {}, found {}",
                            tensor.file.empty() ? source.name() : tensor.file, name, expected,
                            tensor.describe()));
}

} // namespace

const Tensor &TensorBinder::tensor(const std::string &name, const std::vector<std::int64_t> &shape) const
{
    const Tensor *found = m_source.find(name, shape);
    const std::string expected = fmt::format("a tensor [{}]", fmt::join(shape, ", "));
    if (!found)
        throw Error(fmt::format("{}: {}: expected {}, found none", m_source.name(), name, expected));
    if (found->shape != shape)
        fail(*found, m_source, name, expected);
    return *found;
}

kernels::MatrixView TensorBinder::matrix(const std::string &name, std::int64_t rows,
                                         std::int64_t columns) const
{
    const Tensor &weight = tensor(name + ".weight", {rows, columns});
    kernels::MatrixView view{.data = weight.data, .dtype = weight.dtype, .rows = rows, .columns = columns};
    if (weight.dtype != kernels::DType::F8E4M3)
        return view;
    constexpr std::int64_t block = kernels::scaleBlock;
    view.scaleColumns = (columns + block - 1) / block;
    const std::string scaleName = name + ".weight_scale_inv";
    const Tensor &scales = tensor(scaleName, {(rows + block - 1) / block, view.scaleColumns});
    if (scales.dtype != kernels::DType::F32)
        fail(scales, m_source, scaleName, "F32");
    view.scales = static_cast<const float *>(scales.data);
    return view;
}

std::vector<float> TensorBinder::vector(const std::string &name, std::int64_t size) const
{
    const Tensor &found = tensor(name, {size});
    if (found.dtype == kernels::DType::F8E4M3 || kernels::isPacked(found.dtype))
        fail(found, m_source, name, "F32, F16 or BF16");
    std::vector<float> values(static_cast<std::size_t>(size));
    kernels::widenRow({.data = found.data, .dtype = found.dtype, .rows = 1, .columns = size}, 0,
                      values.data());
    return values;
}

namespace {

void add(ParameterCount &count, const kernels::MatrixView &matrix, double activeShare = 1)
{
    const auto n = static_cast<std::uint64_t>(matrix.rows * matrix.columns);
    count.total += n;
    count.active += static_cast<std::uint64_t>(double(n) * activeShare);
}

void add(ParameterCount &count, const FeedForwardWeights &w, double activeShare = 1)
{
    add(count, w.gate, activeShare);
    add(count, w.up, activeShare);
    add(count, w.down, activeShare);
}

void add(ParameterCount &count, const MlaWeights &w, double activeShare)
{
    if (w.qA)
        add(count, *w.qA, activeShare);
    for (const auto &matrix : {w.qB, w.kvA, w.kvB, w.o})
        add(count, matrix, activeShare);
}

void add(ParameterCount &count, const GqaWeights &w, double activeShare)
{
    for (const auto &matrix : {w.q, w.k, w.v, w.o})
        add(count, matrix, activeShare);
}

void add(ParameterCount &count, const ModelConfig &config, const LayerWeights &layer, double activeShare = 1)
{
    std::visit([&](const auto &attention) { add(count, attention, activeShare); }, layer.attention);
    if (layer.dense)
        add(count, *layer.dense, activeShare);
    if (!layer.moe)
        return;
    add(count, layer.moe->router, activeShare);
    for (const FeedForwardWeights &expert : layer.moe->experts)
        add(count, expert, activeShare * config.moe->numExpertsPerTok / config.moe->nRoutedExperts);
    if (layer.moe->shared)
        add(count, *layer.moe->shared, activeShare);
}

} // namespace

const MatrixView &LayerWeights::outputProjection() const
{
    return std::visit([](const auto &kind) -> const MatrixView & { return kind.o; }, attention);
}

ParameterCount countParameters(const ModelConfig &config, const ModelWeights &weights)
{
    ParameterCount count;
    add(count, weights.embedding, 0); // one row is read: not counted as active, as the papers do
    if (weights.head.data != weights.embedding.data)
        add(count, weights.head);
    for (const LayerWeights &layer : weights.layers)
        add(count, config, layer);
    if (weights.mtp) { // not needed for writing a token, so not active
        add(count, weights.mtp->projection, 0);
        add(count, config, weights.mtp->layer, 0);
    }
    return count;
}

} // namespace bathyscope
