// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/download_queue.h"

#include <QCryptographicHash>
#include <QDir>
#include <QJsonDocument>
#include <QSaveFile>

#include <algorithm>

namespace bathyscope::app {

namespace {

constexpr int tickInterval = 500; // ms
constexpr qint64 maxRecord = 8 << 20; // bytes

/// The same plan has the same name.
QString idOf(const DownloadPlan &plan)
{
    const QByteArray json = QJsonDocument(plan.toJson()).toJson(QJsonDocument::Compact);
    return QString::fromLatin1(QCryptographicHash::hash(json, QCryptographicHash::Sha256).toHex().left(16));
}

std::optional<DownloadPlan> readRecord(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly) || file.size() > maxRecord)
        return std::nullopt;
    return DownloadPlan::fromJson(QJsonDocument::fromJson(file.readAll()).object());
}

} // namespace

DownloadQueue::DownloadQueue(QNetworkAccessManager &network, const QString &records, ReadToken readToken,
                             const RetryPolicy &retry, QObject *parent)
    : QObject(parent)
    , m_network(network)
    , m_records(records)
    , m_readToken(std::move(readToken))
    , m_retry(retry)
{
    for (const QFileInfo &file :
         QDir(records).entryInfoList({QStringLiteral("*.json")}, QDir::Files, QDir::Time | QDir::Reversed))
        if (const auto plan = readRecord(file.filePath()))
            insert(file.completeBaseName(), *plan);
    m_tick.setInterval(tickInterval);
    connect(&m_tick, &QTimer::timeout, this, [this] {
        for (const Item &item : m_items)
            if (item.download->state() == ModelDownload::State::Running)
                item.download->tick();
        emit changed();
    });
}

QString DownloadQueue::recordOf(const QString &id) const
{
    return m_records + QLatin1Char('/') + id + QStringLiteral(".json");
}

DownloadQueue::Item &DownloadQueue::insert(const QString &id, const DownloadPlan &plan)
{
    Item &item = m_items.emplace_back(Item{id, std::make_unique<ModelDownload>(m_network, plan, m_retry)});
    connect(item.download.get(), &ModelDownload::stateChanged, this, [this, id] { onStateChanged(id); });
    return item;
}

DownloadQueue::Item *DownloadQueue::find(const QString &id)
{
    const auto found = std::ranges::find(m_items, id, &Item::id);
    return found == m_items.end() ? nullptr : &*found;
}

void DownloadQueue::add(const DownloadPlan &plan)
{
    const QString id = idOf(plan);
    if (const Item *known = find(id)) {
        begin(*known);
        return;
    }
    QDir().mkpath(m_records);
    // Without a record it still downloads; only an end of the program would forget it.
    if (QSaveFile file(recordOf(id)); file.open(QIODevice::WriteOnly)) {
        file.write(QJsonDocument(plan.toJson()).toJson());
        file.commit();
    }
    begin(insert(id, plan));
}

void DownloadQueue::begin(const Item &item)
{
    m_readToken(item.download->plan().endpoint, [this, id = item.id](const QString &token) {
        if (const Item *still = find(id))
            still->download->start(token);
    });
}

void DownloadQueue::onStateChanged(const QString &id)
{
    const Item *item = find(id);
    if (item != nullptr && item->download->state() == ModelDownload::State::Done) {
        QFile::remove(recordOf(id));
        emit finished(item->download->plan().folder);
    }
    const bool running = std::ranges::any_of(
        m_items, [](const Item &each) { return each.download->state() == ModelDownload::State::Running; });
    running ? m_tick.start() : m_tick.stop();
    emit changed();
}

void DownloadQueue::pause(const QString &id)
{
    if (const Item *item = find(id))
        item->download->pause();
}

void DownloadQueue::resume(const QString &id)
{
    if (const Item *item = find(id))
        begin(*item);
}

void DownloadQueue::remove(const QString &id)
{
    if (const Item *item = find(id)) {
        item->download->disconnect(this);
        if (item->download->state() != ModelDownload::State::Done)
            item->download->discard();
    }
    QFile::remove(recordOf(id));
    std::erase_if(m_items, [&id](const Item &item) { return item.id == id; });
    emit changed();
}

std::vector<ui::DownloadEntry> DownloadQueue::entries() const
{
    std::vector<ui::DownloadEntry> entries;
    for (const Item &item : m_items) {
        entries.push_back(item.download->entry());
        entries.back().id = item.id;
    }
    return entries;
}

} // namespace bathyscope::app
