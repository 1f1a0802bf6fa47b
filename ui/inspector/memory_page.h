// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the cache of the loaded model holds and costs, and where the limit of this device lies.
#pragma once

#include "ui/inspector/inspector_page.h"

class QLabel;

namespace bathyscope::ui {

class CacheChart;
class CacheModel;
class PlainTable;

class MemoryPage : public InspectorPage {
    Q_OBJECT

public:
    explicit MemoryPage(QWidget *parent = nullptr);

    [[nodiscard]] bool needsToken() const override { return false; }
    [[nodiscard]] const QAbstractItemModel *table() const override;
    void inspect(const Inspected &) override { }
    void clear() override { }

    void setLoaded(const ModelInfo &model);
    void setTokens(int tokens); ///< that the cache holds

    [[nodiscard]] CacheModel *costs() const { return m_costs; }
    [[nodiscard]] QString heldLine() const;
    [[nodiscard]] QString limitLine() const;

private:
    QLabel *addLine(const char *role);
    void updateLines();
    [[nodiscard]] QString shapeText() const;
    [[nodiscard]] QString limitText() const;

    ModelInfo m_model;
    int m_tokens = 0;
    CacheModel *m_costs;
    QLabel *m_held;
    CacheChart *m_chart;
    QLabel *m_shape;
    PlainTable *m_table;
    QLabel *m_limit;
};

} // namespace bathyscope::ui
