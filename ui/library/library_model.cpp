// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/library_model.h"

#include "ui/theme/theme.h"
#include "ui/window/format.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

using Fit = LibraryEntry::Fit;

bool isText(int column)
{
    return column <= LibraryModel::FitColumn;
}

QString fitText(Fit fit)
{
    switch (fit) {
    case Fit::Gpu:
        return LibraryModel::tr("on the GPU");
    case Fit::Ram:
        return LibraryModel::tr("in memory");
    case Fit::TooLarge:
        return LibraryModel::tr("too large");
    case Fit::CannotRun:
        return LibraryModel::tr("cannot run");
    case Fit::Unknown:
        break;
    }
    return QStringLiteral("…");
}

/// An estimate is not known to more than two digits.
double twoDigits(double value)
{
    const double unit = std::pow(10.0, std::floor(std::log10(value)) - 1);
    return std::round(value / unit) * unit;
}

QString display(const LibraryEntry &entry, int column)
{
    switch (column) {
    case LibraryModel::NameColumn:
        return entry.title;
    case LibraryModel::ArchitectureColumn:
        return entry.architecture;
    case LibraryModel::ParametersColumn:
        return entry.parameters > 0 ? formatParameters(entry.parameters) : QString();
    case LibraryModel::ActiveColumn:
        return entry.activeParameters > 0 ? formatParameters(entry.activeParameters) : QString();
    case LibraryModel::TypeColumn:
        return entry.dtype;
    case LibraryModel::SizeColumn:
        return entry.bytes > 0 ? formatBytes(entry.bytes) : QString();
    case LibraryModel::ContextColumn:
        return entry.contextLength > 0 ? QLocale().toString(entry.contextLength) : QString();
    case LibraryModel::FitColumn:
        return fitText(entry.fit);
    case LibraryModel::SpeedColumn:
        return entry.speed > 0 ? QStringLiteral("≈ %1").arg(formatSpeed(twoDigits(entry.speed))) : QString();
    default:
        return {};
    }
}

QVariant orderOf(const LibraryEntry &entry, int column)
{
    switch (column) {
    case LibraryModel::ParametersColumn:
        return static_cast<qulonglong>(entry.parameters);
    case LibraryModel::ActiveColumn:
        return static_cast<qulonglong>(entry.activeParameters);
    case LibraryModel::SizeColumn:
        return static_cast<qlonglong>(entry.bytes);
    case LibraryModel::ContextColumn:
        return entry.contextLength;
    case LibraryModel::FitColumn:
        return static_cast<int>(entry.fit);
    case LibraryModel::SpeedColumn:
        return entry.speed;
    default:
        return display(entry, column);
    }
}

} // namespace

void LibraryModel::setEntries(std::vector<LibraryEntry> entries)
{
    beginResetModel();
    m_entries = std::move(entries);
    endResetModel();
}

void LibraryModel::update(const LibraryEntry &entry)
{
    const int row = rowOf(entry.path);
    if (row < 0)
        return;
    m_entries[static_cast<std::size_t>(row)] = entry;
    emit dataChanged(index(row, 0), index(row, ColumnCount - 1));
}

int LibraryModel::rowOf(const QString &path) const
{
    const auto found = std::ranges::find(m_entries, path, &LibraryEntry::path);
    return found == m_entries.end() ? -1 : static_cast<int>(found - m_entries.begin());
}

int LibraryModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

int LibraryModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant LibraryModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const LibraryEntry &shown = entry(index.row());
    switch (role) {
    case Qt::DisplayRole:
        return display(shown, index.column());
    case SortRole:
        return orderOf(shown, index.column());
    case Qt::ToolTipRole:
        return index.column() == NameColumn ? shown.path : shown.verdict;
    case Qt::ForegroundRole:
        return shown.fit == Fit::TooLarge || shown.fit == Fit::CannotRun ? theme::colors().secondary
            : index.column() == NameColumn                               ? theme::colors().text
                                                                         : QVariant();
    case Qt::TextAlignmentRole:
        return static_cast<int>(Qt::AlignVCenter | (isText(index.column()) ? Qt::AlignLeft : Qt::AlignRight));
    default:
        return {};
    }
}

QVariant LibraryModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (isText(section) ? Qt::AlignLeft : Qt::AlignRight));
    if (role == Qt::ToolTipRole && section == SpeedColumn)
        return tr("Estimated: the bytes that a token reads, over the measured bandwidth of the memory");
    if (role == Qt::ToolTipRole && section == ActiveColumn)
        return tr("Parameters that one token uses");
    if (role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Model"),  tr("Architecture"), tr("Type"),    tr("Fits"), tr("Parameters"),
                              tr("Active"), tr("Size"),         tr("Context"), tr("Speed")};
    return titles[section];
}

} // namespace bathyscope::ui
