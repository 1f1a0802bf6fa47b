// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/score_grid.h"

#include "ui/inspector/number_format.h"
#include "ui/theme/theme.h"

#include <QGridLayout>
#include <QLabel>

namespace bathyscope::ui {

namespace {

QLabel *figureLabel(QWidget *parent, const QString &text, const char *role = nullptr)
{
    auto *label = new QLabel(text, parent);
    QFont font = theme::numberFont();
    font.setPixelSize(13);
    label->setFont(font);
    label->setTextFormat(Qt::PlainText);
    if (role != nullptr)
        label->setProperty("role", QLatin1String(role));
    return label;
}

} // namespace

ScoreGrid::ScoreGrid(const QStringList &names, QWidget *parent)
    : QWidget(parent)
{
    auto *grid = new QGridLayout(this);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(0, 1);
    const QString titles[] = {QString(), tr("Tokens"), tr("Bits each"), tr("Perplexity")};
    for (int column = 1; column < 4; ++column) {
        QLabel *title = figureLabel(this, titles[column], "secondary");
        title->setFont(theme::smallFont());
        grid->addWidget(title, 0, column, Qt::AlignRight);
    }
    for (const QString &name : names) {
        const int line = grid->rowCount();
        Row row{figureLabel(this, name), figureLabel(this, {}), figureLabel(this, {}), figureLabel(this, {})};
        grid->addWidget(row.name, line, 0);
        grid->addWidget(row.tokens, line, 1, Qt::AlignRight);
        grid->addWidget(row.bits, line, 2, Qt::AlignRight);
        grid->addWidget(row.perplexity, line, 3, Qt::AlignRight);
        row.perplexity->setToolTip(tr("Derived: 2 to the power of the mean surprisal"));
        m_rows.push_back(row);
        setName(static_cast<int>(m_rows.size()) - 1, name);
    }
}

void ScoreGrid::setName(int row, const QString &name)
{
    const Row &labels = m_rows[static_cast<std::size_t>(row)];
    labels.name->setText(name);
    labels.perplexity->setAccessibleName(tr("Perplexity of %1").arg(name));
}

void ScoreGrid::setScore(int row, const TextScore &score)
{
    const Row &labels = m_rows[static_cast<std::size_t>(row)];
    const bool any = score.tokens > 0;
    labels.tokens->setText(groupedText(score.tokens));
    labels.bits->setText(any ? fixedText(score.bitsPerToken(), 3) : QStringLiteral("–"));
    labels.perplexity->setText(any ? fixedText(score.perplexity(), 3) : QStringLiteral("–"));
}

QString ScoreGrid::perplexity(int row) const
{
    return m_rows[static_cast<std::size_t>(row)].perplexity->text();
}

} // namespace bathyscope::ui
