// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/candidate_model.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

QString othersText(const Vocabulary *vocabulary, std::size_t shown)
{
    if (vocabulary == nullptr || vocabulary->size() <= shown)
        return CandidateModel::tr("all others");
    return CandidateModel::tr("all %1 others")
        .arg(QLocale(QLocale::English).toString(static_cast<qulonglong>(vocabulary->size() - shown)));
}

} // namespace

CandidateModel::Row CandidateModel::tokenRow(TokenId id, double logProb) const
{
    Row row{.id = id, .probability = std::exp(logProb), .logProb = logProb};
    const auto index = static_cast<std::size_t>(id);
    if (m_vocabulary == nullptr || id < 0 || index >= m_vocabulary->size()) {
        row.text = QStringLiteral("#%1").arg(id);
        return row;
    }
    const std::string &bytes = (*m_vocabulary)[index];
    row.text = visibleToken(bytes);
    row.toolTip = tr("%1\nid %2 · bytes %3").arg(row.text).arg(id).arg(hexBytes(bytes));
    return row;
}

void CandidateModel::setToken(const TokenRecord &record, std::shared_ptr<const Vocabulary> vocabulary)
{
    beginResetModel();
    m_vocabulary = std::move(vocabulary);
    m_sampled.clear();
    m_rows.clear();
    double others = std::clamp(static_cast<double>(record.restMass), 0.0, 1.0);
    bool chosenShown = false;
    for (const Candidate &candidate : record.top) {
        Row row = tokenRow(candidate.id, candidate.logProb);
        row.rank = static_cast<int>(m_rows.size()) + 1;
        if (candidate.id == record.id) {
            row.kind = Kind::Chosen;
            chosenShown = true;
        }
        m_rows.push_back(std::move(row));
    }
    if (!chosenShown) {
        Row row = tokenRow(record.id, record.logProb);
        row.kind = Kind::Chosen;
        others = std::max(0.0, others - row.probability);
        m_rows.push_back(std::move(row));
    }
    if (!record.top.empty()) {
        m_rows.push_back({.kind = Kind::Others,
                          .text = othersText(m_vocabulary.get(), m_rows.size()),
                          .toolTip = tr("Probability of every other token together (derived)"),
                          .probability = others,
                          .logProb = std::log(others)});
    }
    endResetModel();
}

void CandidateModel::setTokens(std::vector<RankedToken> tokens, std::shared_ptr<const Vocabulary> vocabulary)
{
    std::sort(tokens.begin(), tokens.end(),
              [](const RankedToken &a, const RankedToken &b) { return a.rank < b.rank; });
    beginResetModel();
    m_vocabulary = std::move(vocabulary);
    m_sampled.clear();
    m_rows.clear();
    for (const RankedToken &token : tokens) {
        m_rows.push_back(tokenRow(token.id, token.logProb));
        m_rows.back().rank = token.rank;
    }
    endResetModel();
}

void CandidateModel::setSampled(Sampled sampled)
{
    beginResetModel();
    m_sampled = std::move(sampled);
    endResetModel();
}

void CandidateModel::setState(State state)
{
    if (state == m_state)
        return;
    beginResetModel();
    m_state = state;
    endResetModel();
    emit headerDataChanged(Qt::Horizontal, 0, ColumnCount - 1);
}

void CandidateModel::clear()
{
    beginResetModel();
    m_sampled.clear();
    m_rows.clear();
    m_vocabulary.reset();
    endResetModel();
}

int CandidateModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int CandidateModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

const SampledCandidate *CandidateModel::sampledOf(const Row &row) const
{
    const auto found = row.kind == Kind::Others ? m_sampled.end() : m_sampled.find(row.id);
    return found == m_sampled.end() ? nullptr : &found->second;
}

/// After the sampler, in the columns of probability and of its logarithm.
QString CandidateModel::samplerText(const Row &row, int column) const
{
    const SampledCandidate *sampled = sampledOf(row);
    if (sampled == nullptr)
        return QStringLiteral("–");
    if (column == ProbabilityColumn)
        return sampled->removedBy ? QStringLiteral("–") : percentText(sampled->probability);
    return sampled->removedBy ? stageName(*sampled->removedBy) : QString();
}

QString CandidateModel::display(const Row &row, int column) const
{
    if (m_state == State::Sampler && column >= ProbabilityColumn)
        return samplerText(row, column);
    switch (column) {
    case RankColumn:
        if (row.kind == Kind::Others)
            return {};
        return row.rank > 0 ? QString::number(row.rank) : QStringLiteral("–");
    case TokenColumn:
        return row.text;
    case ProbabilityColumn:
        return percentText(row.probability);
    case LogProbColumn:
        return std::isfinite(row.logProb) ? fixedText(row.logProb, 3) : QStringLiteral("−∞");
    default:
        return {};
    }
}

QVariant CandidateModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Row &row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return display(row, index.column());
    case Qt::AccessibleTextRole:
        return row.kind == Kind::Chosen && index.column() == TokenColumn ? tr("%1, chosen").arg(row.text)
                                                                         : display(row, index.column());
    case Qt::ToolTipRole:
        return row.toolTip.isEmpty() ? QVariant() : QVariant(row.toolTip);
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment(index.column() == TokenColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    case KindRole:
        return static_cast<int>(row.kind);
    case ProbabilityRole:
        if (m_state == State::Sampler) {
            const SampledCandidate *sampled = sampledOf(row);
            return sampled == nullptr ? 0.0 : static_cast<double>(sampled->probability);
        }
        return row.probability;
    case TokenIdRole:
        return row.kind == Kind::Others ? QVariant() : QVariant(row.id);
    default:
        return {};
    }
}

QVariant CandidateModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(section == TokenColumn ? Qt::AlignLeft : Qt::AlignRight)
                                   | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    const QString names[] = {tr("Rank"), tr("Token"), tr("Probability"),
                             m_state == State::Model ? tr("Log-prob.") : tr("Removed by")};
    return names[section];
}

QString stageName(SamplerStage stage)
{
    switch (stage) {
    case SamplerStage::Greedy:
        return CandidateModel::tr("greedy");
    case SamplerStage::TopK:
        return CandidateModel::tr("top-k");
    case SamplerStage::TopP:
        return CandidateModel::tr("top-p");
    case SamplerStage::MinP:
        return CandidateModel::tr("min-p");
    }
    return {};
}

QString CandidateModel::toTsv(const std::vector<int> &rows) const
{
    QString result = tr("rank\tid\ttoken\tprobability\tlog-probability\tchosen") + QLatin1Char('\n');
    for (const int at : rows) {
        if (at < 0 || at >= rowCount())
            continue;
        const Row &row = m_rows[static_cast<std::size_t>(at)];
        const QStringList cells{row.rank > 0 ? QString::number(row.rank) : QString(),
                                row.kind == Kind::Others ? QString() : QString::number(row.id),
                                row.text,
                                QString::number(row.probability, 'g', 7),
                                QString::number(row.logProb, 'g', 7),
                                row.kind == Kind::Chosen ? QStringLiteral("1") : QStringLiteral("0")};
        result += cells.join(QLatin1Char('\t')) + QLatin1Char('\n');
    }
    return result;
}

} // namespace bathyscope::ui
