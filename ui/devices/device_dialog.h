// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where a model runs, with how long a context, and what that takes of each device.
#pragma once

#include "engine/records.h"
#include "ui/devices/device_model.h"
#include "ui/devices/plan_model.h"

#include <QDialog>

#include <functional>

class QCheckBox;
class QFormLayout;
class QLabel;
class QPushButton;
class QSpinBox;
class QVBoxLayout;

namespace bathyscope::ui {

class DeviceTable;

/// What the dialog asks about.
struct DeviceQuestion {
    DeviceList devices;
    LocalBackendOptions options; ///< as they are now
    QString model; ///< its title
    int contextLimit = 0; ///< tokens that the model allows; 0: not known
    std::function<MemoryPlan(const LocalBackendOptions &)>
        plan; ///< none: there is no local model to plan for
};

class DeviceDialog : public QDialog {
    Q_OBJECT

public:
    explicit DeviceDialog(const DeviceQuestion &question, QWidget *parent = nullptr);

    [[nodiscard]] LocalBackendOptions options() const;
    void setOptions(const LocalBackendOptions &options);

    [[nodiscard]] bool fits() const { return m_fits; }

private:
    QWidget *buildDevices();
    QFormLayout *buildOptions();
    void buildPlan(QVBoxLayout *layout);
    void replan();
    void showAdvice(const MemoryPlan &plan);

    DeviceQuestion m_question;
    DeviceModel m_devices;
    PlanModel m_plan;
    DeviceTable *m_table = nullptr;
    QSpinBox *m_context = nullptr;
    QSpinBox *m_threads = nullptr;
    QCheckBox *m_quantise = nullptr;
    QCheckBox *m_bf16Activations = nullptr;
    QCheckBox *m_hostExperts = nullptr;
    QLabel *m_remark = nullptr; ///< refusal or note
    QVBoxLayout *m_advice = nullptr;
    QPushButton *m_load = nullptr;
    bool m_fits = true;
};

} // namespace bathyscope::ui
