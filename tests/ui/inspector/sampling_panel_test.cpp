// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/panels/sampling_panel.h"

#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace bathyscope;
using namespace bathyscope::ui;

class SamplingPanelTest : public QObject {
    Q_OBJECT

private slots:
    void setParametersIsKeptExactlyAndSilent();
    void editingReports();
    void saysWhereTheAuthorsAdviseOtherwise();
    void resetGoesBackToTheDefaults();
    void seedIsSixtyFourBits();
    void everyFieldHasAName();
};

void SamplingPanelTest::setParametersIsKeptExactlyAndSilent()
{
    SamplingPanel panel;
    QSignalSpy spy(&panel, &SamplingPanel::changed);
    SamplingParameters parameters;
    parameters.temperature = 0.123456F;
    parameters.topK = 40;
    parameters.seed = 18446744073709551615ULL;
    panel.setParameters(parameters);
    QVERIFY(panel.parameters() == parameters);
    QCOMPARE(spy.count(), 0);
}

void SamplingPanelTest::editingReports()
{
    SamplingPanel panel;
    QSignalSpy spy(&panel, &SamplingPanel::changed);
    QSignalSpy promptSpy(&panel, &SamplingPanel::systemPromptChanged);
    for (auto *spin : panel.findChildren<QDoubleSpinBox *>())
        if (spin->accessibleName() == QStringLiteral("Temperature"))
            spin->setValue(0.6);
    QCOMPARE(spy.count(), 1);
    QCOMPARE(panel.parameters().temperature, 0.6F);
    QTest::keyClicks(panel.findChild<QPlainTextEdit *>(), QStringLiteral("Be"));
    QCOMPARE(promptSpy.count(), 2);
    QCOMPARE(panel.systemPrompt(), QStringLiteral("Be"));
}

void SamplingPanelTest::resetGoesBackToTheDefaults()
{
    SamplingPanel panel;
    SamplingParameters defaults;
    defaults.temperature = 0.6F;
    defaults.topP = 0.95F;
    panel.setDefaults(defaults);
    QSignalSpy spy(&panel, &SamplingPanel::changed);
    auto *reset = panel.findChild<QPushButton *>();
    QVERIFY(reset->isEnabled());
    reset->click();
    QVERIFY(panel.parameters() == defaults);
    QCOMPARE(spy.count(), 1);
    QVERIFY(!reset->isEnabled());
}

void SamplingPanelTest::seedIsSixtyFourBits()
{
    SamplingPanel panel;
    panel.findChild<QCheckBox *>()->click();
    QVERIFY(panel.parameters().seed.has_value());
    for (auto *line : panel.findChildren<QLineEdit *>()) {
        if (line->accessibleName() != QStringLiteral("Seed"))
            continue;
        line->clear();
        QTest::keyClicks(line, QStringLiteral("18446744073709551615"));
    }
    QCOMPARE(panel.parameters().seed.value(), 18446744073709551615ULL);
    panel.findChild<QCheckBox *>()->click();
    QVERIFY(!panel.parameters().seed.has_value());
}

void SamplingPanelTest::everyFieldHasAName()
{
    SamplingPanel panel;
    for (auto *widget : panel.findChildren<QWidget *>()) {
        const bool inside = qobject_cast<QLineEdit *>(widget) != nullptr
            && qobject_cast<QAbstractSpinBox *>(widget->parentWidget()) != nullptr;
        if ((widget->focusPolicy() & Qt::TabFocus) != 0 && !inside)
            QVERIFY2(!widget->accessibleName().isEmpty() || widget->property("text").isValid(),
                     widget->metaObject()->className());
    }
}

void SamplingPanelTest::saysWhereTheAuthorsAdviseOtherwise()
{
    SamplingPanel panel;
    panel.show();
    QLabel *hint = nullptr;
    for (QLabel *label : panel.findChildren<QLabel *>())
        if (label->accessibleName().startsWith(QStringLiteral("Advice")))
            hint = label;
    QVERIFY(hint != nullptr && !hint->isVisible());
    SamplingParameters advised;
    advised.temperature = 0.6F;
    advised.topP = 0.95F;
    panel.setParameters(advised);
    panel.setAdvice(SamplingPanel::Advice{advised, true});
    QVERIFY(!hint->isVisible());
    panel.setSystemPrompt(QStringLiteral("You are a pirate."));
    QVERIFY(hint->isVisible());
    QCOMPARE(hint->text(), QStringLiteral("The authors of this model advise no system prompt."));
    SamplingParameters hot = advised;
    hot.temperature = 1.5F;
    panel.setParameters(hot);
    QVERIFY(hint->text().contains(QStringLiteral("temperature 0.6, no system prompt")));
    panel.setAdvice(std::nullopt);
    QVERIFY(!hint->isVisible());
}

QTEST_MAIN(SamplingPanelTest)
#include "sampling_panel_test.moc"
