// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/conversations/conversation_delegate.h"

#include "ui/conversations/conversation_model.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace bathyscope::ui {

namespace {

constexpr int rowHeight = 33;
constexpr int headingHeight = 34;
constexpr int snippetHeight = 18;
constexpr int padding = 12;

void paintHeading(QPainter *painter, const QRect &rect, const QString &title)
{
    QFont font = theme::smallFont();
    font.setCapitalization(QFont::AllUppercase);
    font.setLetterSpacing(QFont::AbsoluteSpacing, 0.3);
    painter->setFont(font);
    painter->setPen(theme::colors().secondary);
    painter->drawText(rect.adjusted(padding, 0, -padding, -6), Qt::AlignLeft | Qt::AlignBottom, title);
}

/// The words around a match on one line; matches, between U+0002 and U+0003, stand out.
void paintSnippet(QPainter *painter, const QRect &rect, const QString &snippet)
{
    QFont plain = theme::smallFont();
    QFont strong = plain;
    strong.setWeight(QFont::DemiBold);
    int x = rect.left();
    bool matched = false;
    QString text = snippet.simplified();
    while (!text.isEmpty() && x < rect.right()) {
        const QChar end = matched ? QChar(0x3) : QChar(0x2);
        const qsizetype cut = text.indexOf(end);
        const QString piece = cut < 0 ? text : text.left(cut);
        const QFont &font = matched ? strong : plain;
        painter->setFont(font);
        painter->setPen(matched ? theme::colors().text : theme::colors().secondary);
        const QFontMetrics metrics(font);
        const QRect place(x, rect.top(), rect.right() - x, rect.height());
        painter->drawText(place, Qt::AlignLeft | Qt::AlignVCenter,
                          metrics.elidedText(piece, Qt::ElideRight, place.width()));
        x += metrics.horizontalAdvance(piece);
        matched = !matched;
        text = cut < 0 ? QString() : text.mid(cut + 1);
    }
}

} // namespace

void ConversationDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option,
                                 const QModelIndex &index) const
{
    const Colors &colors = theme::colors();
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QString title = index.data(Qt::DisplayRole).toString();
    if (index.data(ConversationModel::HeadingRole).toBool()) {
        paintHeading(painter, option.rect, title);
        painter->restore();
        return;
    }
    const QRect row = option.rect.adjusted(0, 0, 0, -1);
    const bool selected = option.state.testFlag(QStyle::State_Selected);
    const bool hovered = option.state.testFlag(QStyle::State_MouseOver);
    if (selected || hovered) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(selected ? colors.ownMessage : colors.hover);
        painter->drawRoundedRect(row, theme::radius, theme::radius);
    }
    if (option.state.testFlag(QStyle::State_HasFocus)
        && option.state.testFlag(QStyle::State_KeyboardFocusChange)) {
        painter->setPen(colors.accent);
        painter->setBrush(Qt::NoBrush);
        painter->drawRoundedRect(QRectF(row).adjusted(0.5, 0.5, -0.5, -0.5), theme::radius, theme::radius);
    }
    QFont font = theme::textFont();
    if (selected)
        font.setWeight(QFont::Medium);
    painter->setFont(font);
    painter->setPen(colors.text);
    const QRect line(row.left() + padding, row.top(), row.width() - 2 * padding, rowHeight - 1);
    painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                      QFontMetrics(font).elidedText(title, Qt::ElideRight, line.width()));
    const QString snippet = index.data(ConversationModel::SnippetRole).toString();
    if (!snippet.isEmpty())
        paintSnippet(painter, QRect(line.left(), line.bottom() - 5, line.width(), snippetHeight), snippet);
    painter->restore();
}

QSize ConversationDelegate::sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const
{
    Q_UNUSED(option)
    if (index.data(ConversationModel::HeadingRole).toBool())
        return {0, headingHeight};
    const bool found = !index.data(ConversationModel::SnippetRole).toString().isEmpty();
    return {0, rowHeight + (found ? snippetHeight : 0)};
}

void ConversationDelegate::updateEditorGeometry(QWidget *editor, const QStyleOptionViewItem &option,
                                                const QModelIndex &index) const
{
    Q_UNUSED(index)
    editor->setGeometry(option.rect.adjusted(4, 0, -4, -1));
}

} // namespace bathyscope::ui
