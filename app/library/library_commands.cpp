// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/library_commands.h"

#include "app/model_locator.h"
#include "engine/error.h"
#include "engine/library/fp8_conversion.h"
#include "engine/library/read_bandwidth.h"
#include "ui/library/local_models_page.h"

#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>

#include <utility>

namespace bathyscope::app {

LibraryCommands::LibraryCommands(Settings &settings, const QString &ownFolder,
                                 std::function<DeviceList()> listDevices,
                                 std::function<Circumstances()> circumstances, QWidget *window)
    : m_settings(settings)
    , m_ownFolder(ownFolder)
    , m_circumstances(std::move(circumstances))
    , m_parent(window)
    , m_library(std::move(listDevices), measureReadBandwidth)
    , m_hub(ownFolder, ownFolder + QStringLiteral("/.downloads"))
{
    connect(&m_hub, &HubCommands::arrived, this, [this](const QString &folder) {
        emit told(tr("%1 has arrived; open it under Models (Ctrl+M).").arg(QDir(folder).dirName()));
        if (m_window != nullptr)
            search();
    });
}

void LibraryCommands::show()
{
    if (m_window == nullptr)
        build();
    search();
    m_window->show();
    m_window->raise();
    m_window->activateWindow();
}

void LibraryCommands::build()
{
    m_window = new ui::LibraryWindow(m_parent);
    ui::LocalModelsPage *page = m_window->localModels();
    page->setFolders(m_settings.libraryFolders());
    connect(page, &ui::LocalModelsPage::openRequested, this,
            [this](const QString &path, const QString &title) {
                m_window->hide();
                emit openRequested(path, title);
            });
    connect(page, &ui::LocalModelsPage::openFileRequested, this, &LibraryCommands::openFileRequested);
    m_hub.connectWindow(*m_window);
    connect(page, &ui::LocalModelsPage::convertRequested, this, &LibraryCommands::askToConvert);
    connect(page, &ui::LocalModelsPage::cancelTaskRequested, this, [this] { m_conversion.request_stop(); });
    connect(page, &ui::LocalModelsPage::refreshRequested, this, &LibraryCommands::search);
    connect(page, &ui::LocalModelsPage::addFolderRequested, this, [this](const QString &folder) {
        QStringList folders = m_settings.libraryFolders();
        folders.removeAll(folder);
        changeFolders(folders << folder);
    });
    connect(page, &ui::LocalModelsPage::removeFolderRequested, this, [this](const QString &folder) {
        QStringList folders = m_settings.libraryFolders();
        folders.removeAll(folder);
        changeFolders(folders);
    });
    connect(&m_library, &ModelLibrary::found, page, &ui::LocalModelsPage::setEntries);
    connect(&m_library, &ModelLibrary::described, page->model(), &ui::LibraryModel::update);
    connect(&m_library, &ModelLibrary::finished, page, [page] { page->setSearching(false); });
}

void LibraryCommands::search()
{
    m_window->localModels()->setSearching(true);
    const Circumstances now = m_circumstances();
    std::vector<ModelPlace> places = standardPlaces(m_ownFolder, QDir::homePath());
    if (const QString builtin = builtinModelDirectory(); !builtin.isEmpty())
        places.push_back({tr("Comes with Bathyscope"), builtin});
    for (const QString &folder : m_settings.libraryFolders())
        places.push_back({QDir(folder).dirName(), folder});
    m_library.search({.places = std::move(places), .loading = now.loading, .loaded = now.loaded});
}

void LibraryCommands::askToConvert(const QString &path, const QString &title)
{
    const QString target = QStringLiteral("%1/%2-FP8").arg(m_ownFolder, title);
    auto *question = new QMessageBox(
        QMessageBox::NoIcon, tr("Convert to FP8"),
        tr("A copy of %1 with its projections in FP8 blocks is written to %2. The original stays.")
            .arg(title, QDir::toNativeSeparators(target)),
        QMessageBox::Cancel, m_window);
    question->setAttribute(Qt::WA_DeleteOnClose);
    QAbstractButton *agree = question->addButton(tr("Convert"), QMessageBox::AcceptRole);
    connect(agree, &QAbstractButton::clicked, this, [this, path, target] { convert(path, target); });
    question->open();
}

void LibraryCommands::convert(const QString &path, const QString &target)
{
    m_conversion.request_stop(); // one at a time
    const QString title = QFileInfo(target).fileName();
    m_window->localModels()->setTask(tr("Writing %1").arg(title), 0);
    m_conversion = std::jthread([this, path, target, title](const std::stop_token &stop) {
        const auto tell = [this](std::function<void()> what) {
            QMetaObject::invokeMethod(this, std::move(what), Qt::QueuedConnection);
        };
        QString problem;
        int shown = 0;
        const LoadObserver observer{
            .progress =
                [&](const LoadProgress &progress) {
                    const int percent =
                        static_cast<int>(100.0 * double(progress.done) / double(progress.total));
                    if (percent != std::exchange(shown, percent))
                        tell([this, title, percent] {
                            m_window->localModels()->setTask(tr("Writing %1").arg(title), percent);
                        });
                },
            .stop = stop};
        try {
            convertToFp8(fromUtf8(path.toStdString()), fromUtf8(target.toStdString()), 0, observer);
        } catch (const std::exception &error) {
            problem = QString::fromUtf8(error.what());
        }
        tell([this, target, problem] { onConverted(target, problem); });
    });
}

void LibraryCommands::onConverted(const QString &target, const QString &problem)
{
    m_window->localModels()->setTask({}, 0);
    if (problem.isEmpty())
        emit told(tr("The converted model is in %1.").arg(QDir::toNativeSeparators(target)));
    else
        emit failed(problem);
    search();
}

void LibraryCommands::changeFolders(const QStringList &folders)
{
    m_settings.setLibraryFolders(folders);
    m_window->localModels()->setFolders(folders);
    search();
}

} // namespace bathyscope::app
