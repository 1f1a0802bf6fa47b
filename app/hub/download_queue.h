// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/hub/model_download.h"

#include <QObject>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

namespace bathyscope::app {

/// All downloads. Each has a file in the folder of records until it is done, so that it can go on after the
/// program was ended.
class DownloadQueue : public QObject {
    Q_OBJECT

public:
    using ReadToken =
        std::function<void(const QUrl &endpoint, std::function<void(const QString &token)> take)>;

    /// Downloads of an earlier run are there, paused.
    DownloadQueue(QNetworkAccessManager &network, const QString &records, ReadToken readToken,
                  const RetryPolicy &retry = {}, QObject *parent = nullptr);

    void add(const DownloadPlan &plan); ///< one that is there already goes on
    void pause(const QString &id);
    void resume(const QString &id);
    void remove(const QString &id); ///< and what had not become a file

    [[nodiscard]] std::vector<ui::DownloadEntry> entries() const;

signals:
    void changed();
    void finished(const QString &folder);

private:
    struct Item {
        QString id; ///< the name of its record
        std::unique_ptr<ModelDownload> download;
    };

    Item &insert(const QString &id, const DownloadPlan &plan);
    Item *find(const QString &id);
    void begin(const Item &item);
    void onStateChanged(const QString &id);
    [[nodiscard]] QString recordOf(const QString &id) const;

    QNetworkAccessManager &m_network;
    QString m_records;
    ReadToken m_readToken;
    RetryPolicy m_retry;
    std::vector<Item> m_items;
    QTimer m_tick;
};

} // namespace bathyscope::app
