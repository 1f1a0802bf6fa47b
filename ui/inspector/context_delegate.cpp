// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/context_delegate.h"

#include "ui/inspector/expert_tokens_model.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace bathyscope::ui {

void ContextDelegate::paint(QPainter *painter, const QStyleOptionViewItem &option,
                            const QModelIndex &index) const
{
    const Colors &colors = theme::colors();
    if (option.state & QStyle::State_Selected)
        painter->fillRect(option.rect, colors.ownMessage);
    else if (option.state & QStyle::State_MouseOver)
        painter->fillRect(option.rect, colors.hover);
    QFont font = theme::monoFont();
    font.setPixelSize(12);
    painter->save();
    painter->setFont(font);
    const QFontMetrics metrics(font);
    constexpr int pad = 3;
    const QString token = index.data(ExpertTokensModel::TokenRole).toString();
    const QRect row = option.rect.adjusted(6, 0, -6, 0);
    const int width = metrics.horizontalAdvance(token) + 2 * pad;
    // In the middle of the column, so that the eye can run down the tokens.
    const QRect middle(row.left() + (row.width() - width) / 2, row.top(), width, row.height());
    const QRect before(row.left(), row.top(), middle.left() - row.left(), row.height());
    const QRect after(middle.right() + 1, row.top(), row.right() - middle.right(), row.height());
    const auto elided = [&](int role, Qt::TextElideMode mode, int room) {
        return metrics.elidedText(index.data(role).toString(), mode, room);
    };
    painter->setPen(colors.secondary);
    painter->drawText(before, Qt::AlignRight | Qt::AlignVCenter,
                      elided(ExpertTokensModel::BeforeRole, Qt::ElideLeft, before.width()));
    painter->drawText(after, Qt::AlignLeft | Qt::AlignVCenter,
                      elided(ExpertTokensModel::AfterRole, Qt::ElideRight, after.width()));
    painter->setPen(colors.accent);
    painter->drawRect(middle.adjusted(0, 2, -1, -3));
    painter->setPen(colors.text);
    painter->drawText(middle, Qt::AlignCenter, token);
    painter->restore();
}

} // namespace bathyscope::ui
