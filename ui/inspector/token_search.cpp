// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/token_search.h"

#include <algorithm>
#include <string>
#include <tuple>

namespace bathyscope::ui {

namespace {

struct Match {
    int kind = 0; ///< 0: is the text, 1: begins with it, 2: holds it
    std::size_t length = 0;
    TokenId id = 0;

    bool operator<(const Match &other) const
    {
        return std::tie(kind, length, id) < std::tie(other.kind, other.length, other.id);
    }
};

} // namespace

std::vector<TokenId> findTokens(const Vocabulary &vocabulary, const QString &text, std::size_t limit)
{
    if (text.startsWith(QLatin1Char('#'))) {
        bool isNumber = false;
        const int id = text.mid(1).toInt(&isNumber);
        if (isNumber && id >= 0 && static_cast<std::size_t>(id) < vocabulary.size())
            return {id};
    }
    QString plain = text;
    plain.replace(QChar(0x2423), QLatin1Char(' ')).replace(QChar(0x21B5), QLatin1Char('\n'));
    const std::string wanted = plain.toStdString();
    if (wanted.empty())
        return {};
    std::vector<Match> matches;
    for (std::size_t id = 0; id < vocabulary.size(); ++id) {
        const std::string &bytes = vocabulary[id];
        const std::size_t at = bytes.find(wanted);
        if (at == std::string::npos)
            continue;
        const bool afterSpace = at == 1 && bytes.front() == ' ';
        const bool begins = at == 0 || afterSpace;
        const bool whole = begins && at + wanted.size() == bytes.size();
        matches.push_back({whole ? 0 : begins ? 1 : 2, bytes.size(), static_cast<TokenId>(id)});
    }
    const std::size_t count = std::min(limit, matches.size());
    std::partial_sort(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(count), matches.end());
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < count; ++i)
        ids.push_back(matches[i].id);
    return ids;
}

} // namespace bathyscope::ui
