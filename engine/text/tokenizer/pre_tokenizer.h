// SPDX-License-Identifier: GPL-3.0-or-later
//
// Cuts text into the words that byte-pair merges never cross, as `pre_tokenizer` of tokenizer.json says.
#pragma once

#include "engine/text/tokenizer/regex.h"

#include <nlohmann/json_fwd.hpp>

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bathyscope {

class PreTokenizer {
public:
    /// From the `pre_tokenizer` entry. Throws Error naming file and key for an unsupported kind, and
    /// where byte-level mapping is missing or not the last step.
    PreTokenizer(const nlohmann::json &description, const std::filesystem::path &file);

    /// What a call needs for itself: words that are not part of the text live in `storage`.
    struct Workspace {
        Regex::Scratch regex;
        std::deque<std::string> storage;
        std::vector<std::string_view> words;
        std::vector<std::string_view> next;
    };

    /// Leaves the words of well-formed `text` in `workspace.words`; they view `text` or the storage.
    void split(std::string_view text, Workspace &workspace) const;

private:
    enum class Behaviour { Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous };
    struct Piece {
        Regex::Range range;
        bool match = false;
    };
    /// One cut; without a pattern only the prefix space is added.
    struct Step {
        std::vector<Regex> pattern; ///< none or one
        std::string literal; ///< instead of a pattern
        Behaviour behaviour = Behaviour::Isolated;
        bool invert = false;
        bool prefixSpace = false;
    };

    void addSteps(const nlohmann::json &description, const std::string &key,
                  const std::filesystem::path &file);
    void addSplit(const nlohmann::json &description, const std::string &key,
                  const std::filesystem::path &file);
    void addByteLevel(const nlohmann::json &description, const std::string &key,
                      const std::filesystem::path &file);
    static std::vector<Piece> pieces(const Step &step, std::string_view text, Regex::Scratch &scratch);
    static void merge(std::vector<Piece> &pieces, Behaviour behaviour);

    std::vector<Step> m_steps;
    bool m_byteLevel = false;
};

} // namespace bathyscope
