// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/rank_view.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"
#include "ui/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int chartHeight = 168;

QString fitText(const std::optional<PowerLaw> &fit)
{
    if (!fit)
        return RankView::tr("too few ranks for a power law");
    return RankView::tr("slope %1 · ranks %2–%3 · R² %4")
        .arg(fixedText(fit->slope, 2), QString::number(fit->first), groupedText(fit->last),
             fixedText(fit->r2, 3));
}

/// Probabilities of the ranks, as far as they are above 0.
std::vector<double> probabilitiesOf(const std::vector<Candidate> &top)
{
    std::vector<double> probabilities;
    for (const Candidate &candidate : top) {
        const double probability = std::exp(static_cast<double>(candidate.logProb));
        if (!(probability > 0))
            break;
        probabilities.push_back(probability);
    }
    return probabilities;
}

} // namespace

RankView::RankView(Selection *selection, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
    , m_chart(createRankChart(this))
    , m_readout(new QLabel(this))
    , m_pinned(new QLabel(this))
    , m_pin(new QToolButton(this))
{
    auto *heading = new QLabel(tr("Rank and probability, log–log"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    m_pin->setText(tr("Pin"));
    m_pin->setCheckable(true);
    m_pin->setFont(theme::smallFont());
    m_pin->setProperty("quiet", true);
    m_pin->setToolTip(tr("Keep this curve, dotted, to compare other tokens with (Alt+P)"));
    auto *top = new QHBoxLayout;
    top->addWidget(heading, 1);
    top->addWidget(m_pin);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addLayout(top);
    layout->addWidget(m_chart);
    layout->addWidget(m_readout);
    layout->addWidget(m_pinned);
    m_chart->setFixedHeight(chartHeight);
    for (QLabel *label : {m_readout, m_pinned}) {
        QFont font = theme::numberFont();
        font.setPixelSize(12);
        label->setFont(font);
        label->setTextFormat(Qt::PlainText);
        label->setProperty("role", QStringLiteral("secondary"));
    }
    m_readout->setToolTip(
        tr("Derived: least squares through the logarithms, each rank weighted by 1/rank; of "
           "the first ranks 1, 2, 4, 8 and 16 the one that fits best (dashed)"));
    m_readout->setAccessibleName(tr("Power law"));
    m_pinned->hide();
    connect(m_pin, &QToolButton::clicked, this, &RankView::pinRequested);
    connect(m_selection, &Selection::pinnedChanged, this, &RankView::updatePin);
}

void RankView::setDistribution(const TokenPosition &at, const std::vector<Candidate> &top, TokenId chosen)
{
    m_at = at;
    m_curve = {};
    m_curve.probabilities = probabilitiesOf(top);
    const auto found = std::find_if(top.begin(), top.end(),
                                    [chosen](const Candidate &candidate) { return candidate.id == chosen; });
    if (const auto rank = found - top.begin(); rank < std::ssize(m_curve.probabilities))
        m_curve.chosenRank = static_cast<int>(rank) + 1;
    m_curve.fit = fitPowerLaw(m_curve.probabilities);
    m_chart->setCurve(m_curve);
    showTexts();
}

void RankView::clear()
{
    m_curve = {};
    m_chart->setCurve(m_curve);
    showTexts();
}

/// Of the token shown more may have been measured than was recorded.
void RankView::updatePin()
{
    const PinnedToken &pinned = m_selection->pinned();
    std::vector<double> probabilities;
    if (pinned)
        probabilities = pinned.at == m_at ? m_curve.probabilities : probabilitiesOf(pinned.record->top);
    m_pinnedFit = fitPowerLaw(probabilities);
    m_chart->setPinned(probabilities);
    m_pin->setChecked(static_cast<bool>(pinned));
    m_pinned->setVisible(static_cast<bool>(pinned));
    showTexts();
}

void RankView::showTexts()
{
    const PinnedToken &pinned = m_selection->pinned();
    m_readout->setText(fitText(m_curve.fit));
    m_pinned->setText(
        pinned ? tr("pinned %1: %2").arg(placedToken(*pinned.record, pinned.at.token), fitText(m_pinnedFit))
               : QString());
}

QString RankView::readout() const
{
    return m_readout->text();
}

QString RankView::pinnedReadout() const
{
    return m_pinned->text();
}

} // namespace bathyscope::ui
