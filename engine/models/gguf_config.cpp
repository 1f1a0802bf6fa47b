// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/models/gguf_config.h"

#include "engine/error.h"
#include "engine/limits.h"
#include "engine/models/architectures.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

using nlohmann::json;

/// Metadata of one architecture on its way to a config.json.
class Translator {
public:
    explicit Translator(const GgufCheckpoint &model)
        : m_model(model)
        , m_metadata(model.metadata(), model.path())
        , m_architecture(m_metadata.text("general.architecture"))
    {
    }

    /// The hub's config.json for the model.
    json hubConfig()
    {
        if (m_architecture == "deepseek2") {
            addDeepseek();
        } else if (m_architecture == "llama") {
            m_config["model_type"] = "llama";
            // The converter reorders the rows of q_proj and k_proj so that pairs lie side by side.
            m_config["rope_interleave"] = true;
            addGrouped();
        } else if (m_architecture == "qwen2" || m_architecture == "qwen3") {
            m_config["model_type"] = m_architecture;
            addGrouped();
        } else if (m_architecture == "qwen3moe") {
            m_config["model_type"] = "qwen3_moe";
            addGrouped();
            addQwenExperts();
        } else {
            m_metadata.fail("general.architecture", std::string(ggufArchitectures), m_architecture);
        }
        addCommon();
        addRope();
        return std::move(m_config);
    }

private:
    [[nodiscard]] std::string key(const std::string &name) const { return m_architecture + "." + name; }
    [[nodiscard]] bool has(const std::string &name) const { return m_metadata.has(key(name)); }
    [[nodiscard]] const json &value(const std::string &name) const
    {
        if (!has(name))
            m_metadata.fail(key(name), "a value");
        return m_model.metadata().at(key(name));
    }
    [[nodiscard]] std::int64_t integerOr(const std::string &name, std::int64_t fallback) const
    {
        return m_metadata.integerOr(key(name), fallback, 0, limits::maxWidth);
    }
    /// A required value, under its name on the hub.
    void take(const std::string &hub, const std::string &name) { m_config[hub] = value(name); }
    /// The same where it may be absent.
    void takeIfThere(const std::string &hub, const std::string &name)
    {
        if (has(name))
            take(hub, name);
    }

    void addCommon()
    {
        take("hidden_size", "embedding_length");
        take("intermediate_size", "feed_forward_length");
        take("num_hidden_layers", "block_count");
        take("num_attention_heads", "attention.head_count");
        take("max_position_embeddings", "context_length");
        take("rms_norm_eps", "attention.layer_norm_rms_epsilon");
        m_config["vocab_size"] = m_metadata.has("tokenizer.ggml.tokens")
            ? json(m_model.metadata().at("tokenizer.ggml.tokens").size())
            : value("vocab_size");
        m_config["tie_word_embeddings"] = m_model.find("lm_head.weight") == nullptr;
        for (const char *id : {"bos_token_id", "eos_token_id"})
            if (const std::string full = std::string("tokenizer.ggml.") + id; m_metadata.has(full))
                m_config[id] = m_model.metadata().at(full);
    }

    void addRope()
    {
        m_config["rope_theta"] = has("rope.freq_base") ? value("rope.freq_base") : json(10000);
        const std::string type = m_metadata.textOr(key("rope.scaling.type"), "none");
        if (type == "none")
            return;
        json scaling = {{"rope_type", type},
                        {"factor", value("rope.scaling.factor")},
                        {"original_max_position_embeddings", value("rope.scaling.original_context_length")}};
        if (has("rope.scaling.yarn_beta_fast"))
            scaling["beta_fast"] = value("rope.scaling.yarn_beta_fast");
        if (has("rope.scaling.yarn_beta_slow"))
            scaling["beta_slow"] = value("rope.scaling.yarn_beta_slow");
        if (has("rope.scaling.yarn_log_multiplier")) {
            // A tenth of mscale_all_dim; the published DeepSeek models have the same mscale.
            const double mscale = 10 * m_metadata.number(key("rope.scaling.yarn_log_multiplier"), 0, 10);
            scaling["mscale"] = mscale;
            scaling["mscale_all_dim"] = mscale;
        }
        m_config["rope_scaling"] = std::move(scaling);
    }

    void addGrouped()
    {
        takeIfThere("num_key_value_heads", "attention.head_count_kv");
        takeIfThere("head_dim", "attention.key_length");
        const std::int64_t heads = m_metadata.integer(key("attention.head_count"), 1, limits::maxWidth);
        const std::int64_t headDim = integerOr(
            "attention.key_length", m_metadata.integer(key("embedding_length"), 1, limits::maxWidth) / heads);
        for (const char *name : {"attention.value_length", "rope.dimension_count"})
            if (integerOr(name, headDim) != headDim)
                m_metadata.fail(key(name), fmt::format("the size of a head ({})", headDim));
        if (m_architecture != "qwen2" && m_model.find("model.layers.0.self_attn.q_proj.bias"))
            m_metadata.fail("blk.0.attn_q.bias", "no biases in a model of this architecture", "one");
        if (m_architecture != "qwen3moe" && integerOr("expert_count", 0) > 0)
            m_metadata.fail(key("expert_count"), "0 (a model without experts)");
    }

    void addQwenExperts()
    {
        take("num_experts", "expert_count");
        take("num_experts_per_tok", "expert_used_count");
        take("moe_intermediate_size", "expert_feed_forward_length");
        m_config["norm_topk_prob"] = true; // as all published models of the architecture
        json dense = json::array();
        const std::int64_t layers = m_metadata.integer(key("block_count"), 1, limits::maxLayers);
        for (std::int64_t i = 0; i < layers; ++i)
            if (!m_model.find(fmt::format("model.layers.{}.mlp.gate.weight", i)))
                dense.push_back(i);
        m_config["mlp_only_layers"] = std::move(dense);
    }

    void addDeepseek()
    {
        constexpr std::int64_t sigmoid = 2; // llama.cpp, expert_gating_func
        const bool v3 = integerOr("expert_gating_func", 1) == sigmoid;
        m_config["model_type"] = v3 ? "deepseek_v3" : "deepseek_v2";
        takeIfThere("q_lora_rank", "attention.q_lora_rank");
        take("kv_lora_rank", "attention.kv_lora_rank");
        // Files with attn_k_b say the sizes of the latent form first, and these in keys of their own.
        const bool latentForm = has("attention.key_length_mla");
        const std::string ending = latentForm ? "_mla" : "";
        const std::int64_t keys =
            m_metadata.integer(key("attention.key_length" + ending), 1, limits::maxWidth);
        const std::int64_t rope = m_metadata.integer(key("rope.dimension_count"), 1, limits::maxWidth);
        m_config["qk_rope_head_dim"] = rope;
        m_config["qk_nope_head_dim"] = keys - rope;
        take("v_head_dim", "attention.value_length" + ending);
        if (integerOr("expert_count", 0) == 0)
            return;
        take("n_routed_experts", "expert_count");
        take("num_experts_per_tok", "expert_used_count");
        take("moe_intermediate_size", "expert_feed_forward_length");
        takeIfThere("n_shared_experts", "expert_shared_count");
        takeIfThere("first_k_dense_replace", "leading_dense_block_count");
        takeIfThere("routed_scaling_factor", "expert_weights_scale");
        m_config["norm_topk_prob"] = m_metadata.booleanOr(key("expert_weights_norm"), false);
        addGroups(v3);
    }

    void addGroups(bool v3)
    {
        if (has("expert_group_count")) {
            take("n_group", "expert_group_count");
            take("topk_group", "expert_group_used_count");
        } else if (v3 && value("expert_count") == 256) {
            // Files older than these keys: the number of experts tells DeepSeek-V3 and R1 …
            m_config["n_group"] = 8;
            m_config["topk_group"] = 4;
        } else if (!v3 && value("expert_count") == 160) {
            m_config["n_group"] = 8; // … and V2; the other models have one group.
            m_config["topk_group"] = 3;
        }
        const bool grouped = m_config.value("n_group", json(1)) != 1;
        m_config["topk_method"] = v3 ? "noaux_tc" : grouped ? "group_limited_greedy" : "greedy";
    }

    const GgufCheckpoint &m_model;
    ConfigReader m_metadata;
    std::string m_architecture;
    json m_config = json::object();
};

} // namespace

ModelConfig loadModelConfig(const GgufCheckpoint &model)
{
    const json object = Translator(model).hubConfig();
    const ConfigReader reader(object, model.path());
    ModelConfig config = findArchitecture(reader.text("model_type"))->readConfig(reader);
    config.rope.frequencyFactors = model.ropeFactors();
    const std::size_t factors = config.rope.frequencyFactors.size();
    if (factors != 0 && factors != static_cast<std::size_t>(config.ropeDimensions() / 2))
        throwFileError(model.path(), "rope_freqs.weight",
                       fmt::format("{} values", config.ropeDimensions() / 2), fmt::format("{}", factors));
    return config;
}

GenerationConfig loadGenerationConfig(const GgufCheckpoint &model)
{
    const ConfigReader c(model.metadata(), model.path());
    GenerationConfig generation;
    SamplingParameters &s = generation.sampling;
    s.temperature = static_cast<float>(c.numberOr("general.sampling.temp", 1, 0, 100));
    s.topK = static_cast<std::int32_t>(c.integerOr("general.sampling.top_k", 0, 0, INT32_MAX));
    s.topP = static_cast<float>(c.numberOr("general.sampling.top_p", 1, 0, 1));
    s.minP = static_cast<float>(c.numberOr("general.sampling.min_p", 0, 0, 1));
    for (const char *key : {"eos", "eot", "eom"})
        for (const TokenId id :
             c.tokenIds(fmt::format("tokenizer.ggml.{}_token_id", key), limits::maxVocabulary))
            generation.eosTokenIds.push_back(id);
    return generation;
}

} // namespace bathyscope
