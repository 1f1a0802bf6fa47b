// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/composer.h"

#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

using namespace bathyscope::ui;

class ComposerTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void enterSends();
    void shiftEnterBeginsALine();
    void sendsNothingEmpty();
    void becomesStop();
    void editsAndRestoresTheDraft();
    void saysWhyItIsDisabled();
    void growsToEightLines();

private:
    std::unique_ptr<Composer> m_composer;
    QPlainTextEdit *m_edit = nullptr;
    QPushButton *m_button = nullptr;
};

void ComposerTest::init()
{
    m_composer = std::make_unique<Composer>();
    m_composer->resize(600, 100);
    m_composer->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_composer.get()));
    m_edit = m_composer->findChild<QPlainTextEdit *>();
    m_button = m_composer->findChild<QPushButton *>(QStringLiteral("send"));
    m_edit->setFocus();
}

void ComposerTest::enterSends()
{
    QSignalSpy submitted(m_composer.get(), &Composer::submitted);
    QTest::keyClicks(m_edit, QStringLiteral(" hello "));
    QTest::keyClick(m_edit, Qt::Key_Return);
    QCOMPARE(submitted.count(), 1);
    QCOMPARE(submitted[0][0].toString(), QStringLiteral("hello"));
    QVERIFY(m_composer->text().isEmpty());
}

void ComposerTest::shiftEnterBeginsALine()
{
    QSignalSpy submitted(m_composer.get(), &Composer::submitted);
    QTest::keyClicks(m_edit, QStringLiteral("a"));
    QTest::keyClick(m_edit, Qt::Key_Return, Qt::ShiftModifier);
    QTest::keyClicks(m_edit, QStringLiteral("b"));
    QCOMPARE(submitted.count(), 0);
    QCOMPARE(m_composer->text(), QStringLiteral("a\nb"));
}

void ComposerTest::sendsNothingEmpty()
{
    QSignalSpy submitted(m_composer.get(), &Composer::submitted);
    QTest::keyClicks(m_edit, QStringLiteral("   "));
    QTest::keyClick(m_edit, Qt::Key_Return);
    QVERIFY(!m_button->isEnabled());
    QCOMPARE(submitted.count(), 0);
}

void ComposerTest::becomesStop()
{
    QSignalSpy submitted(m_composer.get(), &Composer::submitted);
    QSignalSpy stopped(m_composer.get(), &Composer::stopRequested);
    m_composer->setRunning(true);
    QCOMPARE(m_button->text(), QStringLiteral("Stop"));
    QTest::mouseClick(m_button, Qt::LeftButton);
    QTest::keyClick(m_edit, Qt::Key_Escape);
    QCOMPARE(stopped.count(), 2);
    QTest::keyClicks(m_edit, QStringLiteral("next"));
    QTest::keyClick(m_edit, Qt::Key_Return);
    QCOMPARE(submitted.count(), 0);
    QCOMPARE(m_composer->text(), QStringLiteral("next"));
}

void ComposerTest::editsAndRestoresTheDraft()
{
    QSignalSpy edited(m_composer.get(), &Composer::editSubmitted);
    m_composer->setText(QStringLiteral("draft"));
    m_composer->beginEdit(7, QStringLiteral("old"));
    QCOMPARE(m_composer->text(), QStringLiteral("old"));
    QTest::keyClick(m_edit, Qt::Key_Escape);
    QVERIFY(!m_composer->isEditing());
    QCOMPARE(m_composer->text(), QStringLiteral("draft"));
    m_composer->beginEdit(7, QStringLiteral("old"));
    QTest::keyClicks(m_edit, QStringLiteral("er"));
    QTest::keyClick(m_edit, Qt::Key_Return);
    QCOMPARE(edited.count(), 1);
    QCOMPARE(edited[0][0].value<MessageId>(), MessageId{7});
    QCOMPARE(edited[0][1].toString(), QStringLiteral("older"));
    QCOMPARE(m_composer->text(), QStringLiteral("draft"));
}

void ComposerTest::saysWhyItIsDisabled()
{
    m_composer->setText(QStringLiteral("x"));
    m_composer->setDisabledReason(QStringLiteral("No model"));
    QVERIFY(!m_button->isEnabled());
    QVERIFY(!m_edit->isEnabled());
    m_composer->setDisabledReason({});
    QVERIFY(m_button->isEnabled());
}

void ComposerTest::growsToEightLines()
{
    const int one = m_composer->height();
    m_composer->setText(QStringLiteral("1\n2\n3\n4"));
    const int four = m_composer->height();
    m_composer->setText(QStringLiteral("1\n2\n3\n4\n5\n6\n7\n8"));
    const int eight = m_composer->height();
    m_composer->setText(QStringLiteral("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12"));
    QVERIFY(one < four && four < eight);
    QCOMPARE(m_composer->height(), eight);
}

QTEST_MAIN(ComposerTest)
#include "composer_test.moc"
