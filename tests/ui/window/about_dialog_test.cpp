// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/about_dialog.h"

#include <QApplication>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBlock>
#include <QTextBrowser>

namespace bathyscope::ui {

namespace {

/// Addresses of all links of a page, in its order.
QStringList linksOf(const QTextDocument *page)
{
    QStringList links;
    for (QTextBlock block = page->begin(); block.isValid(); block = block.next()) {
        for (auto part = block.begin(); !part.atEnd(); ++part) {
            const QString link = part.fragment().charFormat().anchorHref();
            if (!link.isEmpty())
                links.append(link);
        }
    }
    return links;
}

} // namespace

class AboutDialogTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { QCoreApplication::setApplicationVersion(QStringLiteral("1.2.3")); }

    void tellsTheVersion()
    {
        const AboutDialog dialog({});
        bool told = false;
        for (const auto *label : dialog.findChildren<QLabel *>())
            told |= label->text().contains(QStringLiteral("1.2.3"));
        QVERIFY(told);
    }

    void everyLicenceOpensAndThereIsAWayBack()
    {
        AboutDialog dialog({});
        dialog.show();
        auto *browser = dialog.findChild<QTextBrowser *>();
        QPushButton *back = nullptr;
        for (auto *button : dialog.findChildren<QPushButton *>())
            if (button->text() == QStringLiteral("Back"))
                back = button;
        const QString first = browser->toPlainText();
        const QStringList links = linksOf(browser->document());
        for (const char *text :
             {"GPL-3.0.txt", "OFL-1.1.txt", "MIT.txt", "BSD-3-Clause.txt", "Apache-2.0.txt"})
            QVERIFY2(links.contains(QLatin1String(text)), text);
        for (const QString &link : links) {
            QVERIFY(!back->isEnabled());
            browser->setSource(browser->source().resolved(QUrl(link)));
            QVERIFY2(browser->toPlainText().size() > 900, qPrintable(link));
            QTest::mouseClick(back, Qt::LeftButton);
            QCOMPARE(browser->toPlainText(), first);
        }
    }

    void listsWhatAPackageCarries()
    {
        const QTemporaryDir folder;
        QFile licence(folder.filePath(QStringLiteral("libxcb1 and more.txt")));
        QVERIFY(licence.open(QIODevice::WriteOnly));
        licence.write("Permission is hereby granted to xcb");
        licence.close();
        AboutDialog dialog(folder.path());
        auto *browser = dialog.findChild<QTextBrowser *>();
        QVERIFY(browser->toPlainText().contains(QStringLiteral("libxcb1 and more")));
        const QStringList links = linksOf(browser->document());
        browser->setSource(browser->source().resolved(QUrl(links.last())));
        QCOMPARE(browser->toPlainText(), QStringLiteral("Permission is hereby granted to xcb"));
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::AboutDialogTest)
#include "about_dialog_test.moc"
