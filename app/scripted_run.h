// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/program.h"

#include <QObject>

namespace bathyscope::app {

/// Uses the window as a person would: types the prompts of the command line, waits for each answer and prints
/// it, takes the picture, and leaves when that was asked for.
class ScriptedRun : public QObject {
    Q_OBJECT

public:
    ScriptedRun(Program &program, const Options &options);

private:
    void typeNext();
    void onReplyFinished(MessageId reply);
    void showLastReply();
    void selectToken(MessageId reply);
    void finish();
    void fail(const QString &what);

    Program &m_program;
    Options m_options;
    int m_next = 0; ///< index of the prompt to type next
    bool m_begun = false;
};

} // namespace bathyscope::app
