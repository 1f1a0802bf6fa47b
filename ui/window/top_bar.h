// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <QWidget>

class QAction;
class QHBoxLayout;
class QMenu;

namespace bathyscope::ui {

class BarButton;

/// A model that was open before.
struct RecentModel {
    QString title;
    QString path;
};

/// The thin bar above: what is loaded, where it runs, and the commands that open something.
class TopBar : public QWidget {
    Q_OBJECT

public:
    explicit TopBar(QWidget *parent = nullptr);

    /// `title` stands for the name of the model's directory, unless it is empty.
    void setModel(const ModelInfo &model, const QString &title);
    /// `done` of `total` bytes are read; a total of 0: not known yet.
    void setLoading(const QString &title, qint64 done, qint64 total);
    void setNoModel();
    void setModels(const QString &builtin, const std::vector<RecentModel> &recent);

    void addCommand(QAction *action);
    void addMenu(const QString &title, QMenu *menu);
    /// The commands that open a model, at the head of the model's menu.
    void setOpenCommands(const QList<QAction *> &actions);
    /// The command that asks where the model is to run.
    void setDeviceCommand(QAction *action);

signals:
    void modelPicked(const QString &path);
    void cancelRequested(); ///< of loading

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    BarButton *m_model;
    BarButton *m_cancel;
    BarButton *m_device;
    QMenu *m_modelMenu;
    QList<QAction *> m_open;
    QHBoxLayout *m_commands;
};

} // namespace bathyscope::ui
