// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/scripted_run.h"

#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"

#include <QApplication>
#include <QKeyEvent>
#include <QPixmap>
#include <QPlainTextEdit>
#include <QTextStream>
#include <QTimer>

#include <cstdio>

namespace bathyscope::app {

namespace {

/// Until sections have opened and charts have come to rest.
constexpr int settleTime = 700; // ms

void pressKey(QWidget *target, int key, Qt::KeyboardModifiers modifiers, const QString &text)
{
    for (const auto type : {QEvent::KeyPress, QEvent::KeyRelease}) {
        QKeyEvent event(type, key, modifiers, text);
        QCoreApplication::sendEvent(target, &event);
    }
}

void type(QWidget *target, const QString &text)
{
    for (const QChar character : text) {
        if (character == QLatin1Char('\n'))
            pressKey(target, Qt::Key_Return, Qt::ShiftModifier, QStringLiteral("\r"));
        else
            pressKey(target, 0, Qt::NoModifier, character);
    }
}

/// The least expected token of the reply: there the inspector has most to show.
int mostSurprisingToken(const ui::ChatMessage &reply)
{
    int found = 0;
    float least = 1;
    for (int i = 0; i < static_cast<int>(reply.tokens.size()); ++i) {
        const TokenRecord &token = reply.tokens[static_cast<std::size_t>(i)];
        if (token.section != Section::Marker && token.logProb < least) {
            least = token.logProb;
            found = i;
        }
    }
    return found;
}

} // namespace

ScriptedRun::ScriptedRun(Program &program, const Options &options)
    : m_program(program)
    , m_options(options)
{
    connect(&program.engine(), &EngineClient::modelLoaded, this, [this] {
        if (std::exchange(m_begun, true))
            return;
        if (m_options.prompts.isEmpty())
            QTimer::singleShot(settleTime, this, &ScriptedRun::showLastReply);
        else
            QTimer::singleShot(0, this, &ScriptedRun::typeNext);
    });
    connect(&program.engine(), &EngineClient::loadFailed, this,
            [this](const LoadFailed &event) { fail(QString::fromStdString(event.error)); });
    connect(&program.controller(), &ChatController::replyFinished, this, &ScriptedRun::onReplyFinished);
}

void ScriptedRun::typeNext()
{
    auto *field = m_program.window().composer()->findChild<QPlainTextEdit *>();
    field->setFocus();
    type(field, m_options.prompts[m_next++]);
    pressKey(field, Qt::Key_Return, Qt::NoModifier, QStringLiteral("\r"));
    if (!m_program.controller().isReplying())
        fail(tr("The prompt could not be sent; an empty one is not."));
}

void ScriptedRun::onReplyFinished(MessageId reply)
{
    const ui::ChatMessage *message = m_program.controller().messages()->find(reply);
    if (message == nullptr)
        return;
    if (message->state == ui::MessageState::Failed) {
        fail(message->error);
        return;
    }
    QTextStream(stdout) << QString::fromStdString(message->answer.utf8).trimmed() << Qt::endl;
    if (m_next < m_options.prompts.size()) {
        QTimer::singleShot(0, this, &ScriptedRun::typeNext);
        return;
    }
    if (m_options.selectToken || !m_options.screenshot.isEmpty())
        selectToken(reply);
    QTimer::singleShot(m_options.screenshot.isEmpty() ? 0 : settleTime, this, &ScriptedRun::finish);
}

/// Without prompts: the conversation as the last run left it.
void ScriptedRun::showLastReply()
{
    const ui::ChatModel &messages = *m_program.controller().messages();
    if (m_options.selectToken && messages.rowCount() > 0)
        selectToken(messages.message(messages.rowCount() - 1).id);
    QTimer::singleShot(settleTime, this, &ScriptedRun::finish);
}

void ScriptedRun::selectToken(MessageId reply)
{
    const ui::ChatMessage &message = *m_program.controller().messages()->find(reply);
    const int token = m_options.selectToken.value_or(mostSurprisingToken(message));
    if (token < static_cast<int>(message.tokens.size()))
        m_program.controller().selection()->setToken(ui::TokenPosition{reply, token});
}

void ScriptedRun::finish()
{
    if (!m_options.screenshot.isEmpty()) {
        const QPixmap picture = m_program.window().grab();
        if (!picture.save(m_options.screenshot, "PNG")) {
            fail(tr("The picture could not be written to %1.").arg(m_options.screenshot));
            return;
        }
    }
    if (m_options.quitAfterAnswer)
        QCoreApplication::exit(0);
}

void ScriptedRun::fail(const QString &what)
{
    QTextStream(stderr) << "bathyscope: " << what << Qt::endl;
    if (m_options.quitAfterAnswer)
        QCoreApplication::exit(1);
}

} // namespace bathyscope::app
