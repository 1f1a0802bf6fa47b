// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/token_alignment.h"

#include <algorithm>
#include <cstdint>

namespace bathyscope::ui {

namespace {

constexpr std::size_t mostCells = 4'000'000; // of the table of lengths, two bytes each

/// For all ends of `left` and `right`, the length of their longest common subsequence.
class CommonLengths {
public:
    CommonLengths(std::span<const TokenRecord> left, std::span<const TokenRecord> right)
        : m_columns(right.size() + 1)
        , m_lengths((left.size() + 1) * m_columns)
    {
        for (std::size_t i = left.size(); i-- > 0;)
            for (std::size_t j = right.size(); j-- > 0;)
                m_lengths[i * m_columns + j] = left[i].id == right[j].id
                    ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                    : std::max(at(i + 1, j), at(i, j + 1));
    }

    [[nodiscard]] std::uint16_t at(std::size_t i, std::size_t j) const
    {
        return m_lengths[i * m_columns + j];
    }

private:
    std::size_t m_columns;
    std::vector<std::uint16_t> m_lengths; ///< [left + 1, right + 1]
};

/// Rows of an alignment in their order.
class Rows {
public:
    explicit Rows(int from)
        : m_left(from)
        , m_right(from)
    {
    }

    /// Pairs what lies before the two tokens by place.
    void pairUpTo(int left, int right)
    {
        while (m_left < left || m_right < right)
            m_rows.push_back({m_left < left ? m_left++ : -1, m_right < right ? m_right++ : -1});
    }
    void pairEqual() { m_rows.push_back({m_left++, m_right++}); }
    std::vector<AlignedTokens> take() { return std::move(m_rows); }

private:
    int m_left;
    int m_right;
    std::vector<AlignedTokens> m_rows;
};

} // namespace

std::vector<AlignedTokens> alignTokens(std::span<const TokenRecord> left, std::span<const TokenRecord> right,
                                       int from)
{
    Rows rows(from);
    left = left.subspan(static_cast<std::size_t>(from));
    right = right.subspan(static_cast<std::size_t>(from));
    std::size_t ending = 0;
    while (ending < std::min(left.size(), right.size())
           && left[left.size() - 1 - ending].id == right[right.size() - 1 - ending].id)
        ++ending;
    const auto leftPart = left.first(left.size() - ending);
    const auto rightPart = right.first(right.size() - ending);
    if ((leftPart.size() + 1) * (rightPart.size() + 1) <= mostCells) {
        const CommonLengths common(leftPart, rightPart);
        std::size_t i = 0;
        std::size_t j = 0;
        while (i < leftPart.size() && j < rightPart.size()) {
            if (leftPart[i].id == rightPart[j].id) {
                rows.pairUpTo(from + static_cast<int>(i++), from + static_cast<int>(j++));
                rows.pairEqual();
            } else if (common.at(i + 1, j) >= common.at(i, j + 1)) {
                ++i;
            } else {
                ++j;
            }
        }
    }
    rows.pairUpTo(from + static_cast<int>(leftPart.size()), from + static_cast<int>(rightPart.size()));
    for (std::size_t token = 0; token < ending; ++token)
        rows.pairEqual();
    return rows.take();
}

} // namespace bathyscope::ui
