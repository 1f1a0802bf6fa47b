// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/token_header.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"
#include "ui/theme/theme.h"

#include <QGridLayout>
#include <QLabel>
#include <QLocale>

#include <cmath>
#include <limits>

namespace bathyscope::ui {

namespace {

QString sectionName(Section section)
{
    switch (section) {
    case Section::Reasoning:
        return TokenHeader::tr("reasoning");
    case Section::Answer:
        return TokenHeader::tr("answer");
    case Section::Marker:
        return TokenHeader::tr("marker");
    }
    return {};
}

QString entropyText(const EntropyBounds &bounds)
{
    const QString least = fixedText(bounds.least, 2);
    const QString most = fixedText(bounds.most, 2);
    if (std::isinf(bounds.most))
        return TokenHeader::tr("entropy ≥ %1 bit").arg(least);
    if (least == most)
        return TokenHeader::tr("entropy %1 bit").arg(least);
    return TokenHeader::tr("entropy %1–%2 bit").arg(least, most);
}

double entropyTerm(double probability)
{
    return probability > 0 ? -probability * std::log2(probability) : 0;
}

} // namespace

EntropyBounds entropyBounds(const TokenRecord &record, std::size_t vocabulary)
{
    double known = 0;
    for (const Candidate &candidate : record.top)
        known += entropyTerm(std::exp(static_cast<double>(candidate.logProb)));
    const double rest = record.restMass;
    const double least = known + entropyTerm(rest);
    if (!(rest > 0))
        return {least, least};
    if (vocabulary <= record.top.size())
        return {least, std::numeric_limits<double>::infinity()};
    return {least, least + rest * std::log2(static_cast<double>(vocabulary - record.top.size()))};
}

TokenHeader::TokenHeader(QWidget *parent)
    : QWidget(parent)
    , m_place(new QLabel(this))
    , m_chosen(new QLabel(this))
    , m_surprisal(new QLabel(this))
    , m_entropy(new QLabel(this))
{
    auto *layout = new QGridLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setHorizontalSpacing(8);
    layout->setVerticalSpacing(4);
    layout->addWidget(m_chosen, 0, 0, Qt::AlignLeft | Qt::AlignVCenter);
    layout->addWidget(m_surprisal, 0, 1, Qt::AlignRight | Qt::AlignVCenter);
    layout->addWidget(m_place, 1, 0);
    layout->addWidget(m_entropy, 1, 1, Qt::AlignRight);
    layout->setColumnStretch(0, 1);
    m_chosen->setFont(theme::monoFont());
    m_chosen->setProperty("role", QStringLiteral("chosen"));
    m_chosen->setAccessibleName(tr("Chosen token"));
    for (QLabel *label : {m_place, m_surprisal, m_entropy}) {
        label->setTextFormat(Qt::PlainText);
        QFont font = theme::numberFont();
        font.setPixelSize(12);
        label->setFont(font);
    }
    m_chosen->setTextFormat(Qt::PlainText);
    m_place->setProperty("role", QStringLiteral("secondary"));
    m_entropy->setProperty("role", QStringLiteral("secondary"));
    m_surprisal->setToolTip(tr("−log₂ of the chosen token's probability in the model's own distribution"));
}

void TokenHeader::setToken(const TokenRecord &record, int index, int count, const Vocabulary *vocabulary)
{
    const QLocale english(QLocale::English);
    m_place->setText(
        tr("Token %1 of %2 · %3")
            .arg(english.toString(index + 1), english.toString(count), sectionName(record.section)));
    const QString token = visibleToken(record.bytes);
    m_chosen->setText(m_chosen->fontMetrics().elidedText(token, Qt::ElideRight, 220));
    m_chosen->setToolTip(
        tr("Chosen: %1\nid %2 · bytes %3").arg(token).arg(record.id).arg(hexBytes(record.bytes)));
    const double surprisal = std::abs(static_cast<double>(record.logProb)) / std::log(2.0);
    m_surprisal->setText(tr("surprisal %1 bit").arg(fixedText(surprisal, 2)));
    if (record.top.empty()) {
        m_entropy->setText(tr("entropy not recorded"));
        m_entropy->setToolTip({});
        return;
    }
    m_entropy->setText(entropyText(entropyBounds(record, vocabulary != nullptr ? vocabulary->size() : 0)));
    m_entropy->setToolTip(
        tr("Derived: bounds from the %1 recorded candidates and the mass of all the others; "
           "one number when both agree to two decimals")
            .arg(record.top.size()));
}

void TokenHeader::setEntropy(double bits)
{
    m_entropy->setText(tr("entropy %1 bit").arg(fixedText(bits, 2)));
    m_entropy->setToolTip(tr("Measured: of the whole distribution"));
}

} // namespace bathyscope::ui
