// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/library_window.h"

#include "ui/library/local_models_page.h"

#include <QTabBar>
#include <QTabWidget>
#include <QVBoxLayout>

namespace bathyscope::ui {

namespace {

constexpr QSize preferredSize(1040, 640);

} // namespace

LibraryWindow::LibraryWindow(QWidget *parent)
    : QDialog(parent)
    , m_tabs(new QTabWidget(this))
    , m_local(new LocalModelsPage(m_tabs))
{
    setWindowTitle(tr("Models"));
    m_tabs->addTab(m_local, tr("On this machine"));
    m_tabs->setDocumentMode(true);
    m_tabs->tabBar()->setDrawBase(false);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 12, 24, 16);
    layout->addWidget(m_tabs);
    resize(preferredSize);
}

} // namespace bathyscope::ui
