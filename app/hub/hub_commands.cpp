// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/hub/hub_commands.h"

#include "engine/system_memory.h"
#include "ui/library/download_page.h"

#include <QInputDialog>
#include <QLineEdit>

#include <algorithm>

namespace bathyscope::app {

namespace {

/// The name of a hub's token in the secret store.
QString tokenName(const QUrl &endpoint)
{
    return QStringLiteral("token for ") + endpoint.authority();
}

} // namespace

HubCommands::HubCommands(const QString &folder, const QString &records)
    : m_folder(folder)
    , m_client(m_network)
    , m_queue(m_network, records,
              [this](const QUrl &endpoint, const std::function<void(const QString &)> &take) {
                  m_secrets.read(tokenName(endpoint), take);
              })
{
    connect(&m_queue, &DownloadQueue::finished, this, &HubCommands::arrived);
}

void HubCommands::connectWindow(ui::LibraryWindow &window)
{
    m_window = &window;
    ui::DownloadPage *page = window.downloads();
    connect(page, &ui::DownloadPage::searchRequested, this, &HubCommands::search);
    connect(page, &ui::DownloadPage::repositoryRequested, this, [this](const QString &id) {
        describe(id == m_asked.repository ? m_asked : HubAddress{id, {}});
    });
    connect(page, &ui::DownloadPage::downloadRequested, this,
            [this](const QString &, const ui::HubChoice &choice) { download(choice); });
    connect(page, &ui::DownloadPage::tokenRequested, this, &HubCommands::askForToken);
    connect(page, &ui::DownloadPage::pauseRequested, &m_queue, &DownloadQueue::pause);
    connect(page, &ui::DownloadPage::resumeRequested, &m_queue, &DownloadQueue::resume);
    connect(page, &ui::DownloadPage::removeRequested, &m_queue, &DownloadQueue::remove);
    connect(&m_queue, &DownloadQueue::changed, page, [this, page] { page->setDownloads(m_queue.entries()); });
    connect(&m_client, &HubClient::found, page, &ui::DownloadPage::setResults);
    connect(&m_client, &HubClient::described, page, [this, page](const HubRepository &repository) {
        m_repository = repository;
        page->setChoices(repository.id, choicesOf(repository));
    });
    connect(&m_client, &HubClient::failed, page, [page](const QString &why) { page->setStatus(why, true); });
    page->setRoom(systemMemory().available);
    page->setDownloads(m_queue.entries());
}

void HubCommands::withAccess(const std::function<void(const HubAccess &)> &use)
{
    m_secrets.read(tokenName(m_endpoint),
                   [this, use](const QString &token) { use({.endpoint = m_endpoint, .token = token}); });
}

void HubCommands::search(const QString &text)
{
    m_window->downloads()->setStatus(tr("Asking %1…").arg(m_endpoint.host()));
    m_asked = {};
    if (const auto address = parseHubAddress(text, m_endpoint)) {
        m_asked = *address;
        m_window->downloads()->setResults({{.id = address->repository}});
        describe(*address);
        return;
    }
    withAccess([this, text](const HubAccess &access) { m_client.search(access, text); });
}

void HubCommands::describe(const HubAddress &address)
{
    withAccess([this, address](const HubAccess &access) { m_client.describe(access, address); });
}

void HubCommands::download(const ui::HubChoice &choice)
{
    DownloadPlan plan{.repository = m_repository.id,
                      .commit = m_repository.commit,
                      .title = choice.title,
                      .folder = m_folder + QLatin1Char('/') + m_repository.id,
                      .endpoint = m_endpoint,
                      .files = {}};
    for (const RemoteFile &file : m_repository.files)
        if (choice.files.contains(file.name))
            plan.files.push_back(file);
    if (!plan.files.empty())
        m_queue.add(plan);
}

void HubCommands::askForToken()
{
    bool given = false;
    const QString token = QInputDialog::getText(
        m_window, tr("Access token"),
        tr("Your access token for %1, for models that it gives only to those who have agreed to their "
           "conditions.\nIt is sent to no other host. Empty: forget it.")
            .arg(m_endpoint.host()),
        QLineEdit::Password, {}, &given);
    if (!given)
        return;
    m_secrets.write(tokenName(m_endpoint), token.trimmed(), [this](const QString &why) {
        if (m_window != nullptr)
            m_window->downloads()->setStatus(
                why.isEmpty() ? tr("The token is in the system's secret store.") : why, !why.isEmpty());
    });
}

} // namespace bathyscope::app
