// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/devices/device_dialog.h"

#include "ui/devices/plan_view.h"
#include "ui/theme/theme.h"

#include <QAbstractItemModelTester>
#include <QAccessible>
#include <QApplication>
#include <QCheckBox>
#include <QDialogButtonBox>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QTest>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr std::int64_t giga = 1'000'000'000;

DeviceList twoGpus()
{
    return {{{"cpu", "CPU", {64 * giga, 50 * giga}},
             {"cuda:0", "NVIDIA RTX 4090", {24 * giga, 22 * giga}},
             {"cuda:1", "NVIDIA H200", {150 * giga, 140 * giga}}},
            {}};
}

/// 20 GB of weights, a cache of 1 MB a token; more than the device has is refused.
MemoryPlan planFor(const DeviceList &list, const LocalBackendOptions &options)
{
    const auto found = std::ranges::find(list.devices, options.device, &DeviceInfo::id);
    MemoryPlan plan;
    plan.contextLength = options.contextLength > 0 ? options.contextLength : 1024;
    plan.shares = {{.device = found == list.devices.end() ? list.devices[0] : *found,
                    .firstLayer = 0,
                    .layers = 27,
                    .weights = options.quantise ? 10 * giga : 20 * giga,
                    .cache = plan.contextLength * std::int64_t(1'000'000),
                    .workspace = giga / 2}};
    if (plan.shares[0].needed() > plan.shares[0].device.memory.available) {
        plan.refusal = "The model needs too much.";
        LocalBackendOptions shorter = options;
        shorter.contextLength = 512;
        plan.advice = {{"a context of 512 tokens", shorter}};
    }
    return plan;
}

DeviceQuestion question()
{
    const DeviceList list = twoGpus();
    return {.devices = list,
            .options = {.device = "cuda:0", .contextLength = 1024},
            .model = QStringLiteral("Some Model"),
            .contextLimit = 163840,
            .plan = [list](const LocalBackendOptions &options) { return planFor(list, options); }};
}

QPushButton *buttonWith(const QWidget &dialog, const QString &text)
{
    for (QPushButton *button : dialog.findChildren<QPushButton *>()) {
        if (button->text().contains(text))
            return button;
    }
    return nullptr;
}

QString textsOf(const QWidget &dialog)
{
    QStringList texts;
    for (const QLabel *label : dialog.findChildren<QLabel *>())
        texts << label->text();
    return texts.join(QLatin1Char('\n'));
}

} // namespace

class DeviceDialogTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { theme::apply(*qApp, ColorScheme::Light); }

    void devicesAreAModel()
    {
        DeviceModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(model.rowCount(), 0);
        model.setDevices(twoGpus());
        QCOMPARE(model.rowCount(), 5); // automatic, three devices, the GPUs together
        QCOMPARE(model.rowOf(QStringLiteral("cuda:1")), 3);
        QCOMPARE(model.rowOf(QStringLiteral("cuda:2")), -1);
        QCOMPARE(model.index(0, DeviceModel::FreeColumn).data().toString(), QString());
        QCOMPARE(model.index(3, DeviceModel::NameColumn).data().toString(),
                 QStringLiteral("NVIDIA H200 · cuda:1"));
        QCOMPARE(model.index(3, DeviceModel::FreeColumn).data().toString(), QStringLiteral("140 GB"));
        QCOMPARE(model.index(4, 0).data(DeviceModel::IdRole).toString(), QStringLiteral("cuda"));
        QCOMPARE(model.index(4, DeviceModel::TotalColumn).data().toString(), QStringLiteral("174 GB"));
        QVERIFY(!model.data(model.index(5, 0)).isValid());
        QVERIFY(!model.headerData(DeviceModel::ColumnCount, Qt::Horizontal, Qt::DisplayRole).isValid());
        model.setDevices({{{"cpu", "CPU", {}}}, "No GPU."});
        QCOMPARE(model.rowCount(), 2);
    }

    void aPlanIsAModel()
    {
        PlanModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setPlan(planFor(twoGpus(), {.device = "cuda:0", .contextLength = 1024}));
        QCOMPARE(model.rowCount(), 1);
        QCOMPARE(model.index(0, PlanModel::LayersColumn).data().toString(), QStringLiteral("0–26"));
        QCOMPARE(model.index(0, PlanModel::WeightsColumn).data().toString(), QStringLiteral("20 GB"));
        QCOMPARE(model.index(0, PlanModel::LeftColumn).data().toString(), QStringLiteral("476 MB left"));
        QVERIFY(!model.index(0, 0).data(PlanModel::MissingRole).toBool());
        model.setPlan(planFor(twoGpus(), {.device = "cuda:0", .contextLength = 4096}));
        QCOMPARE(model.index(0, PlanModel::LeftColumn).data().toString(), QStringLiteral("2.6 GB missing"));
        QVERIFY(model.index(0, 0).data(PlanModel::MissingRole).toBool());
        QVERIFY(!model.data(model.index(1, 0)).isValid());
        QVERIFY(!model.headerData(PlanModel::ColumnCount, Qt::Horizontal, Qt::DisplayRole).isValid());
    }

    void aDeviceIsPickedWithTheKeyboard()
    {
        DeviceDialog dialog(question());
        dialog.show();
        QVERIFY(dialog.options() == question().options);
        auto *table = dialog.findChild<DeviceTable *>();
        table->setFocus();
        QTest::keyClick(table, Qt::Key_Down);
        QCOMPARE(dialog.options().device, std::string("cuda:1"));
        QTest::keyClick(table, Qt::Key_End);
        QTest::keyClick(table, Qt::Key_Home, Qt::ControlModifier);
        QCOMPARE(dialog.options().device, std::string("auto"));
    }

    void whatDoesNotFitCannotBeLoadedButItsAdviceCan()
    {
        DeviceDialog dialog(question());
        dialog.show();
        QVERIFY(dialog.fits());
        auto *load = buttonWith(dialog, QStringLiteral("Load"));
        QVERIFY(load->isEnabled());
        QSpinBox *context = dialog.findChildren<QSpinBox *>().constFirst();
        context->setValue(4096);
        QVERIFY(!dialog.fits());
        QVERIFY(!load->isEnabled());
        QVERIFY(textsOf(dialog).contains(QStringLiteral("The model needs too much.")));
        QTest::mouseClick(buttonWith(dialog, QStringLiteral("512 tokens")), Qt::LeftButton);
        QVERIFY(dialog.fits());
        QVERIFY(load->isEnabled());
        QCOMPARE(context->value(), 512);
        QCOMPARE(dialog.options().contextLength, 512);
        QTest::mouseClick(load, Qt::LeftButton);
        QCOMPARE(dialog.result(), static_cast<int>(QDialog::Accepted));
    }

    void optionsOfAGpuAreOffOnTheCpu()
    {
        DeviceDialog dialog(question());
        QVERIFY(dialog.findChildren<QCheckBox *>().constFirst()->isEnabled());
        dialog.setOptions({.device = "cpu"});
        QVERIFY(!dialog.findChildren<QCheckBox *>().constFirst()->isEnabled());
    }

    void expertsMayStayOnTheHost()
    {
        DeviceDialog dialog(question());
        dialog.show();
        QVERIFY(!dialog.options().hostExperts);
        const QList<QCheckBox *> boxes = dialog.findChildren<QCheckBox *>();
        const auto experts = std::ranges::find_if(boxes, [](const QCheckBox *box) {
            return box->text().remove(QLatin1Char('&')).contains(QStringLiteral("experts"));
        });
        QVERIFY(experts != boxes.end());
        QTest::keyClick(*experts, Qt::Key_Space);
        QVERIFY(dialog.options().hostExperts);
        dialog.setOptions(question().options);
        QVERIFY(!(*experts)->isChecked());
    }

    void withoutAGpuItSaysWhy()
    {
        DeviceQuestion none = question();
        none.devices = {{{"cpu", "CPU", {64 * giga, 50 * giga}}}, "No GPU: no NVIDIA driver was found."};
        none.options.device = "cuda:3";
        none.plan = {};
        DeviceDialog dialog(none);
        QVERIFY(textsOf(dialog).contains(QStringLiteral("no NVIDIA driver was found")));
        QCOMPARE(dialog.options().device, std::string("auto"));
        QVERIFY(buttonWith(dialog, QStringLiteral("Use"))->isEnabled());
    }

    void everyControlHasAName()
    {
        DeviceDialog dialog(question());
        for (const QWidget *widget : dialog.findChildren<QWidget *>()) {
            const bool isField =
                qobject_cast<QSpinBox *>(widget->parentWidget()) != nullptr; // of a named box
            if (!isField
                && (widget->focusPolicy() == Qt::StrongFocus || widget->focusPolicy() == Qt::WheelFocus)) {
                QAccessibleInterface *accessible =
                    QAccessible::queryAccessibleInterface(const_cast<QWidget *>(widget));
                QVERIFY2(accessible != nullptr && !accessible->text(QAccessible::Name).isEmpty(),
                         widget->metaObject()->className());
            }
        }
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::DeviceDialogTest)
#include "device_dialog_test.moc"
