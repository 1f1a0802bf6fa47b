// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/added_tokens.h"

#include "engine/text/tokenizer/utf8.h"

#include <algorithm>

namespace bathyscope {

namespace {

bool isContinuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

/// Start of the character that ends before `end`.
std::size_t characterBefore(std::string_view text, std::size_t end)
{
    std::size_t at = end - 1;
    while (at > 0 && isContinuation(text[at])) {
        --at;
    }
    return at;
}

class WordEdges {
public:
    bool wordEndsAt(std::string_view text, std::size_t end)
    {
        return end > 0 && isWord(text.substr(0, end), characterBefore(text, end));
    }

    bool wordStartsAt(std::string_view text, std::size_t at) { return at < text.size() && isWord(text, at); }

private:
    bool isWord(std::string_view text, std::size_t at)
    {
        const std::size_t length = utf8::characterLength(text, at);
        return m_word.find(text.substr(at, length), 0, m_scratch).has_value();
    }

    Regex m_word{R"([\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200c}\x{200d}\x{24b6}-\x{24e9}])"};
    Regex::Scratch m_scratch;
};

std::size_t spaceStart(std::string_view text, std::size_t end)
{
    while (end > 0) {
        const std::size_t at = characterBefore(text, end);
        if (!utf8::isSpace(utf8::codePoint(text, at, end - at))) {
            break;
        }
        end = at;
    }
    return end;
}

std::size_t spaceEnd(std::string_view text, std::size_t at)
{
    while (at < text.size()) {
        const std::size_t length = utf8::characterLength(text, at);
        if (!utf8::isSpace(utf8::codePoint(text, at, length))) {
            break;
        }
        at += length;
    }
    return at;
}

} // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens)
    : m_tokens(std::move(tokens))
    , m_tokenOfNode(1, -1)
{
    for (std::size_t index = 0; index < m_tokens.size(); ++index) {
        std::uint32_t node = 0;
        for (const char c : m_tokens[index].content) {
            const auto next = static_cast<std::uint32_t>(m_tokenOfNode.size());
            const auto [found, isNew] = m_edges.try_emplace(edge(node, static_cast<unsigned char>(c)), next);
            if (isNew) {
                m_tokenOfNode.push_back(-1);
            }
            node = found->second;
        }
        if (node != 0) {
            m_tokenOfNode[node] = static_cast<std::int32_t>(index);
            m_startsToken[static_cast<unsigned char>(m_tokens[index].content.front())] = true;
        }
    }
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::longestAt(std::string_view text,
                                                                     std::size_t at) const
{
    std::optional<Match> longest;
    std::uint32_t node = 0;
    for (; at < text.size(); ++at) {
        const auto next = m_edges.find(edge(node, static_cast<unsigned char>(text[at])));
        if (next == m_edges.end()) {
            break;
        }
        node = next->second;
        if (m_tokenOfNode[node] >= 0) {
            longest = Match{at + 1, static_cast<std::size_t>(m_tokenOfNode[node])};
        }
    }
    return longest;
}

std::vector<AddedTokenMatcher::Piece> AddedTokenMatcher::split(std::string_view text) const
{
    std::vector<Piece> pieces;
    std::optional<WordEdges> edges;
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::optional<Match> match;
        if (m_startsToken[static_cast<unsigned char>(text[at])]) {
            match = longestAt(text, at);
        }
        if (!match) {
            ++at;
            continue;
        }
        const AddedToken &token = m_tokens[match->token];
        std::size_t begin = at;
        std::size_t end = match->end;
        at = end;
        if (token.singleWord) {
            if (!edges) {
                edges.emplace();
            }
            if (edges->wordEndsAt(text, begin) || edges->wordStartsAt(text, end)) {
                continue;
            }
        }
        begin = std::max(token.leftStrip ? spaceStart(text, begin) : begin, done);
        end = token.rightStrip ? spaceEnd(text, end) : end;
        if (done < begin) {
            pieces.push_back({text.substr(done, begin - done), std::nullopt});
        }
        pieces.push_back({text.substr(begin, end - begin), token.id});
        done = end;
    }
    if (done < text.size()) {
        pieces.push_back({text.substr(done), std::nullopt});
    }
    return pieces;
}

} // namespace bathyscope
