// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/inspector/cache_model.h"

#include <QWidget>

namespace bathyscope::ui {

/// What a token takes in the cache, as one bar for each kind of attention.
class CacheChart : public QWidget {
    Q_OBJECT

public:
    CacheChart(CacheModel *model, QWidget *parent);

    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    CacheModel *m_model;
};

} // namespace bathyscope::ui
