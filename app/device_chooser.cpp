// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/device_chooser.h"

#include "ui/devices/device_dialog.h"

namespace bathyscope::app {

DeviceChooser::DeviceChooser(ListDevices listDevices, QWidget *window)
    : m_listDevices(std::move(listDevices))
    , m_window(window)
{
}

DeviceChooser::~DeviceChooser()
{
    if (m_listing)
        m_listing->wait();
}

void DeviceChooser::ask(const LoadingQuestion &question)
{
    if (m_asking)
        return;
    m_asking = true;
    const auto devices = std::make_shared<DeviceList>();
    m_listing.reset(QThread::create([list = m_listDevices, devices] { *devices = list(); }));
    connect(m_listing.get(), &QThread::finished, this,
            [this, question, devices] { show(question, *devices); });
    m_listing->start();
}

void DeviceChooser::show(const LoadingQuestion &question, const DeviceList &devices)
{
    ui::DeviceQuestion shown{.devices = withoutModel(devices, question.loaded),
                             .options = question.options,
                             .model = question.title,
                             .contextLimit = 0,
                             .plan = {}};
    if (question.needs) {
        shown.contextLimit = question.needs->contextLength;
        shown.plan = [needs = question.needs, list = shown.devices](const LocalBackendOptions &options) {
            return planMemory(*needs, list, options);
        };
    }
    auto *dialog = new ui::DeviceDialog(shown, m_window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::finished, this, [this] { m_asking = false; });
    connect(dialog, &QDialog::accepted, this,
            [this, dialog, directory = question.directory] { emit chosen(directory, dialog->options()); });
    dialog->open();
}

} // namespace bathyscope::app
