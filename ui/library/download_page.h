// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/library/hub_entry.h"

#include <QWidget>

#include <vector>

class QLabel;
class QLineEdit;
class QPushButton;
class QTreeWidget;
class QVBoxLayout;

namespace bathyscope::ui {

/// Models of a hub: searched, chosen, and on their way to this machine.
class DownloadPage : public QWidget {
    Q_OBJECT

public:
    explicit DownloadPage(QWidget *parent = nullptr);

    /// Free memory in bytes: choices that are larger say so. 0: not known.
    void setRoom(qint64 bytes);
    void setResults(const std::vector<HubResult> &results);
    /// What the chosen repository offers.
    void setChoices(const QString &repository, const std::vector<HubChoice> &choices);
    void setDownloads(const std::vector<DownloadEntry> &downloads);
    /// One line about the last question; empty: nothing to tell.
    void setStatus(const QString &text, bool isError = false);

signals:
    void searchRequested(const QString &text); ///< a name, an id or an address
    void repositoryRequested(const QString &id);
    void downloadRequested(const QString &repository, const bathyscope::ui::HubChoice &choice);
    void tokenRequested();
    void pauseRequested(const QString &id);
    void resumeRequested(const QString &id);
    void removeRequested(const QString &id);

private:
    QWidget *buildSearch();
    QWidget *buildOffers();
    void buildDownloads(QVBoxLayout *layout);
    QPushButton *addButton(const QString &text, QWidget *parent);
    [[nodiscard]] const DownloadEntry *currentDownload() const;
    void fillDownload(int row, const DownloadEntry &entry);
    void download();
    void showButtons();

    QLineEdit *m_search = nullptr;
    QLabel *m_status = nullptr;
    QLabel *m_empty = nullptr; ///< in the place of the offers
    QWidget *m_offers = nullptr;
    QTreeWidget *m_results = nullptr;
    QTreeWidget *m_choices = nullptr;
    QTreeWidget *m_downloads = nullptr;
    QPushButton *m_get = nullptr;
    QPushButton *m_pause = nullptr;
    QPushButton *m_remove = nullptr;
    QString m_repository;
    std::vector<HubChoice> m_offered;
    std::vector<DownloadEntry> m_entries;
    qint64 m_room = 0;
};

/// "2 min left"; empty where the speed is not known.
QString formatTimeLeft(qint64 bytes, double bytesPerSecond);

} // namespace bathyscope::ui
