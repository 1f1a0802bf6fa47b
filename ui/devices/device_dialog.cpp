// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/devices/device_dialog.h"

#include "ui/devices/plan_view.h"
#include "ui/window/format.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStyle>
#include <QThread>
#include <QVBoxLayout>

#include <memory>

namespace bathyscope::ui {

namespace {

constexpr int dialogWidth = 800;
constexpr int contextStep = 1024;
constexpr int contextLimitUnknown = 1 << 20;

QLabel *makeLabel(const QString &text, const char *role, QWidget *parent)
{
    auto *label = new QLabel(text, parent);
    label->setProperty("role", role);
    label->setWordWrap(true);
    label->setVisible(!text.isEmpty());
    return label;
}

} // namespace

DeviceDialog::DeviceDialog(const DeviceQuestion &question, QWidget *parent)
    : QDialog(parent)
    , m_question(question)
{
    setWindowTitle(tr("Device and memory"));
    m_devices.setDevices(question.devices);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 24, 24, 16);
    layout->setSpacing(12);
    layout->addWidget(buildDevices());
    layout->addWidget(makeLabel(QString::fromStdString(question.devices.noGpu), "secondary", this));
    layout->addLayout(buildOptions());
    buildPlan(layout);
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_load = buttons->addButton(question.plan ? tr("Load") : tr("Use"), QDialogButtonBox::AcceptRole);
    m_load->setDefault(true);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    layout->addWidget(buttons);
    setOptions(question.options);
    resize(dialogWidth, sizeHint().height());
}

QWidget *DeviceDialog::buildDevices()
{
    m_table = new DeviceTable(&m_devices, this);
    connect(m_table, &DeviceTable::devicePicked, this, &DeviceDialog::replan);
    return m_table;
}

QFormLayout *DeviceDialog::buildOptions()
{
    m_context = new QSpinBox(this);
    m_context->setRange(0, m_question.contextLimit > 0 ? m_question.contextLimit : contextLimitUnknown);
    m_context->setSingleStep(contextStep);
    m_context->setGroupSeparatorShown(true);
    m_context->setSuffix(tr(" tokens"));
    m_context->setSpecialValueText(tr("As long as the model and the memory allow"));
    m_threads = new QSpinBox(this);
    m_threads->setRange(0, QThread::idealThreadCount());
    m_threads->setSpecialValueText(tr("One for each core"));
    m_quantise = new QCheckBox(tr("&Quantise weights to FP8 while they are loaded"), this);
    m_bf16Activations = new QCheckBox(tr("Keep &activations in BF16"), this);
    m_hostExperts = new QCheckBox(tr("Let the CPU compute &experts that do not fit"), this);
    for (QSpinBox *box : {m_context, m_threads})
        connect(box, &QSpinBox::valueChanged, this, &DeviceDialog::replan);
    for (QCheckBox *box : {m_quantise, m_bf16Activations, m_hostExperts})
        connect(box, &QCheckBox::toggled, this, &DeviceDialog::replan);

    auto *form = new QFormLayout;
    form->setHorizontalSpacing(24);
    form->setVerticalSpacing(8);
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->addRow(tr("&Context length"), m_context);
    form->addRow(tr("&Threads of the CPU"), m_threads);
    form->addRow(tr("On a GPU"), m_quantise);
    form->addRow(QString(), m_bf16Activations);
    form->addRow(QString(), m_hostExperts);
    return form;
}

void DeviceDialog::buildPlan(QVBoxLayout *layout)
{
    m_remark = makeLabel({}, "secondary", this);
    m_advice = new QVBoxLayout;
    m_advice->setSpacing(8);
    if (m_question.plan) {
        layout->addSpacing(4);
        layout->addWidget(makeLabel(tr("What %1 takes").arg(m_question.model), "heading", this));
        layout->addWidget(new PlanView(&m_plan, this));
    }
    layout->addWidget(m_remark);
    layout->addLayout(m_advice);
    layout->addStretch(1);
}

LocalBackendOptions DeviceDialog::options() const
{
    LocalBackendOptions options = m_question.options;
    options.device = m_table->device().toStdString();
    options.threads = m_threads->value();
    options.contextLength = m_context->value();
    options.quantise = m_quantise->isChecked();
    options.bf16Activations = m_bf16Activations->isChecked();
    options.hostExperts = m_hostExperts->isChecked();
    return options;
}

void DeviceDialog::setOptions(const LocalBackendOptions &options)
{
    const QSignalBlocker table(m_table);
    const QSignalBlocker context(m_context);
    const QSignalBlocker threads(m_threads);
    const QSignalBlocker quantise(m_quantise);
    const QSignalBlocker activations(m_bf16Activations);
    const QSignalBlocker experts(m_hostExperts);
    // A device that has gone since is as if none had been chosen.
    m_table->setCurrentIndex(
        m_devices.index(std::max(0, m_devices.rowOf(QString::fromStdString(options.device))), 0));
    m_context->setValue(options.contextLength);
    m_threads->setValue(options.threads);
    m_quantise->setChecked(options.quantise);
    m_bf16Activations->setChecked(options.bf16Activations);
    m_hostExperts->setChecked(options.hostExperts);
    replan();
}

void DeviceDialog::replan()
{
    const QString device = m_table->device();
    const bool hasGpu = m_question.devices.devices.size() > 1;
    for (QCheckBox *box : {m_quantise, m_bf16Activations, m_hostExperts})
        box->setEnabled(hasGpu && device != QLatin1String("cpu"));
    if (!m_question.plan)
        return;
    const MemoryPlan plan = m_question.plan(options());
    m_plan.setPlan(plan);
    m_fits = plan.fits();
    const QString context = tr("Context of %1 tokens.").arg(QLocale().toString(plan.contextLength));
    m_remark->setText(m_fits ? QStringList{context, QString::fromStdString(plan.note)}.join(QLatin1Char(' '))
                             : QString::fromStdString(plan.refusal));
    m_remark->setProperty("role", m_fits ? "secondary" : "error");
    m_remark->style()->polish(m_remark);
    m_remark->show();
    m_load->setEnabled(m_fits);
    showAdvice(plan);
}

/// A button for each set of options under which the model fits.
void DeviceDialog::showAdvice(const MemoryPlan &plan)
{
    while (const std::unique_ptr<QLayoutItem> item{m_advice->takeAt(0)})
        item->widget()->deleteLater(); // not at once: it may be the button that was just pressed
    for (const MemoryAdvice &advice : plan.advice) {
        auto *button = new QPushButton(tr("Use %1").arg(QString::fromStdString(advice.text)), this);
        connect(button, &QPushButton::clicked, this,
                [this, options = advice.options] { setOptions(options); });
        m_advice->addWidget(button, 0, Qt::AlignLeft);
    }
}

} // namespace bathyscope::ui
