// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/expert_tokens_model.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr std::size_t contextBytes = 40; // on each side

/// On one line; a character that was cut in two at the end is left away.
QString oneLine(std::string_view utf8)
{
    QString text = QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
    text.remove(QChar::ReplacementCharacter);
    text.replace(QLatin1Char('\n'), QChar(0x21B5)); // ↵
    return text;
}

} // namespace

ExpertTokensModel::ExpertTokensModel(QObject *parent)
    : ColumnModel({{tr("Weight")}, {tr("Token in its text"), {}, Qt::AlignLeft}}, parent)
{
}

void ExpertTokensModel::show(const ExpertPlace &place, const std::vector<const ChatMessage *> &replies)
{
    // Replies only grow; anything else begins anew.
    bool anew = place != m_place || m_seen.size() > replies.size();
    for (std::size_t i = 0; i < m_seen.size() && !anew; ++i)
        anew = m_seen[i].message != replies[i]->id || m_seen[i].tokens > replies[i]->tokens.size();
    if (anew)
        clear();
    m_place = place;
    m_seen.resize(replies.size());
    std::vector<Row> found;
    for (std::size_t i = 0; i < replies.size(); ++i) {
        search(*replies[i], m_seen[i].tokens, place, found);
        m_seen[i] = {replies[i]->id, replies[i]->tokens.size()};
    }
    if (found.empty())
        return;
    m_found += static_cast<int>(found.size());
    beginResetModel();
    m_rows.insert(m_rows.end(), found.begin(), found.end());
    std::stable_sort(m_rows.begin(), m_rows.end(),
                     [](const Row &a, const Row &b) { return a.weight > b.weight; });
    m_rows.resize(std::min<std::size_t>(m_rows.size(), maxRows));
    for (Row &row : m_rows) {
        const auto reply = std::find_if(replies.begin(), replies.end(), [&](const ChatMessage *message) {
            return message->id == row.at.message;
        });
        readContext(**reply, row);
    }
    endResetModel();
}

void ExpertTokensModel::search(const ChatMessage &reply, std::size_t from, const ExpertPlace &place,
                               std::vector<Row> &found)
{
    const auto k = static_cast<std::size_t>(place.expertsPerToken);
    const std::size_t begin = static_cast<std::size_t>(place.row) * k;
    for (std::size_t t = from; t < reply.tokens.size(); ++t) {
        const std::vector<ExpertChoice> &experts = reply.tokens[t].experts;
        for (std::size_t i = begin; i < begin + k && i < experts.size(); ++i)
            if (experts[i].expert == place.expert)
                found.push_back({{reply.id, static_cast<int>(t)}, experts[i].weight});
    }
}

void ExpertTokensModel::readContext(const ChatMessage &reply, Row &row)
{
    const TokenRecord &record = reply.tokens[static_cast<std::size_t>(row.at.token)];
    row.token = visibleToken(record.bytes);
    if (record.section == Section::Marker)
        return;
    const SectionText &section = record.section == Section::Reasoning ? reply.reasoning : reply.answer;
    const auto [begin, end] = section.rangeOf(static_cast<std::uint32_t>(row.at.token));
    const std::string_view text = section.utf8;
    const std::size_t first = begin > contextBytes ? begin - contextBytes : 0;
    row.before = oneLine(text.substr(first, begin - first));
    row.after = oneLine(text.substr(end, contextBytes));
}

void ExpertTokensModel::clear()
{
    m_seen.clear();
    m_found = 0;
    if (m_rows.empty())
        return;
    beginResetModel();
    m_rows.clear();
    endResetModel();
}

int ExpertTokensModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant ExpertTokensModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Row &row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return index.column() == WeightColumn ? fixedText(static_cast<double>(row.weight), 3)
                                              : row.before + row.token + row.after;
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case BeforeRole:
        return row.before;
    case TokenRole:
        return row.token;
    case AfterRole:
        return row.after;
    default:
        return {};
    }
}

} // namespace bathyscope::ui
