// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/gguf_tokenizer.h"

#include "engine/error.h"
#include "engine/text/tokenizer/json_access.h"

#include <fmt/format.h>
#include <vector>

namespace bathyscope {

namespace {

using Path = std::filesystem::path;
// The patterns of the published tokenizer.json files.
constexpr const char *qwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+)"
    R"(|\s+(?!\S)|\s+)";
constexpr const char *llama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *deepseek3Pattern =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
    R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char *lettersOfDeepseekLlm =
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώ)"
    R"(ᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ)"
    R"(𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)";

/// What a pre-tokenizer's name stands for.
struct PreTokenizerKind {
    std::vector<const char *> names; ///< `tokenizer.ggml.pre`
    std::vector<const char *> patterns; ///< cut in this order
    bool composes = false; ///< the text is normalised to NFC before
    bool ignoreMerges = false; ///< a word in the vocabulary is one token
    bool gpt2 = false; ///< ByteLevel's own pattern
};

const std::vector<PreTokenizerKind> &preTokenizerKinds()
{
    static const std::vector<PreTokenizerKind> kinds = {
        {.names = {"qwen2", "deepseek-r1-qwen"}, .patterns = {qwen2Pattern}, .composes = true},
        {.names = {"llama-bpe", "llama3", "llama-v3"}, .patterns = {llama3Pattern}, .ignoreMerges = true},
        {.names = {"deepseek-v3"},
         .patterns = {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+", deepseek3Pattern}},
        {.names = {"deepseek-llm"},
         .patterns = {R"([\r\n])", lettersOfDeepseekLlm, R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)", R"(\s+$)",
                      "[一-龥ࠀ-一가-퟿]+", R"(\p{N}+)"}},
        {.names = {"deepseek-coder"},
         .patterns = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+", R"(\p{N})"}},
        {.names = {"gpt-2", "default"}, .patterns = {}, .gpt2 = true},
    };
    return kinds;
}

const PreTokenizerKind &preTokenizerKind(const nlohmann::json &metadata, const Path &file)
{
    const std::string key = "tokenizer.ggml.pre";
    const std::string name = json::stringMember(metadata, key, "", file);
    std::string known;
    for (const PreTokenizerKind &kind : preTokenizerKinds()) {
        for (const char *candidate : kind.names) {
            if (name == candidate) {
                return kind;
            }
            known += (known.empty() ? "" : ", ") + std::string(candidate);
        }
    }
    throwFileError(file, key, "one of " + known, name);
}

nlohmann::json preTokenizer(const PreTokenizerKind &kind)
{
    nlohmann::json steps = nlohmann::json::array();
    for (const char *pattern : kind.patterns) {
        steps.push_back({{"type", "Split"},
                         {"pattern", {{"Regex", pattern}}},
                         {"behavior", "Isolated"},
                         {"invert", false}});
    }
    steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", kind.gpt2}});
    return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

/// An array of the metadata.
const nlohmann::json &list(const nlohmann::json &metadata, const std::string &key, const Path &file)
{
    const nlohmann::json &entries = json::member(metadata, key, "", file);
    if (!entries.is_array()) {
        throwFileError(file, key, "an array", json::shown(entries));
    }
    return entries;
}

/// What is not an ordinary token, of llama.cpp's enum llama_token_type.
enum TokenType { Control = 3, UserDefined = 4, Unused = 5 };

/// Sorts the tokens into vocabulary and added tokens. Unused ones pad the vocabulary and stand for no text.
void addTokens(const nlohmann::json &metadata, const Path &file, nlohmann::json &vocabulary,
               nlohmann::json &addedTokens)
{
    const std::string key = "tokenizer.ggml.tokens";
    const nlohmann::json &tokens = list(metadata, key, file);
    const nlohmann::json &types = list(metadata, "tokenizer.ggml.token_type", file);
    if (types.size() != tokens.size()) {
        throwFileError(file, "tokenizer.ggml.token_type", fmt::format("{} entries", tokens.size()),
                       fmt::format("{}", types.size()));
    }
    for (std::size_t id = 0; id < tokens.size(); ++id) {
        if (!tokens[id].is_string() || !types[id].is_number_integer()) {
            throwFileError(file, fmt::format("{}[{}]", key, id), "a string with a type",
                           json::shown(tokens[id]));
        }
        const auto &text = tokens[id].get_ref<const std::string &>();
        const auto type = types[id].get<std::int64_t>();
        if (type == Unused) {
            continue;
        }
        if (type == Control || type == UserDefined) {
            addedTokens.push_back(
                {{"id", id}, {"content", text}, {"special", type == Control}, {"normalized", false}});
        }
        if (!vocabulary.emplace(text, id).second) {
            throwFileError(file, fmt::format("{}[{}]", key, id), "a text of its own",
                           json::shown(tokens[id]));
        }
    }
}

} // namespace

nlohmann::json hubTokenizer(const nlohmann::json &metadata, const Path &file)
{
    const std::string model = json::stringMember(metadata, "tokenizer.ggml.model", "", file);
    if (model != "gpt2") {
        throwFileError(file, "tokenizer.ggml.model",
                       "gpt2 (byte-level BPE; no other tokenizer is known here)", model);
    }
    const PreTokenizerKind &kind = preTokenizerKind(metadata, file);
    nlohmann::json vocabulary = nlohmann::json::object();
    nlohmann::json addedTokens = nlohmann::json::array();
    addTokens(metadata, file, vocabulary, addedTokens);
    nlohmann::json root = {{"normalizer", kind.composes ? nlohmann::json{{"type", "NFC"}} : nlohmann::json()},
                           {"pre_tokenizer", preTokenizer(kind)},
                           {"decoder", {{"type", "ByteLevel"}}}};
    root["added_tokens"] = std::move(addedTokens);
    root["model"] = {{"type", "BPE"}, {"ignore_merges", kind.ignoreMerges}};
    root["model"]["vocab"] = std::move(vocabulary);
    root["model"]["merges"] = list(metadata, "tokenizer.ggml.merges", file);
    return root;
}

} // namespace bathyscope
