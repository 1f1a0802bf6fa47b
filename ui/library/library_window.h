// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

namespace bathyscope::ui {

class DownloadPage;
class LocalModelsPage;

/// The library: models on this machine, and those of a hub. Stays open beside the conversation.
class LibraryWindow : public QDialog {
    Q_OBJECT

public:
    explicit LibraryWindow(QWidget *parent = nullptr);

    [[nodiscard]] LocalModelsPage *localModels() const { return m_local; }
    [[nodiscard]] DownloadPage *downloads() const { return m_downloads; }

private:
    LocalModelsPage *m_local;
    DownloadPage *m_downloads;
};

} // namespace bathyscope::ui
