// SPDX-License-Identifier: GPL-3.0-or-later
//
// The entropy of the whole distribution at every token of a reply: it is not recorded, and is measured anew,
// from the cache, while somebody looks at the reply.
#pragma once

#include "ui/model/analysis_source.h"

#include <QObject>

#include <span>
#include <vector>

namespace bathyscope::ui {

/// Asks for some hundred tokens at a time, so that other questions need not wait for a long reply.
class EntropyReader : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    void setSource(AnalysisSource *source); ///< may be null; must outlive the reader
    /// Goes on with this reply, from where it is, or begins with another one. Waits while it is written.
    void follow(const ChatMessage &reply);
    void clear();

    /// Bits, of the first tokens; as many as are known.
    [[nodiscard]] std::span<const float> bits() const { return m_bits; }

signals:
    void grown();

private:
    void ask();
    void onAnswered(std::int64_t question, const Analysis &analysis);

    AnalysisSource *m_source = nullptr;
    MessageId m_reply = 0;
    int m_tokens = 0; ///< of the reply
    std::int64_t m_question = 0; ///< not answered yet; 0: none
    std::vector<float> m_bits;
};

} // namespace bathyscope::ui
