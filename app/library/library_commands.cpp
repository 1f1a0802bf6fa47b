// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/library_commands.h"

#include "app/model_locator.h"
#include "engine/library/read_bandwidth.h"
#include "ui/library/local_models_page.h"

#include <QDir>

namespace bathyscope::app {

LibraryCommands::LibraryCommands(Settings &settings, const QString &ownFolder,
                                 std::function<DeviceList()> listDevices,
                                 std::function<Circumstances()> circumstances, QWidget *window)
    : m_settings(settings)
    , m_ownFolder(ownFolder)
    , m_circumstances(std::move(circumstances))
    , m_parent(window)
    , m_library(std::move(listDevices), [] { return measureReadBandwidth(0); })
{
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

void LibraryCommands::changeFolders(const QStringList &folders)
{
    m_settings.setLibraryFolders(folders);
    m_window->localModels()->setFolders(folders);
    search();
}

} // namespace bathyscope::app
