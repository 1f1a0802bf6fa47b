// SPDX-License-Identifier: GPL-3.0-or-later
//
// Full-text search over titles and messages.
#include "storage/database.h"
#include "storage/history.h"
#include "storage/platform_lock.h"
#include "storage/trace_store.h"

#include <algorithm>
#include <cctype>

namespace bathyscope::storage {

namespace {

/// Whether FTS5 finds a word in it; a lone sign would match nothing.
bool hasLetters(std::string_view word)
{
    return std::any_of(word.begin(), word.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || std::isalnum(byte) != 0;
    });
}

/// A query in the language of FTS5: every word in quotes, so that none is taken for an operator, the last one
/// as the beginning of a word. Empty when there is nothing to search for.
std::string ftsQuery(std::string_view text)
{
    constexpr std::string_view kSpaces = " \t\r\n";
    std::string query;
    while (true) {
        const std::size_t begin = text.find_first_not_of(kSpaces);
        if (begin == std::string_view::npos)
            break;
        text.remove_prefix(begin);
        const std::string_view word = text.substr(0, text.find_first_of(kSpaces));
        text.remove_prefix(word.size());
        if (!hasLetters(word))
            continue;
        query += query.empty() ? "\"" : " AND \"";
        for (const char c : word)
            query += c == '"' ? "\"\"" : std::string(1, c);
        query += '"';
    }
    return query.empty() ? query : query + " *";
}

void findTitles(Database &database, const std::string &words, std::int32_t limit,
                std::vector<SearchHit> &hits)
{
    Statement select = database.prepare(
        "SELECT conversations.id, conversations.title, snippet(title_search, -1, char(2), char(3), '…', 16) "
        "FROM title_search CROSS JOIN conversations ON conversations.id = title_search.rowid "
        "WHERE title_search MATCH ?1 ORDER BY title_search.rowid DESC LIMIT ?2");
    select.bind(1, words).bind(2, std::int64_t{limit});
    while (select.step())
        hits.push_back({select.integer(0), std::nullopt, select.text(1), select.text(2)});
}

void findMessages(Database &database, const std::string &words, std::int32_t limit,
                  std::vector<SearchHit> &hits)
{
    Statement select =
        database.prepare("SELECT conversations.id, messages.id, conversations.title, "
                         "snippet(message_search, -1, char(2), char(3), '…', 16) "
                         "FROM message_search CROSS JOIN messages ON messages.id = message_search.rowid "
                         "CROSS JOIN conversations ON conversations.id = messages.conversation "
                         "WHERE message_search MATCH ?1 ORDER BY message_search.rowid DESC LIMIT ?2");
    select.bind(1, words).bind(2, std::int64_t{limit});
    while (select.step())
        hits.push_back({select.integer(0), select.integer(1), select.text(2), select.text(3)});
}

} // namespace

std::vector<SearchHit> History::search(const SearchQuery &query)
{
    std::vector<SearchHit> hits;
    const std::string words = ftsQuery(query.text);
    if (words.empty())
        return hits;
    findTitles(database(), words, query.limit, hits);
    const auto found = static_cast<std::int32_t>(hits.size());
    if (found < query.limit)
        findMessages(database(), query.reasoning ? words : "text : (" + words + ")", query.limit - found,
                     hits);
    return hits;
}

} // namespace bathyscope::storage
