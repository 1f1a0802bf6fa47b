// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/byte_pair_encoder.h"

#include <algorithm>
#include <bit>

namespace bathyscope {

namespace {

/// Longer words are rarely repeated and cheap to merge in comparison to the memory they would hold.
constexpr std::size_t longestRememberedWord = 64;

std::uint64_t pairOf(TokenId left, TokenId right)
{
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U)
        | static_cast<std::uint32_t>(right);
}

std::size_t slotOf(std::uint64_t pair, std::size_t slots)
{
    pair ^= pair >> 32U;
    pair *= 0x9E3779B97F4A7C15U;
    return (pair >> 24U) & (slots - 1);
}

/// For a heap that yields the lowest rank first and, of equals, the leftmost.
bool later(const BytePairEncoder::Workspace::Candidate &a, const BytePairEncoder::Workspace::Candidate &b)
{
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

} // namespace

BytePairEncoder::BytePairEncoder(const std::array<TokenId, 256> &byteIds, const std::vector<Merge> &merges,
                                 std::unordered_map<std::string, TokenId> wholeWords)
    : m_byteIds(byteIds)
    , m_rules(std::bit_ceil(merges.size() * 2 + 2))
    , m_wholeWords(std::move(wholeWords))
{
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
        const std::uint64_t pair = pairOf(merges[rank].left, merges[rank].right);
        std::size_t slot = slotOf(pair, m_rules.size());
        while (m_rules[slot].result >= 0 && m_rules[slot].pair != pair) {
            slot = (slot + 1) & (m_rules.size() - 1);
        }
        m_rules[slot] = {pair, static_cast<std::uint32_t>(rank), merges[rank].result};
    }
}

const BytePairEncoder::Rule *BytePairEncoder::rule(TokenId left, TokenId right) const
{
    const std::uint64_t pair = pairOf(left, right);
    std::size_t slot = slotOf(pair, m_rules.size());
    while (m_rules[slot].result >= 0) {
        if (m_rules[slot].pair == pair) {
            return &m_rules[slot];
        }
        slot = (slot + 1) & (m_rules.size() - 1);
    }
    return nullptr;
}

void BytePairEncoder::pushCandidate(std::int32_t position, Workspace &workspace) const
{
    const auto &symbols = workspace.symbols;
    const auto &left = symbols[static_cast<std::size_t>(position)];
    if (left.next < 0) {
        return;
    }
    const TokenId right = symbols[static_cast<std::size_t>(left.next)].id;
    if (const Rule *found = rule(left.id, right)) {
        workspace.queue.push_back({found->rank, position, left.id, right, found->result});
    }
}

void BytePairEncoder::merge(std::string_view word, Workspace &workspace, std::vector<TokenId> &ids) const
{
    auto &symbols = workspace.symbols;
    auto &queue = workspace.queue;
    symbols.resize(word.size());
    queue.clear();
    const auto size = static_cast<std::int32_t>(word.size());
    for (std::int32_t i = 0; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(word[static_cast<std::size_t>(i)]);
        symbols[static_cast<std::size_t>(i)] = {m_byteIds[byte], i - 1, i + 1 < size ? i + 1 : -1};
    }
    for (std::int32_t i = 0; i + 1 < size; ++i) {
        pushCandidate(i, workspace);
    }
    std::make_heap(queue.begin(), queue.end(), later);
    constexpr TokenId gone = -1;
    while (!queue.empty()) {
        const Workspace::Candidate best = queue.front();
        std::pop_heap(queue.begin(), queue.end(), later);
        queue.pop_back();
        auto &left = symbols[static_cast<std::size_t>(best.position)];
        if (left.id != best.left || left.next < 0
            || symbols[static_cast<std::size_t>(left.next)].id != best.right) {
            continue; // one of the two was merged with another neighbour meanwhile
        }
        auto &right = symbols[static_cast<std::size_t>(left.next)];
        left.id = best.result;
        left.next = right.next;
        right.id = gone;
        if (left.next >= 0) {
            symbols[static_cast<std::size_t>(left.next)].previous = best.position;
        }
        for (const std::int32_t position : {left.previous, best.position}) {
            const std::size_t before = queue.size();
            if (position >= 0) {
                pushCandidate(position, workspace);
            }
            if (queue.size() != before) {
                std::push_heap(queue.begin(), queue.end(), later);
            }
        }
    }
    for (std::int32_t i = 0; i >= 0 && i < size; i = symbols[static_cast<std::size_t>(i)].next) {
        ids.push_back(symbols[static_cast<std::size_t>(i)].id);
    }
}

void BytePairEncoder::encode(std::string_view word, Workspace &workspace, std::vector<TokenId> &ids) const
{
    if (word.size() > longestRememberedWord) {
        const auto whole = m_wholeWords.empty() ? m_wholeWords.end() : m_wholeWords.find(std::string(word));
        if (whole != m_wholeWords.end()) {
            ids.push_back(whole->second);
        } else {
            merge(word, workspace, ids);
        }
        return;
    }
    const auto [entry, isNew] = workspace.seen.try_emplace(word);
    if (isNew) {
        entry->second.begin = workspace.ids.size();
        const auto whole = m_wholeWords.empty() ? m_wholeWords.end() : m_wholeWords.find(std::string(word));
        if (whole != m_wholeWords.end()) {
            workspace.ids.push_back(whole->second);
        } else {
            merge(word, workspace, workspace.ids);
        }
        entry->second.count = workspace.ids.size() - entry->second.begin;
    }
    const auto *first = workspace.ids.data() + entry->second.begin;
    ids.insert(ids.end(), first, first + entry->second.count);
}

} // namespace bathyscope
