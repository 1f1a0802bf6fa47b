// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/version_text.h"

#include "ui/theme/theme.h"

#include <QMouseEvent>
#include <QStringDecoder>
#include <QTextBlock>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int lineHeight = 18; // px

} // namespace

VersionText::VersionText(const QString &name, QWidget *parent)
    : QTextEdit(parent)
{
    setAccessibleName(name);
    setReadOnly(true);
    setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    setTabChangesFocus(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFont(theme::smallFont());
    document()->setDocumentMargin(2);
}

void VersionText::setVersion(const ChatMessage &version, int fork, std::vector<bool> differs)
{
    m_bytes.clear();
    m_sections.clear();
    for (const TokenRecord &record : version.tokens) {
        m_bytes.push_back(record.section == Section::Marker ? std::string() : record.bytes);
        m_sections.push_back(record.section);
    }
    m_fork = fork;
    m_differs = std::move(differs);
    m_marked = -1;
    write();
}

QTextCharFormat VersionText::formatOf(int token) const
{
    const Colors &colors = theme::colors();
    const bool differs = m_differs[static_cast<std::size_t>(token)];
    QTextCharFormat format;
    format.setForeground(token < m_fork ? colors.secondary : colors.text);
    if (differs) {
        format.setUnderlineStyle(QTextCharFormat::SingleUnderline);
        format.setUnderlineColor(colors.accent);
        format.setBackground(colors.ownMessage);
    }
    return format;
}

/// Tokens of one look are written at once: a fragment of the document each.
void VersionText::write()
{
    clear();
    m_starts.clear();
    QTextCursor cursor(document());
    QTextBlockFormat lines;
    lines.setLineHeight(lineHeight, QTextBlockFormat::FixedHeight);
    cursor.setBlockFormat(lines);
    QStringDecoder decoder(QStringDecoder::Utf8);
    QString run;
    int written = 0;
    bool lineEnded = true; // by the last character
    QTextCharFormat look;
    const auto flush = [&] {
        cursor.insertText(run, look);
        written += static_cast<int>(run.size());
        run.clear();
    };
    for (std::size_t token = 0; token < m_bytes.size(); ++token) {
        const QTextCharFormat format = formatOf(static_cast<int>(token));
        if (format != look)
            flush();
        look = format;
        const bool parts = m_sections[token] == Section::Marker && token + 1 < m_bytes.size();
        if (parts && !lineEnded)
            run += QLatin1Char('\n');
        m_starts.push_back(written + static_cast<int>(run.size()));
        run += decoder.decode(
            QByteArrayView(m_bytes[token].data(), static_cast<qsizetype>(m_bytes[token].size())));
        if (!run.isEmpty())
            lineEnded = run.endsWith(QLatin1Char('\n'));
    }
    flush();
    markToken(m_marked >= 0 ? m_marked : std::min(m_fork, static_cast<int>(m_bytes.size()) - 1));
}

void VersionText::markToken(int token)
{
    QList<QTextEdit::ExtraSelection> marks;
    m_marked = token < static_cast<int>(m_starts.size()) ? token : -1;
    if (m_marked >= 0) {
        const auto index = static_cast<std::size_t>(m_marked);
        const int end = index + 1 < m_starts.size() ? m_starts[index + 1] : document()->characterCount() - 1;
        QTextEdit::ExtraSelection mark;
        mark.cursor = QTextCursor(document());
        mark.cursor.setPosition(std::min(m_starts[index], document()->characterCount() - 1));
        QTextCursor place = mark.cursor;
        mark.cursor.setPosition(std::min(end, document()->characterCount() - 1), QTextCursor::KeepAnchor);
        mark.format.setBackground(theme::colors().selection);
        mark.format.setForeground(theme::colors().text);
        marks << mark;
        setTextCursor(place);
        ensureCursorVisible();
    }
    setExtraSelections(marks);
}

int VersionText::tokenAt(int character) const
{
    const auto after = std::upper_bound(m_starts.begin(), m_starts.end(), character);
    return static_cast<int>(after - m_starts.begin()) - 1;
}

void VersionText::mouseReleaseEvent(QMouseEvent *event)
{
    QTextEdit::mouseReleaseEvent(event);
    if (event->button() != Qt::LeftButton || textCursor().hasSelection())
        return;
    const int token = tokenAt(cursorForPosition(event->pos()).position());
    if (token >= 0)
        emit tokenPicked(token);
}

void VersionText::changeEvent(QEvent *event)
{
    QTextEdit::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !m_bytes.empty())
        write();
}

} // namespace bathyscope::ui
