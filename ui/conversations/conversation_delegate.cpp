// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/conversations/conversation_delegate.h"

#include "ui/conversations/conversation_model.h"
#include "ui/theme/theme.h"

#include <QLocale>
#include <QPainter>

namespace bathyscope::ui {

namespace {

constexpr int rowHeight = 33;
constexpr int headingHeight = 34;
constexpr int snippetHeight = 18;
constexpr int padding = 12;
constexpr int folderIndent = 14; // px; of what stands in a folder, and of its name behind the triangle

void paintHeading(QPainter *painter, const QRect &rect, const QString &title)
{
    QFont font = theme::smallFont();
    font.setCapitalization(QFont::AllUppercase);
    font.setLetterSpacing(QFont::AbsoluteSpacing, 0.3);
    painter->setFont(font);
    painter->setPen(theme::colors().secondary);
    painter->drawText(rect.adjusted(padding, 0, -padding, -6), Qt::AlignLeft | Qt::AlignBottom, title);
}

/// A triangle that points down when the folder is open, its name, and how many conversations it holds.
void paintFolder(QPainter *painter, const QRect &rect, const QModelIndex &index)
{
    const Colors &colors = theme::colors();
    const bool expanded = index.data(ConversationModel::ExpandedRole).toBool();
    const QPointF center(rect.left() + padding + 3, rect.center().y() + 1);
    const QPolygonF triangle = expanded
        ? QPolygonF({center + QPointF(-4, -2.5), center + QPointF(4, -2.5), center + QPointF(0, 2.5)})
        : QPolygonF({center + QPointF(-2.5, -4), center + QPointF(2.5, 0), center + QPointF(-2.5, 4)});
    painter->setPen(Qt::NoPen);
    painter->setBrush(colors.secondary);
    painter->drawPolygon(triangle);
    painter->setFont(theme::smallFont());
    painter->setPen(colors.secondary);
    const QString count = QLocale().toString(index.data(ConversationModel::CountRole).toInt());
    painter->drawText(rect.adjusted(0, 0, -padding, 0), Qt::AlignRight | Qt::AlignVCenter, count);
    QFont font = theme::textFont();
    font.setWeight(QFont::Medium);
    painter->setFont(font);
    painter->setPen(colors.text);
    const QFontMetrics metrics(font);
    const QRect name =
        rect.adjusted(padding + folderIndent, 0, -padding - metrics.horizontalAdvance(count) - 8, 0);
    painter->drawText(
        name, Qt::AlignLeft | Qt::AlignVCenter,
        metrics.elidedText(index.data(Qt::DisplayRole).toString(), Qt::ElideRight, name.width()));
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
    const bool inFolder = index.data(ConversationModel::FolderRole).toLongLong() != 0;
    const bool heading = index.data(ConversationModel::HeadingRole).toBool();
    if (heading && !inFolder) {
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
    if (heading) {
        paintFolder(painter, row, index);
        painter->restore();
        return;
    }
    QFont font = theme::textFont();
    if (selected)
        font.setWeight(QFont::Medium);
    painter->setFont(font);
    painter->setPen(colors.text);
    const bool indented = inFolder && !index.data(ConversationModel::PinnedRole).toBool();
    const int left = padding + (indented ? folderIndent : 0);
    const QRect line(row.left() + left, row.top(), row.width() - left - padding, rowHeight - 1);
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
    if (index.data(ConversationModel::HeadingRole).toBool()
        && index.data(ConversationModel::FolderRole).toLongLong() == 0)
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
