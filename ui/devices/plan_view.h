// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTableView>

namespace bathyscope::ui {

class DeviceModel;
class PlanModel;

/// The devices; the current row is the chosen one.
class DeviceTable : public QTableView {
    Q_OBJECT

public:
    explicit DeviceTable(DeviceModel *model, QWidget *parent = nullptr);

    [[nodiscard]] QString device() const; ///< LocalBackendOptions::device

signals:
    void devicePicked();

protected:
    void resizeEvent(QResizeEvent *event) override;
    void currentChanged(const QModelIndex &current, const QModelIndex &previous) override;
};

/// A plan as a table: figures, and for each device a bar of its memory.
class PlanView : public QTableView {
    Q_OBJECT

public:
    explicit PlanView(PlanModel *model, QWidget *parent = nullptr);

protected:
    void resizeEvent(QResizeEvent *event) override;
};

} // namespace bathyscope::ui
