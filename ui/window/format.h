// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <QString>

namespace bathyscope::ui {

/// "17 M", "1.5 B", "671 B": parameters as models are named.
QString formatParameters(std::uint64_t count);

/// "512 B", "165 kB", "1.2 MB"; powers of 1000.
QString formatBytes(std::int64_t bytes);

/// "2,140 tokens/s"; below ten with one digit after the point.
QString formatSpeed(double tokensPerSecond);

/// "Built-in · 17 M · FP8": what is known of a model's name, size and dtype.
QString formatModel(const ModelInfo &model, const QString &title);

/// A title for a conversation: the first line of its first question, cut at a word.
QString titleFrom(const QString &question);

/// The title once the first answer is there: a short question says little, so the answer's first line
/// follows.
QString titleFrom(const QString &question, const QString &answer);

} // namespace bathyscope::ui
