// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where views ask what was not recorded. The window knows no engine: the program implements this on it.
#pragma once

#include "ui/model/chat_message.h"

#include <QObject>

#include <memory>

namespace bathyscope::ui {

class AnalysisSource : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    /// Why nothing can be asked about a reply now, for people; empty: it can.
    [[nodiscard]] virtual QString objection(MessageId reply) const = 0;

    /// Asks about places of a reply, by index into ChatMessage::tokens. The sampler is the one that the
    /// reply was written with. Exactly one answered() follows, never before this returns; the number tells
    /// which.
    virtual std::int64_t ask(MessageId reply, const AnalysisOptions &options) = 0;

    /// Asks about every token of a text by itself; `first` and `count` of the options do not matter.
    virtual std::int64_t score(const QString &text, const AnalysisOptions &options) = 0;

signals:
    void answered(std::int64_t question, const std::shared_ptr<const bathyscope::Analysis> &analysis);
};

} // namespace bathyscope::ui
