// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

class QTabWidget;

namespace bathyscope::ui {

class LocalModelsPage;

/// The library: models on this machine. Stays open beside the conversation.
class LibraryWindow : public QDialog {
    Q_OBJECT

public:
    explicit LibraryWindow(QWidget *parent = nullptr);

    [[nodiscard]] LocalModelsPage *localModels() const { return m_local; }

private:
    QTabWidget *m_tabs;
    LocalModelsPage *m_local;
};

} // namespace bathyscope::ui
