// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/json_values.h"

#include "engine/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>

namespace bathyscope::storage {

namespace {

using Json = nlohmann::json;

/// Broken UTF-8 in a name must not keep a message from being stored.
std::string dump(const Json &json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The library converts any number to any other, also where that has no meaning.
template <typename Value>
Value wholeNumber(const Json &json, const char *key)
{
    const bool fits = json.is_number_unsigned()
        ? std::in_range<Value>(json.get<std::uint64_t>())
        : json.is_number_integer() && std::in_range<Value>(json.get<std::int64_t>());
    if (!fits)
        throw Error(
            fmt::format("A stored value is damaged: {}: expected a whole number of {} bytes, found {}", key,
                        sizeof(Value), dump(json)));
    return json.get<Value>();
}

/// Leaves `value` as it is when the key is missing. A number that JSON cannot hold (NaN, infinity) was
/// written as null.
template <typename Value>
void get(const Json &json, const char *key, Value &value)
{
    const auto found = json.find(key);
    if (found == json.end() || found->is_null())
        return;
    if constexpr (std::is_integral_v<Value>)
        value = wholeNumber<Value>(*found, key);
    else
        value = found->template get<Value>();
}

template <typename Value, typename Read>
void parse(std::string_view text, Value &value, Read &&read)
{
    try {
        const Json json = Json::parse(text);
        Value result;
        read(json, result);
        value = std::move(result);
    } catch (const Json::exception &error) {
        throw Error(fmt::format("A stored value is damaged: {}", error.what()));
    }
}

Json samplingJson(const SamplingParameters &value)
{
    Json json{{"temperature", value.temperature},
              {"top_k", value.topK},
              {"top_p", value.topP},
              {"min_p", value.minP},
              {"repetition_penalty", value.repetitionPenalty},
              {"max_tokens", value.maxTokens}};
    if (value.seed)
        json["seed"] = *value.seed;
    return json;
}

void readSampling(const Json &json, SamplingParameters &value)
{
    get(json, "temperature", value.temperature);
    get(json, "top_k", value.topK);
    get(json, "top_p", value.topP);
    get(json, "min_p", value.minP);
    get(json, "repetition_penalty", value.repetitionPenalty);
    get(json, "max_tokens", value.maxTokens);
    if (json.contains("seed"))
        value.seed = wholeNumber<std::uint64_t>(json.at("seed"), "seed");
}

FinishReason finishReason(int number)
{
    if (number < 0 || number > static_cast<int>(FinishReason::Error))
        throw Error(fmt::format("A stored value is damaged: finish: expected 0 to 4, found {}", number));
    return static_cast<FinishReason>(number);
}

} // namespace

std::string toJson(const SamplingParameters &value)
{
    return dump(samplingJson(value));
}

std::string toJson(const GenerationSummary &value)
{
    return dump({{"finish", static_cast<int>(value.finish)},
                 {"error", value.error},
                 {"prompt_tokens", value.promptTokens},
                 {"reused_tokens", value.reusedTokens},
                 {"generated_tokens", value.generatedTokens},
                 {"context_used", value.contextUsed},
                 {"prefill_seconds", value.prefillSeconds},
                 {"decode_seconds", value.decodeSeconds}});
}

std::string toJson(const ModelInfo &value)
{
    return dump({{"name", value.name},
                 {"path", value.path},
                 {"architecture", value.architecture},
                 {"dtype", value.dtype},
                 {"device", value.device},
                 {"fingerprint", value.fingerprint},
                 {"parameters", value.parameters},
                 {"active_parameters", value.activeParameters},
                 {"layers", value.layers},
                 {"moe_layers", value.moeLayers},
                 {"experts", value.experts},
                 {"experts_per_token", value.expertsPerToken},
                 {"context_length", value.contextLength},
                 {"cache_bytes_per_token", value.cacheBytesPerToken},
                 {"defaults", samplingJson(value.defaults)}});
}

void fromJson(std::string_view text, SamplingParameters &value)
{
    parse(text, value, readSampling);
}

void fromJson(std::string_view text, GenerationSummary &value)
{
    parse(text, value, [](const Json &json, GenerationSummary &result) {
        result.finish = finishReason(json.at("finish").get<int>());
        get(json, "error", result.error);
        get(json, "prompt_tokens", result.promptTokens);
        get(json, "reused_tokens", result.reusedTokens);
        get(json, "generated_tokens", result.generatedTokens);
        get(json, "context_used", result.contextUsed);
        get(json, "prefill_seconds", result.prefillSeconds);
        get(json, "decode_seconds", result.decodeSeconds);
    });
}

void fromJson(std::string_view text, ModelInfo &value)
{
    parse(text, value, [](const Json &json, ModelInfo &result) {
        get(json, "name", result.name);
        get(json, "path", result.path);
        get(json, "architecture", result.architecture);
        get(json, "dtype", result.dtype);
        get(json, "device", result.device);
        get(json, "fingerprint", result.fingerprint);
        get(json, "parameters", result.parameters);
        get(json, "active_parameters", result.activeParameters);
        get(json, "layers", result.layers);
        get(json, "moe_layers", result.moeLayers);
        get(json, "experts", result.experts);
        get(json, "experts_per_token", result.expertsPerToken);
        get(json, "context_length", result.contextLength);
        get(json, "cache_bytes_per_token", result.cacheBytesPerToken);
        if (json.contains("defaults"))
            readSampling(json.at("defaults"), result.defaults);
    });
}

} // namespace bathyscope::storage
