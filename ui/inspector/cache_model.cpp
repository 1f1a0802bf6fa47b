// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/cache_model.h"

#include "ui/inspector/number_format.h"
#include "ui/theme/theme.h"
#include "ui/window/format.h"

namespace bathyscope::ui {

CacheModel::CacheModel(QObject *parent)
    : ColumnModel({{tr("Kept"), tr("Whose keys and values are kept"), Qt::AlignLeft},
                   {tr("Values"), tr("Values of a token in one layer")},
                   {tr("Token"), tr("Bytes of a token in all layers")},
                   {tr("Now"), tr("Bytes of the tokens that the cache holds now")},
                   {tr("Full"), tr("Bytes of a full context")},
                   {tr("Room for"), tr("Tokens for which this device has memory beside the weights")}},
                  parent)
{
}

void CacheModel::setModel(const ModelInfo &model)
{
    beginResetModel();
    m_model = model;
    m_model.vocabulary.reset(); // not needed here
    m_rows.clear();
    const CacheWidths widths = cacheWidths(model.attention);
    const double unit = bytesPerValue(model) * model.layers;
    const auto add = [&](const QString &kind, std::int64_t values, bool held) {
        m_rows.push_back({kind, values, static_cast<double>(values) * unit, held});
    };
    const bool latent = model.attention.keyValueHeads == 0;
    if (widths.held > 0) {
        if (latent)
            add(tr("Latent"), widths.held, true);
        add(widths.groups == 1 ? tr("One group") : tr("%1 groups").arg(widths.groups), widths.grouped,
            !latent);
        add(tr("All %1 heads").arg(model.attention.heads), widths.multiHead,
            !latent && model.attention.keyValueHeads == model.attention.heads);
    }
    endResetModel();
}

void CacheModel::setTokens(int tokens)
{
    if (tokens == m_tokens)
        return;
    m_tokens = tokens;
    if (!m_rows.empty())
        emit dataChanged(index(0, HeldColumn), index(rowCount() - 1, HeldColumn));
}

int CacheModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QString CacheModel::display(const Row &row, int column) const
{
    const auto bytes = [&](int tokens) { return formatBytes(static_cast<qint64>(row.bytes * tokens)); };
    switch (column) {
    case KindColumn:
        return row.kind;
    case ValuesColumn:
        return groupedText(row.values);
    case TokenColumn:
        return bytes(1);
    case HeldColumn:
        return bytes(m_tokens);
    case ContextColumn:
        return bytes(m_model.contextLength);
    case FitsColumn:
        return m_model.memory.available > 0 ? shortCount(tokensThatFit(m_model, row.bytes)) : tr("unknown");
    default:
        return {};
    }
}

QVariant CacheModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Row &row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return display(row, index.column());
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case Qt::ForegroundRole:
        return row.held ? QVariant() : QVariant(theme::colors().secondary);
    case Qt::ToolTipRole:
        return row.held ? tr("What this model's cache holds")
                        : tr("For comparison: not what this model does");
    default:
        return {};
    }
}

} // namespace bathyscope::ui
