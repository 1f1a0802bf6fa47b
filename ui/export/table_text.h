// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tables as text for other programs.
#pragma once

#include <QString>

class QAbstractItemModel;

namespace bathyscope::ui {

/// With a line of headings; fields with commas, quotes or line ends are quoted (RFC 4180), lines end in LF.
QString toCsv(const QAbstractItemModel &model);
/// With a line of headings, separated by tabs; tabs and line ends in fields become spaces.
QString toTsv(const QAbstractItemModel &model);
/// A table of GitHub's Markdown; numbers are aligned to the right as the model says.
QString toMarkdown(const QAbstractItemModel &model);

} // namespace bathyscope::ui
