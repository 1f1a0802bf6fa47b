// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/random_weights.h"

#include "engine/checkpoint/random_blocks.h"
#include "engine/error.h"
#include "engine/models/architectures.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

namespace bathyscope {

namespace {

bool endsWith(const std::string &text, const char *end)
{
    return text.size() >= std::strlen(end)
        && text.compare(text.size() - std::strlen(end), std::string::npos, end) == 0;
}

/// e4m3 bytes with exponents 2^-3 … 2^0: standard deviation about 0.75, no NaN.
void fillF8(FastRandom &random, std::uint8_t *out, std::size_t count)
{
    for (std::size_t i = 0; i < count; i += 8) {
        const std::uint64_t bits = (random.next() & 0x9F9F9F9F9F9F9F9FULL) | 0x2020202020202020ULL;
        std::memcpy(out + i, &bits, std::min<std::size_t>(8, count - i));
    }
}

std::uint16_t toBf16(float value)
{
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    return static_cast<std::uint16_t>(bits >> 16U);
}

/// Uniform numbers of the given standard deviation.
void fillBf16(FastRandom &random, std::uint16_t *out, std::size_t count, float deviation)
{
    const float step = deviation * std::sqrt(3.0F) / 32768.0F;
    for (std::size_t i = 0; i < count; ++i)
        out[i] = toBf16(static_cast<float>(static_cast<std::int16_t>(random.next() >> 48U)) * step);
}

constexpr float f8Deviation = 0.75F;
constexpr const char *embeddingName = "model.embed_tokens.weight";

} // namespace

struct RandomWeights::Entry {
    Tensor tensor;
    std::unique_ptr<std::byte[]> bytes;
};

RandomWeights::RandomWeights(kernels::DType dtype)
    : m_dtype(dtype)
{
}

RandomWeights::~RandomWeights() = default;

const Tensor *RandomWeights::find(const std::string &name) const
{
    const auto found = m_entries.find(name);
    return found == m_entries.end() ? nullptr : &found->second->tensor;
}

const Tensor *RandomWeights::find(const std::string &name, const std::vector<std::int64_t> &shape) const
{
    if (const Tensor *known = find(name))
        return known;
    auto entry = std::make_unique<Entry>();
    Tensor &tensor = entry->tensor;
    tensor.shape = shape;
    const bool scales = endsWith(name, "weight_scale_inv");
    const bool packed = kernels::isPacked(m_dtype) && (name == "lm_head.weight" || name == embeddingName);
    const bool projection =
        packed || endsWith(name, "_proj.weight") || endsWith(name, "_proj_with_mqa.weight");
    tensor.dtype = scales ? kernels::DType::F32 : projection ? m_dtype : kernels::DType::BF16;
    const auto count = static_cast<std::size_t>(tensor.elements());
    entry->bytes =
        std::make_unique_for_overwrite<std::byte[]>(kernels::rowBytes(tensor.dtype, tensor.elements()));
    tensor.data = entry->bytes.get();

    FastRandom random(std::hash<std::string>()(name));
    const bool isVector = shape.size() == 1;
    const float deviation = 1.0F / std::sqrt(static_cast<float>(shape.back()));
    if (scales)
        // Scales cover 128 columns each: the deviation of the whole row follows from their number.
        std::fill_n(reinterpret_cast<float *>(entry->bytes.get()), count,
                    1.0F / (f8Deviation * std::sqrt(static_cast<float>(shape.back() * kernels::scaleBlock))));
    else if (kernels::isPacked(tensor.dtype))
        fillPackedBlocks(random, tensor.dtype, entry->bytes.get(),
                         count / static_cast<std::size_t>(kernels::blockOf(tensor.dtype).elements),
                         deviation);
    else if (tensor.dtype == kernels::DType::F8E4M3)
        fillF8(random, reinterpret_cast<std::uint8_t *>(entry->bytes.get()), count);
    else if (isVector && !endsWith(name, "bias"))
        std::fill_n(reinterpret_cast<std::uint16_t *>(entry->bytes.get()), count, toBf16(1.0F));
    else
        fillBf16(random, reinterpret_cast<std::uint16_t *>(entry->bytes.get()), count, deviation);
    return &m_entries.emplace(name, std::move(entry)).first->second->tensor;
}

namespace {

constexpr const char *builtinShape = R"({
    "model_type": "deepseek_v3", "vocab_size": 1024, "hidden_size": 192, "intermediate_size": 576,
    "moe_intermediate_size": 96, "num_hidden_layers": 8, "first_k_dense_replace": 1, "num_attention_heads": 6,
    "n_routed_experts": 32, "n_shared_experts": 1, "num_experts_per_tok": 4, "n_group": 4, "topk_group": 2,
    "routed_scaling_factor": 1.0, "q_lora_rank": 96, "kv_lora_rank": 96, "qk_nope_head_dim": 48,
    "qk_rope_head_dim": 16, "v_head_dim": 64, "max_position_embeddings": 2048})";

// config.json of deepseek-ai/DeepSeek-V2-Lite
constexpr const char *v2LiteShape = R"({
    "model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048, "intermediate_size": 10944,
    "moe_intermediate_size": 1408, "num_hidden_layers": 27, "first_k_dense_replace": 1, "num_attention_heads": 16,
    "n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6, "n_group": 1, "topk_group": 1,
    "topk_method": "greedy", "scoring_func": "softmax", "norm_topk_prob": false, "routed_scaling_factor": 1.0,
    "q_lora_rank": null, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
    "max_position_embeddings": 163840,
    "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32,
                     "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 0.707}})";

// config.json of deepseek-ai/DeepSeek-V3
constexpr const char *v3Shape = R"({
    "model_type": "deepseek_v3", "vocab_size": 129280, "hidden_size": 7168, "intermediate_size": 18432,
    "moe_intermediate_size": 2048, "num_hidden_layers": 61, "first_k_dense_replace": 3, "num_attention_heads": 128,
    "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "n_group": 8, "topk_group": 4,
    "routed_scaling_factor": 2.5, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64, "v_head_dim": 128, "max_position_embeddings": 163840,
    "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32,
                     "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0}})";

// config.json of deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B
constexpr const char *distill1Shape = R"({
    "model_type": "qwen2", "vocab_size": 151936, "hidden_size": 1536, "intermediate_size": 8960,
    "num_hidden_layers": 28, "num_attention_heads": 12, "num_key_value_heads": 2, "rope_theta": 10000,
    "rms_norm_eps": 1e-06, "max_position_embeddings": 131072, "tie_word_embeddings": false})";

// config.json of deepseek-ai/DeepSeek-R1-Distill-Qwen-7B
constexpr const char *distill7Shape = R"({
    "model_type": "qwen2", "vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4, "rope_theta": 10000,
    "rms_norm_eps": 1e-06, "max_position_embeddings": 131072, "tie_word_embeddings": false})";

// config.json of Qwen/Qwen3-30B-A3B
constexpr const char *qwen3MoeShape = R"({
    "model_type": "qwen3_moe", "vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 6144,
    "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8, "norm_topk_prob": true,
    "decoder_sparse_step": 1, "mlp_only_layers": [], "num_hidden_layers": 48, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "rope_theta": 1000000, "rms_norm_eps": 1e-06,
    "max_position_embeddings": 40960, "tie_word_embeddings": false})";

struct NamedShape {
    const char *name;
    const char *config;
};
constexpr NamedShape namedShapes[] = {{"builtin", builtinShape},
                                      {"deepseek-v2-lite", v2LiteShape},
                                      {"r1-distill-qwen-1.5b", distill1Shape},
                                      {"r1-distill-qwen-7b", distill7Shape},
                                      {"qwen3-30b-a3b", qwen3MoeShape}};

ModelConfig readShape(const std::string &name, nlohmann::json object)
{
    const ConfigReader reader(object, name);
    return findArchitecture(reader.text("model_type"))->readConfig(reader);
}

} // namespace

ModelConfig shapeConfig(const std::string &shape)
{
    std::string names;
    for (const NamedShape &named : namedShapes) {
        names += std::string(named.name) + ", ";
        if (shape == named.name)
            return readShape(shape, nlohmann::json::parse(named.config));
    }
    const std::string prefix = "deepseek-v3:";
    if (shape.compare(0, prefix.size(), prefix) == 0) {
        int layers = 0;
        const char *end = shape.data() + shape.size();
        const auto [rest, error] = std::from_chars(shape.data() + prefix.size(), end, layers);
        if (error == std::errc() && rest == end && layers >= 1 && layers <= 61) {
            nlohmann::json object = nlohmann::json::parse(v3Shape);
            object["num_hidden_layers"] = layers;
            object["first_k_dense_replace"] = std::min(layers, 3);
            return readShape(shape, object);
        }
    }
    throw Error(fmt::format("shape: expected {}or deepseek-v3:LAYERS (1 to 61), found {}", names, shape));
}

} // namespace bathyscope
