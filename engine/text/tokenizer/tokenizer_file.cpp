// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/tokenizer_file.h"

#include "engine/error.h"
#include "engine/limits.h"
#include "engine/text/tokenizer/byte_alphabet.h"
#include "engine/text/tokenizer/json_access.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>

namespace bathyscope {

namespace {

using Path = std::filesystem::path;
using VocabularyIndex = std::unordered_map<std::string, TokenId>;

TokenId readId(const nlohmann::json &value, const std::string &key, const Path &file)
{
    const bool inRange = value.is_number_integer() && value >= 0 && value < limits::maxVocabulary;
    if (!inRange) {
        throwFileError(file, key, fmt::format("an integer from 0 to {}", limits::maxVocabulary - 1),
                       json::shown(value));
    }
    return value.get<TokenId>();
}

bool readNormalizer(const nlohmann::json &description, const std::string &key, const Path &file)
{
    if (description.is_null()) {
        return false;
    }
    const std::string type = json::stringMember(description, "type", key, file);
    if (type == "NFC") {
        return true;
    }
    if (type != "Sequence") {
        throwFileError(file, key + ".type", "null, NFC or a Sequence of NFC", type);
    }
    const nlohmann::json &list = json::member(description, "normalizers", key, file);
    if (!list.is_array()) {
        throwFileError(file, key + ".normalizers", "an array", json::shown(list));
    }
    bool composes = false;
    for (const nlohmann::json &entry : list) {
        if (!entry.is_object() || entry.value("type", "") != "NFC") {
            throwFileError(file, key + ".normalizers", "entries of type NFC", entry.dump());
        }
        composes = true;
    }
    return composes;
}

std::vector<AddedToken> readAddedTokens(const nlohmann::json &root, const Path &file)
{
    std::vector<AddedToken> tokens;
    const auto list = root.find("added_tokens");
    if (list == root.end() || list->is_null()) {
        return tokens;
    }
    if (!list->is_array() || list->size() > limits::maxVocabulary) {
        throwFileError(file, "added_tokens", fmt::format("an array of at most {}", limits::maxVocabulary),
                       json::shown(*list));
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
        const nlohmann::json &entry = (*list)[i];
        const std::string key = fmt::format("added_tokens[{}]", i);
        AddedToken token;
        token.content = json::stringMember(entry, "content", key, file);
        token.id = readId(json::member(entry, "id", key, file), key + ".id", file);
        token.special = json::boolMember(entry, "special", false, key, file);
        token.singleWord = json::boolMember(entry, "single_word", false, key, file);
        token.leftStrip = json::boolMember(entry, "lstrip", false, key, file);
        token.rightStrip = json::boolMember(entry, "rstrip", false, key, file);
        token.normalized = json::boolMember(entry, "normalized", !token.special, key, file);
        if (token.content.empty() || token.content.size() > limits::maxTokenBytes) {
            throwFileError(file, key + ".content", fmt::format("1 to {} bytes", limits::maxTokenBytes),
                           fmt::format("{} bytes", token.content.size()));
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

/// Refuses what byte-level BPE models never use and what would change the result.
void checkModel(const nlohmann::json &model, const Path &file)
{
    const std::string type = model.is_object() && !model.contains("type")
        ? "BPE"
        : json::stringMember(model, "type", "model", file);
    if (type != "BPE") {
        throwFileError(file, "model.type", "BPE", type);
    }
    for (const char *name : {"unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
        const auto found = model.find(name);
        if (found != model.end() && !found->is_null() && *found != "") {
            throwFileError(file, json::joinKey("model", name), "null", json::shown(*found));
        }
    }
    const auto dropout = model.find("dropout");
    if (dropout != model.end() && !dropout->is_null() && *dropout != 0.0) {
        throwFileError(file, "model.dropout", "null", json::shown(*dropout));
    }
    if (json::boolMember(model, "byte_fallback", false, "model", file)) {
        throwFileError(file, "model.byte_fallback", "false", "true");
    }
}

VocabularyIndex readVocabulary(const nlohmann::json &model, const Path &file)
{
    const nlohmann::json &entries = json::member(model, "vocab", "model", file);
    if (!entries.is_object() || entries.size() > limits::maxVocabulary) {
        throwFileError(file, "model.vocab", fmt::format("an object of at most {}", limits::maxVocabulary),
                       json::shown(entries));
    }
    VocabularyIndex index;
    index.reserve(entries.size());
    for (const auto &[text, id] : entries.items()) {
        if (text.size() > limits::maxTokenBytes) {
            throwFileError(file, "model.vocab",
                           fmt::format("entries of at most {} bytes", limits::maxTokenBytes),
                           fmt::format("{} bytes", text.size()));
        }
        index.emplace(text, readId(id, fmt::format("model.vocab[\"{}\"]", text), file));
    }
    return index;
}

Vocabulary rawVocabulary(const VocabularyIndex &index, const std::vector<AddedToken> &added, const Path &file)
{
    TokenId largest = -1;
    for (const auto &[text, id] : index) {
        largest = std::max(largest, id);
    }
    for (const AddedToken &token : added) {
        largest = std::max(largest, token.id);
    }
    Vocabulary vocabulary(static_cast<std::size_t>(largest + 1));
    for (const auto &[text, id] : index) {
        std::string &bytes = vocabulary[static_cast<std::size_t>(id)];
        if (!bytes.empty()) {
            throwFileError(file, fmt::format("model.vocab[\"{}\"]", text), "an id of its own",
                           fmt::format("{}, which another entry has", id));
        }
        bytes = fromByteAlphabet(text).value_or(text);
    }
    std::unordered_set<TokenId> seen;
    for (const AddedToken &token : added) {
        if (!seen.insert(token.id).second) {
            throwFileError(file, fmt::format("added_tokens: \"{}\"", token.content), "an id of its own",
                           fmt::format("{}, which another entry has", token.id));
        }
        vocabulary[static_cast<std::size_t>(token.id)] = token.content;
    }
    return vocabulary;
}

/// The two halves of one entry of `merges`, in either form.
std::pair<std::string, std::string> readPair(const nlohmann::json &entry, const std::string &key,
                                             const Path &file)
{
    if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
        return {entry[0].get<std::string>(), entry[1].get<std::string>()};
    }
    if (entry.is_string()) {
        const auto &text = entry.get_ref<const std::string &>();
        const std::size_t space = text.find(' ');
        if (space != std::string::npos && space == text.rfind(' ')) {
            return {text.substr(0, space), text.substr(space + 1)};
        }
    }
    throwFileError(file, key, "\"a b\" or [\"a\", \"b\"]", json::shown(entry));
}

/// Merges whose result is an added token are left out: text that spells one is either recognised before
/// merging, or plain and must not become one.
std::vector<BytePairEncoder::Merge> readMerges(const nlohmann::json &model, const VocabularyIndex &index,
                                               const std::unordered_set<TokenId> &added, const Path &file)
{
    const nlohmann::json &entries = json::member(model, "merges", "model", file);
    if (!entries.is_array() || entries.size() > limits::maxMerges) {
        throwFileError(file, "model.merges", fmt::format("an array of at most {}", limits::maxMerges),
                       json::shown(entries));
    }
    std::vector<BytePairEncoder::Merge> merges;
    merges.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::string key = fmt::format("model.merges[{}]", i);
        const auto [left, right] = readPair(entries[i], key, file);
        const auto id = [&, &first = left, &second = right](const std::string &text) {
            const auto found = index.find(text);
            if (found == index.end()) {
                throwFileError(file, key, fmt::format("\"{}\" in model.vocab", text),
                               fmt::format("the merge of \"{}\" and \"{}\"", first, second));
            }
            return found->second;
        };
        const BytePairEncoder::Merge merge{id(left), id(right), id(left + right)};
        if (!added.contains(merge.result)) {
            merges.push_back(merge);
        }
    }
    return merges;
}

std::array<TokenId, 256> readByteIds(const VocabularyIndex &index, const Path &file)
{
    std::array<TokenId, 256> ids{};
    ids.fill(-1);
    for (const auto &[text, id] : index) {
        const auto bytes = text.size() <= 2 ? fromByteAlphabet(text) : std::nullopt;
        if (bytes && bytes->size() == 1) {
            ids[static_cast<unsigned char>(bytes->front())] = id;
        }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool occursInUtf8 = byte != 0xC0 && byte != 0xC1 && byte < 0xF5;
        if (occursInUtf8 && ids[byte] < 0) {
            throwFileError(file, "model.vocab", "an entry for every byte",
                           fmt::format("none for 0x{:02X}", byte));
        }
    }
    return ids;
}

BytePairEncoder readEncoder(const nlohmann::json &model, const VocabularyIndex &index,
                            const std::vector<AddedToken> &addedTokens, const Path &file)
{
    std::unordered_set<TokenId> added;
    for (const AddedToken &token : addedTokens) {
        added.insert(token.id);
    }
    std::unordered_map<std::string, TokenId> wholeWords;
    if (json::boolMember(model, "ignore_merges", false, "model", file)) {
        for (const auto &[text, id] : index) {
            auto bytes = fromByteAlphabet(text);
            if (bytes && !added.contains(id)) {
                wholeWords.emplace(std::move(*bytes), id);
            }
        }
    }
    return {readByteIds(index, file), readMerges(model, index, added, file), std::move(wholeWords)};
}

} // namespace

TokenizerFile readTokenizerFile(const Path &file)
{
    return readTokenizer(json::readFile(file, limits::maxTokenizerFileBytes), file);
}

TokenizerFile readTokenizer(const nlohmann::json &root, const Path &file)
{
    const nlohmann::json &model = json::member(root, "model", "", file);
    checkModel(model, file);
    const nlohmann::json &decoder = json::member(root, "decoder", "", file);
    if (!decoder.is_object() || decoder.value("type", "") != "ByteLevel") {
        throwFileError(file, "decoder.type", "ByteLevel",
                       json::shown(decoder.is_object() ? decoder.value("type", nlohmann::json()) : decoder));
    }
    const nlohmann::json normalizer = root.value("normalizer", nlohmann::json());
    const VocabularyIndex index = readVocabulary(model, file);
    std::vector<AddedToken> added = readAddedTokens(root, file);
    Vocabulary vocabulary = rawVocabulary(index, added, file);
    BytePairEncoder encoder = readEncoder(model, index, added, file);
    return {readNormalizer(normalizer, "normalizer", file), std::move(added), std::move(vocabulary),
            PreTokenizer(json::member(root, "pre_tokenizer", "", file), file), std::move(encoder)};
}

} // namespace bathyscope
