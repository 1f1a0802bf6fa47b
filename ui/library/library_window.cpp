// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/library_window.h"

#include "ui/library/download_page.h"
#include "ui/library/local_models_page.h"

#include <QTabWidget>
#include <QVBoxLayout>

namespace bathyscope::ui {

namespace {

constexpr QSize preferredSize(1040, 640);

} // namespace

LibraryWindow::LibraryWindow(QWidget *parent)
    : QDialog(parent)
    , m_local(new LocalModelsPage(this))
    , m_downloads(new DownloadPage(this))
{
    setWindowTitle(tr("Models"));
    auto *tabs = new QTabWidget(this);
    tabs->addTab(m_local, tr("On this machine"));
    tabs->addTab(m_downloads, tr("Get models"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 12, 24, 16);
    layout->addWidget(tabs);
    resize(preferredSize);
}

} // namespace bathyscope::ui
