// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which token is shown, and how surprising it was.
#pragma once

#include "engine/records.h"

#include <QWidget>

#include <memory>

class QLabel;

namespace bathyscope::ui {

/// Bounds of the entropy in bits of a distribution of which only the candidates and the mass of the others
/// are known: the others all in one token, or spread evenly over `vocabulary` tokens.
struct EntropyBounds {
    double least = 0;
    double most = 0; ///< infinite when the size of the vocabulary is not known (0)
};

EntropyBounds entropyBounds(const TokenRecord &record, std::size_t vocabulary);

class TokenHeader : public QWidget {
    Q_OBJECT

public:
    explicit TokenHeader(QWidget *parent);

    /// `index` of `count` tokens of the reply.
    void setToken(const TokenRecord &record, int index, int count, const Vocabulary *vocabulary);
    /// Of the token shown, measured from all logits, in the place of the bounds.
    void setEntropy(double bits);

private:
    QLabel *m_place;
    QLabel *m_chosen;
    QLabel *m_surprisal;
    QLabel *m_entropy;
};

} // namespace bathyscope::ui
