// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tokens that are recognised in the text before it is cut into words: `<｜User｜>`, `<think>`.
#pragma once

#include "engine/records.h"
#include "engine/text/tokenizer/regex.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bathyscope {

/// One entry of `added_tokens`.
struct AddedToken {
    TokenId id = 0;
    std::string content;
    bool special = false;
    bool singleWord = false; ///< only between characters that are not part of words
    bool leftStrip = false; ///< takes the white space before it
    bool rightStrip = false;
    bool normalized = false; ///< searched in the normalised text
};

/// Finds added tokens: the leftmost, and of several at one place the longest.
class AddedTokenMatcher {
public:
    explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

    /// A stretch of text: one added token, or ordinary text.
    struct Piece {
        std::string_view text;
        std::optional<TokenId> token;
    };

    [[nodiscard]] std::vector<Piece> split(std::string_view text) const;

private:
    struct Match {
        std::size_t end = 0;
        std::size_t token = 0;
    };
    [[nodiscard]] std::optional<Match> longestAt(std::string_view text, std::size_t at) const;

    static constexpr std::uint64_t edge(std::uint32_t node, unsigned char byte)
    {
        return (std::uint64_t{node} << 8U) | byte;
    }

    std::vector<AddedToken> m_tokens;
    std::unordered_map<std::uint64_t, std::uint32_t> m_edges; ///< of the prefix tree; node 0 is the root
    std::vector<std::int32_t> m_tokenOfNode; ///< index of the token that ends here, -1: none
    std::array<bool, 256> m_startsToken{};
};

} // namespace bathyscope
