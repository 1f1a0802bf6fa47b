// SPDX-License-Identifier: GPL-3.0-or-later
//
// Byte-pair merging (Sennrich et al. 2016, arXiv:1508.07909) over raw bytes.
#pragma once

#include "engine/records.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bathyscope {

class BytePairEncoder {
public:
    /// Two neighbours and what they become; earlier entries of the list merge first.
    struct Merge {
        TokenId left = 0;
        TokenId right = 0;
        TokenId result = 0;
    };

    /// `byteIds`: id by byte, -1 for bytes that no UTF-8 text holds. `wholeWords`: words that are one token
    /// without merging (`ignore_merges`).
    BytePairEncoder(const std::array<TokenId, 256> &byteIds, const std::vector<Merge> &merges,
                    std::unordered_map<std::string, TokenId> wholeWords);

    /// What a call needs for itself; remembers the words it saw, which must outlive it.
    struct Workspace {
        struct Symbol {
            TokenId id = 0;
            std::int32_t previous = 0;
            std::int32_t next = 0; ///< -1: none
        };
        struct Candidate {
            std::uint32_t rank = 0;
            std::int32_t position = 0;
            TokenId left = 0;
            TokenId right = 0;
            TokenId result = 0;
        };
        struct Range {
            std::size_t begin = 0;
            std::size_t count = 0;
        };
        std::vector<Symbol> symbols;
        std::vector<Candidate> queue;
        std::unordered_map<std::string_view, Range> seen; ///< ranges of `ids`
        std::vector<TokenId> ids;
    };

    /// Appends the ids of one word to `ids`. O(n log n) in its length.
    void encode(std::string_view word, Workspace &workspace, std::vector<TokenId> &ids) const;

private:
    struct Rule {
        std::uint64_t pair = 0;
        std::uint32_t rank = 0;
        TokenId result = -1; ///< -1: an empty slot
    };

    [[nodiscard]] const Rule *rule(TokenId left, TokenId right) const;
    void pushCandidate(std::int32_t position, Workspace &workspace) const;
    void merge(std::string_view word, Workspace &workspace, std::vector<TokenId> &ids) const;

    std::array<TokenId, 256> m_byteIds;
    std::vector<Rule> m_rules; ///< open addressing; the size is a power of two
    std::unordered_map<std::string, TokenId> m_wholeWords;
};

} // namespace bathyscope
