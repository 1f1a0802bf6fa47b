// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/gguf_checkpoint.h"

#include "engine/checkpoint/fingerprint.h"
#include "engine/error.h"
#include "engine/limits.h"
#include "kernels/cpu/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace bathyscope {

namespace {

struct NamePair {
    std::string_view gguf;
    std::string_view hub;
};

constexpr NamePair modelTensors[] = {
    {"token_embd.weight", "model.embed_tokens.weight"},
    {"output_norm.weight", "model.norm.weight"},
    {"output.weight", "lm_head.weight"},
};

/// Behind "blk.N." and "model.layers.N.".
constexpr NamePair layerTensors[] = {
    {"attn_norm.weight", "input_layernorm.weight"},
    {"ffn_norm.weight", "post_attention_layernorm.weight"},
    {"attn_q.weight", "self_attn.q_proj.weight"},
    {"attn_q.bias", "self_attn.q_proj.bias"},
    {"attn_k.weight", "self_attn.k_proj.weight"},
    {"attn_k.bias", "self_attn.k_proj.bias"},
    {"attn_v.weight", "self_attn.v_proj.weight"},
    {"attn_v.bias", "self_attn.v_proj.bias"},
    {"attn_output.weight", "self_attn.o_proj.weight"},
    {"attn_q_norm.weight", "self_attn.q_norm.weight"},
    {"attn_k_norm.weight", "self_attn.k_norm.weight"},
    {"attn_q_a.weight", "self_attn.q_a_proj.weight"},
    {"attn_q_a_norm.weight", "self_attn.q_a_layernorm.weight"},
    {"attn_q_b.weight", "self_attn.q_b_proj.weight"},
    {"attn_kv_a_mqa.weight", "self_attn.kv_a_proj_with_mqa.weight"},
    {"attn_kv_a_norm.weight", "self_attn.kv_a_layernorm.weight"},
    {"attn_kv_b.weight", "self_attn.kv_b_proj.weight"},
    {"attn_k_b.weight", "self_attn.k_b"},
    {"attn_v_b.weight", "self_attn.v_b"},
    {"ffn_gate.weight", "mlp.gate_proj.weight"},
    {"ffn_up.weight", "mlp.up_proj.weight"},
    {"ffn_down.weight", "mlp.down_proj.weight"},
    {"ffn_gate_inp.weight", "mlp.gate.weight"},
    {"exp_probs_b.bias", "mlp.gate.e_score_correction_bias"},
    {"ffn_gate_exps.weight", "mlp.experts.gate_proj"},
    {"ffn_up_exps.weight", "mlp.experts.up_proj"},
    {"ffn_down_exps.weight", "mlp.experts.down_proj"},
    {"ffn_gate_shexp.weight", "mlp.shared_experts.gate_proj.weight"},
    {"ffn_up_shexp.weight", "mlp.shared_experts.up_proj.weight"},
    {"ffn_down_shexp.weight", "mlp.shared_experts.down_proj.weight"},
};

template <std::size_t N>
std::optional<std::string> lookUp(const NamePair (&pairs)[N], std::string_view name)
{
    const auto *found =
        std::find_if(std::begin(pairs), std::end(pairs), [&](const NamePair &p) { return p.gguf == name; });
    return found == std::end(pairs) ? std::nullopt : std::optional(std::string(found->hub));
}

/// The name on the hub; none for a tensor that no known layer has.
std::optional<std::string> hubName(std::string_view name)
{
    if (!name.starts_with("blk."))
        return lookUp(modelTensors, name);
    const std::size_t dot = name.find('.', 4);
    const std::string_view number = name.substr(4, dot == std::string_view::npos ? 0 : dot - 4);
    if (number.empty() || number.size() > 4
        || number.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    const auto inLayer = lookUp(layerTensors, name.substr(dot + 1));
    return inLayer ? std::optional(fmt::format("model.layers.{}.{}", number, *inLayer)) : std::nullopt;
}

/// "…-00001-of-00003.gguf" with another number.
std::filesystem::path partPath(const std::filesystem::path &file, std::int64_t number, std::int64_t count)
{
    const std::string name = toUtf8(file.filename());
    const std::string ending = "-00001-of-00001.gguf";
    if (name.size() <= ending.size())
        throwFileError(file, "file name", fmt::format("one that ends with -NNNNN-of-{:05}.gguf", count),
                       name);
    return file.parent_path()
        / fromUtf8(fmt::format("{}-{:05}-of-{:05}.gguf", name.substr(0, name.size() - ending.size()), number,
                               count));
}

std::int64_t splitNumber(const GgufFile &file, const std::string &key, std::int64_t most)
{
    const nlohmann::json number = file.metadata().value(key, nlohmann::json());
    if (!number.is_number_integer() || number < 0 || number > most)
        throwFileError(file.path(), key, fmt::format("an integer from 0 to {}", most), number.dump());
    return number.get<std::int64_t>();
}

} // namespace

GgufCheckpoint::GgufCheckpoint(const std::filesystem::path &file, GgufContents contents)
    : m_contents(contents)
{
    openParts(file);
    for (const auto &part : m_files)
        for (const auto &[tensorName, tensor] : part->tensors())
            addTensor(*part, tensorName, tensor);
    for (std::int64_t i = 0; i < limits::maxLayers; ++i) {
        const std::string layer = fmt::format("model.layers.{}.", i);
        for (const char *projection : {"gate_proj", "up_proj", "down_proj"})
            if (const Tensor *all = find(layer + "mlp.experts." + projection))
                addExperts(layer, projection, *all);
        const Tensor *keys = find(layer + "self_attn.k_b");
        const Tensor *values = find(layer + "self_attn.v_b");
        if (keys && values)
            joinKeysAndValues(layer, *keys, *values);
    }
    expectWhole();
}

void GgufCheckpoint::openParts(const std::filesystem::path &file)
{
    m_files.push_back(std::make_unique<GgufFile>(file));
    if (!m_files.front()->metadata().contains("split.count"))
        return;
    const std::int64_t count = splitNumber(*m_files.front(), "split.count", limits::maxGgufParts);
    if (count <= 1)
        return;
    m_files.clear();
    std::size_t tensors = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto &part = *m_files.emplace_back(std::make_unique<GgufFile>(partPath(file, i + 1, count)));
        if (splitNumber(part, "split.no", count - 1) != i || splitNumber(part, "split.count", count) != count)
            throwFileError(part.path(), "split.no", fmt::format("part {} of {}", i, count), "another part");
        tensors += part.tensors().size();
    }
    const std::int64_t expected =
        splitNumber(*m_files.front(), "split.tensors.count", std::int64_t(limits::maxGgufTensors));
    if (static_cast<std::int64_t>(tensors) != expected)
        throwFileError(file, "split.tensors.count", fmt::format("{} tensors in all parts", expected),
                       fmt::format("{}", tensors));
}

void GgufCheckpoint::addTensor(const GgufFile &file, const std::string &tensorName, const GgufTensor &tensor)
{
    const std::string path = toUtf8(file.path());
    const auto hub = tensorName == "rope_freqs.weight" ? tensorName : hubName(tensorName);
    if (!hub)
        throwFileError(
            file.path(), tensorName, fmt::format("tensors of a model that can run ({})", ggufArchitectures),
            fmt::format("one that they do not have, in a model of the kind {}",
                        metadata().value("general.architecture", nlohmann::json("unnamed")).dump()));
    if (!m_tensors.emplace(*hub, Tensor{tensor.dtype, tensor.shape, tensor.bytes.data(), path}).second)
        throwFileError(file.path(), tensorName, "one tensor of that name in all parts", "two");
}

/// Experts lie one behind the other: [experts, rows, columns].
void GgufCheckpoint::addExperts(const std::string &layer, const std::string &projection, const Tensor &all)
{
    if (all.shape.size() != 3 || all.shape[0] > limits::maxExperts)
        throwFileError(fromUtf8(all.file), layer + "mlp.experts." + projection,
                       fmt::format("[experts, rows, columns] of at most {} experts", limits::maxExperts),
                       all.describe());
    const std::size_t size =
        static_cast<std::size_t>(all.shape[1]) * kernels::rowBytes(all.dtype, all.shape[2]);
    for (std::int64_t e = 0; e < all.shape[0]; ++e) {
        const auto *data = static_cast<const std::byte *>(all.data) + static_cast<std::size_t>(e) * size;
        m_tensors.emplace(fmt::format("{}mlp.experts.{}.{}.weight", layer, e, projection),
                          Tensor{all.dtype, {all.shape[1], all.shape[2]}, data, all.file});
    }
}

/// kv_b_proj [heads * (nope + value), latent] from keys [heads, latent, nope] and values [heads, value,
/// latent].
void GgufCheckpoint::joinKeysAndValues(const std::string &layer, const Tensor &keys, const Tensor &values)
{
    const bool fit = keys.shape.size() == 3 && values.shape.size() == 3 && keys.shape[0] == values.shape[0]
        && keys.shape[1] == values.shape[2];
    if (!fit)
        throwFileError(fromUtf8(keys.file), layer + "self_attn.k_b",
                       "[heads, latent, nope] beside [heads, value, latent]",
                       keys.describe() + " and " + values.describe());
    const std::int64_t heads = keys.shape[0];
    const std::int64_t latent = keys.shape[1];
    const std::int64_t nope = keys.shape[2];
    const std::int64_t value = values.shape[1];
    const auto place = [&](const float *data) {
        m_tensors.insert_or_assign(
            layer + "self_attn.kv_b_proj.weight",
            Tensor{kernels::DType::F32, {heads * (nope + value), latent}, data, keys.file});
    };
    if (m_contents == GgufContents::Headers) {
        place(nullptr);
        return;
    }
    std::vector<float> &joined =
        m_joined.emplace_back(static_cast<std::size_t>(heads * (nope + value) * latent));
    std::vector<float> row(static_cast<std::size_t>(nope));
    for (std::int64_t head = 0; head < heads; ++head) {
        float *out = joined.data() + head * (nope + value) * latent;
        for (std::int64_t l = 0; l < latent; ++l) {
            kernels::widenRow(
                {.data = keys.data, .dtype = keys.dtype, .rows = heads * latent, .columns = nope},
                head * latent + l, row.data());
            for (std::int64_t n = 0; n < nope; ++n)
                out[n * latent + l] = row[static_cast<std::size_t>(n)];
        }
        for (std::int64_t v = 0; v < value; ++v)
            kernels::widenRow(
                {.data = values.data, .dtype = values.dtype, .rows = heads * value, .columns = latent},
                head * value + v, out + (nope + v) * latent);
    }
    place(joined.data());
}

const Tensor *GgufCheckpoint::find(const std::string &name) const
{
    const auto found = m_tensors.find(name);
    return found == m_tensors.end() ? nullptr : &found->second;
}

std::string GgufCheckpoint::name() const
{
    return toUtf8(path());
}

std::vector<std::span<const std::byte>> GgufCheckpoint::mappedFiles() const
{
    std::vector<std::span<const std::byte>> files;
    for (const auto &file : m_files)
        files.push_back(file->bytes());
    return files;
}

void GgufCheckpoint::expectWhole() const
{
    for (const auto &file : m_files)
        file->expectWhole();
}

std::vector<float> GgufCheckpoint::ropeFactors() const
{
    const Tensor *tensor = find("rope_freqs.weight");
    if (!tensor)
        return {};
    if (tensor->dtype != kernels::DType::F32 || tensor->shape.size() != 1)
        throwFileError(path(), "rope_freqs.weight", "F32 of one dimension", tensor->describe());
    std::vector<float> factors(static_cast<std::size_t>(tensor->shape[0]));
    std::memcpy(factors.data(), tensor->data, factors.size() * sizeof(float));
    if (!std::all_of(factors.begin(), factors.end(), [](float factor) { return factor > 0; }))
        throwFileError(path(), "rope_freqs.weight", "numbers above 0", "others");
    return factors;
}

std::int64_t GgufCheckpoint::bytes() const
{
    std::size_t sum = 0;
    for (const auto &file : m_files)
        for (const auto &[tensorName, tensor] : file->tensors())
            sum += tensor.bytes.size();
    return static_cast<std::int64_t>(sum);
}

std::string GgufCheckpoint::fingerprint() const
{
    Fingerprint fingerprint;
    for (const auto &file : m_files)
        for (const auto &[tensorName, tensor] : file->tensors())
            fingerprint.add(tensorName, kernels::blockOf(tensor.dtype).name, tensor.shape, tensor.bytes);
    expectWhole();
    return fingerprint.text();
}

} // namespace bathyscope
