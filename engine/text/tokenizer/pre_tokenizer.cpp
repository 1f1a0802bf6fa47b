// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/pre_tokenizer.h"

#include "engine/error.h"
#include "engine/limits.h"
#include "engine/text/tokenizer/json_access.h"
#include "engine/text/tokenizer/utf8.h"

#include <algorithm>
#include <fmt/format.h>

namespace bathyscope {

namespace {

/// The pattern of OpenAI's GPT-2, which ByteLevel applies where `use_regex` is true.
constexpr const char *gpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Regex compile(const std::string &pattern, const std::string &key, const std::filesystem::path &file)
{
    try {
        return Regex(pattern);
    } catch (const Error &error) {
        throwFileError(file, key, "a regular expression", error.what());
    }
}

} // namespace

PreTokenizer::PreTokenizer(const nlohmann::json &description, const std::filesystem::path &file)
{
    const std::string key = "pre_tokenizer";
    if (description.is_null()) {
        throwFileError(file, key, "a ByteLevel step", "null");
    }
    addSteps(description, key, file);
    if (!m_byteLevel) {
        throwFileError(file, key, "a ByteLevel step at the end (only byte-level BPE is supported)", "none");
    }
}

void PreTokenizer::addSteps(const nlohmann::json &description, const std::string &key,
                            const std::filesystem::path &file)
{
    const std::string type = json::stringMember(description, "type", key, file);
    if (m_steps.size() >= limits::maxPreTokenizers || key.size() > 64 * limits::maxPreTokenizers) {
        throwFileError(file, key, fmt::format("at most {} steps", limits::maxPreTokenizers), "more");
    }
    if (type == "Sequence") {
        const nlohmann::json &list = json::member(description, "pretokenizers", key, file);
        if (!list.is_array()) {
            throwFileError(file, key + ".pretokenizers", "an array", json::shown(list));
        }
        for (std::size_t i = 0; i < list.size(); ++i) {
            addSteps(list[i], fmt::format("{}.pretokenizers[{}]", key, i), file);
        }
        return;
    }
    if (m_byteLevel) {
        throwFileError(file, key, "nothing after ByteLevel", type);
    }
    if (type == "Split") {
        addSplit(description, key, file);
    } else if (type == "Digits") {
        Step step;
        step.pattern.push_back(compile(R"(\p{N})", key, file));
        const bool individual = json::boolMember(description, "individual_digits", false, key, file);
        step.behaviour = individual ? Behaviour::Isolated : Behaviour::Contiguous;
        m_steps.push_back(std::move(step));
    } else if (type == "ByteLevel") {
        addByteLevel(description, key, file);
    } else {
        throwFileError(file, key + ".type", "Sequence, Split, Digits or ByteLevel", type);
    }
}

void PreTokenizer::addSplit(const nlohmann::json &description, const std::string &key,
                            const std::filesystem::path &file)
{
    static constexpr std::pair<std::string_view, Behaviour> behaviours[] = {
        {"Isolated", Behaviour::Isolated},
        {"Removed", Behaviour::Removed},
        {"MergedWithPrevious", Behaviour::MergedWithPrevious},
        {"MergedWithNext", Behaviour::MergedWithNext},
        {"Contiguous", Behaviour::Contiguous},
    };
    Step step;
    const std::string name = json::stringMember(description, "behavior", key, file);
    const auto *behaviour = std::find_if(std::begin(behaviours), std::end(behaviours),
                                         [&](const auto &b) { return b.first == name; });
    if (behaviour == std::end(behaviours)) {
        throwFileError(file, key + ".behavior",
                       "Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous", name);
    }
    step.behaviour = behaviour->second;
    step.invert = json::boolMember(description, "invert", false, key, file);

    const nlohmann::json &pattern = json::member(description, "pattern", key, file);
    const std::string patternKey = key + ".pattern";
    if (pattern.is_object() && pattern.contains("String")) {
        step.literal = json::stringMember(pattern, "String", patternKey, file);
        if (step.literal.empty()) {
            throwFileError(file, patternKey + ".String", "a string of at least one character", "\"\"");
        }
    } else {
        const std::string regex = json::stringMember(pattern, "Regex", patternKey, file);
        step.pattern.push_back(compile(regex, patternKey + ".Regex", file));
    }
    m_steps.push_back(std::move(step));
}

void PreTokenizer::addByteLevel(const nlohmann::json &description, const std::string &key,
                                const std::filesystem::path &file)
{
    m_byteLevel = true;
    Step step;
    step.prefixSpace = json::boolMember(description, "add_prefix_space", true, key, file);
    if (json::boolMember(description, "use_regex", true, key, file)) {
        step.pattern.push_back(compile(gpt2Pattern, key, file));
    }
    if (step.prefixSpace || !step.pattern.empty()) {
        m_steps.push_back(std::move(step));
    }
}

std::vector<PreTokenizer::Piece> PreTokenizer::pieces(const Step &step, std::string_view text,
                                                      Regex::Scratch &scratch)
{
    std::vector<Piece> result;
    std::size_t done = 0;
    std::size_t from = 0;
    const auto next = [&]() -> std::optional<Regex::Range> {
        if (!step.pattern.empty()) {
            return step.pattern.front().find(text, from, scratch);
        }
        const std::size_t at = text.find(step.literal, from);
        if (at == std::string_view::npos) {
            return std::nullopt;
        }
        return Regex::Range{at, at + step.literal.size()};
    };
    while (from <= text.size()) {
        const auto match = next();
        if (!match) {
            break;
        }
        if (match->begin > done) {
            result.push_back({{done, match->begin}, step.invert});
        }
        result.push_back({*match, !step.invert});
        done = match->end;
        // An empty match cuts but takes nothing: go on behind the next character.
        const bool empty = match->end == match->begin;
        from = !empty ? done : done < text.size() ? done + utf8::characterLength(text, done) : done + 1;
    }
    if (done < text.size()) {
        result.push_back({{done, text.size()}, step.invert});
    }
    return result;
}

void PreTokenizer::merge(std::vector<Piece> &pieces, Behaviour behaviour)
{
    std::vector<Piece> merged;
    const bool backwards = behaviour == Behaviour::MergedWithNext;
    if (backwards) {
        std::reverse(pieces.begin(), pieces.end());
    }
    bool previousMatch = false;
    for (const Piece &piece : pieces) {
        const bool joins =
            behaviour == Behaviour::Contiguous ? piece.match == previousMatch : piece.match && !previousMatch;
        if (joins && !merged.empty()) {
            Regex::Range &range = merged.back().range;
            range = {std::min(range.begin, piece.range.begin), std::max(range.end, piece.range.end)};
        } else {
            merged.push_back(piece);
        }
        previousMatch = piece.match;
    }
    if (backwards) {
        std::reverse(merged.begin(), merged.end());
    }
    pieces = std::move(merged);
}

void PreTokenizer::split(std::string_view text, Workspace &workspace) const
{
    workspace.words.assign(text.empty() ? 0 : 1, text);
    for (const Step &step : m_steps) {
        workspace.next.clear();
        for (std::string_view word : workspace.words) {
            if (step.prefixSpace && word.front() != ' ') {
                word = workspace.storage.emplace_back(" " + std::string(word));
            }
            if (step.pattern.empty() && step.literal.empty()) {
                workspace.next.push_back(word);
                continue;
            }
            std::vector<Piece> cut = pieces(step, word, workspace.regex);
            if (step.behaviour != Behaviour::Isolated && step.behaviour != Behaviour::Removed) {
                merge(cut, step.behaviour);
            }
            for (const Piece &piece : cut) {
                const bool removed = step.behaviour == Behaviour::Removed && piece.match;
                if (!removed && piece.range.end > piece.range.begin) {
                    workspace.next.push_back(
                        word.substr(piece.range.begin, piece.range.end - piece.range.begin));
                }
            }
        }
        workspace.words.swap(workspace.next);
    }
}

} // namespace bathyscope
