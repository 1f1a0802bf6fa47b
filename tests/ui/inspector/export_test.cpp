// SPDX-License-Identifier: GPL-3.0-or-later
//
// Files that leave the inspector.
#include "tests/ui/inspector/fake_reply.h"
#include "ui/export/export_menu.h"
#include "ui/export/svg_writer.h"
#include "ui/inspector/inspector.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QImage>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

using namespace bathyscope;
using namespace bathyscope::ui;

class ExportTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void everyPageAsPng();
    void everyPageAsSvg();
    void tablesAsCsvAndMarkdown();
    void whatCannotBeWrittenIsTold();
    void commandsHaveTextsAndOneShortcutEach();

private:
    [[nodiscard]] QString path(const QString &name) const { return m_folder->filePath(name); }
    static QByteArray contents(const QString &file)
    {
        QFile input(file);
        return input.open(QIODevice::ReadOnly) ? input.readAll() : QByteArray();
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<ChatModel> m_chat;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<Inspector> m_inspector;
    ExportMenu *m_exports = nullptr;
};

void ExportTest::init()
{
    theme::apply(*qApp, ColorScheme::Light);
    m_folder = std::make_unique<QTemporaryDir>();
    m_chat = std::make_unique<ChatModel>();
    m_selection = std::make_unique<Selection>();
    m_inspector = std::make_unique<Inspector>(m_chat.get(), m_selection.get());
    ModelInfo model = test::fakeModel();
    model.attention = {.heads = 6, .keyDim = 64, .valueDim = 64, .latentDim = 96, .ropeDim = 16};
    model.cacheBytesPerToken = 8 * 112 * 4;
    m_inspector->setModel(model);
    m_exports = new ExportMenu(m_inspector.get());
    m_inspector->setExportMenu(m_exports->menu());
    m_chat->appendMessage(test::fakeReply(5, 20));
    m_selection->setToken(TokenPosition{5, 2});
    m_inspector->resize(468, 900);
    m_inspector->show();
}

void ExportTest::cleanup()
{
    m_inspector.reset();
}

void ExportTest::everyPageAsPng()
{
    for (int page = 0; page < m_inspector->pageTitles().size(); ++page) {
        m_inspector->setCurrentPage(page);
        QApplication::processEvents();
        const QString file = path(QStringLiteral("page%1.png").arg(page));
        QCOMPARE(m_exports->writePictureOf(file), QString());
        const QImage image(file);
        QVERIFY(image.width() >= 2 * 400);
        QSet<QRgb> seen; // something is drawn
        for (int y = 0; y < image.height(); y += 3)
            for (int x = 0; x < image.width(); x += 3)
                seen.insert(image.pixel(x, y));
        QVERIFY2(seen.size() > 8, qPrintable(m_inspector->pageTitles()[page]));
    }
}

void ExportTest::everyPageAsSvg()
{
    if (!canWriteSvg())
        QSKIP("this build has no Qt Svg");
    for (int page = 0; page < m_inspector->pageTitles().size(); ++page) {
        m_inspector->setCurrentPage(page);
        QApplication::processEvents();
        const QString file = path(QStringLiteral("page%1.svg").arg(page));
        QCOMPARE(m_exports->writePictureOf(file), QString());
        QXmlStreamReader reader(contents(file));
        int texts = 0;
        while (!reader.atEnd())
            if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == QLatin1String("text"))
                ++texts;
        QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
        QVERIFY2(texts > 3, qPrintable(m_inspector->pageTitles()[page])); // letters stay letters
    }
}

void ExportTest::tablesAsCsvAndMarkdown()
{
    m_inspector->setCurrentPage(0);
    const QString file = path(QStringLiteral("table.csv"));
    QCOMPARE(m_exports->writeTable(file), QString());
    const QList<QByteArray> lines = contents(file).split('\n');
    QCOMPARE(lines[0].split(',')[1], QByteArray("Token"));
    QCOMPARE(lines.size(), 1 + 21 + 1); // headings, candidates with all others, and the end of the last line
    m_exports->copyMarkdown();
    const QString markdown = QGuiApplication::clipboard()->text();
    QCOMPARE(markdown.count(QLatin1Char('\n')), 2 + 21);
    QVERIFY(markdown.startsWith(QStringLiteral("| Rank | Token | ")));
}

void ExportTest::whatCannotBeWrittenIsTold()
{
    const QString file = path(QStringLiteral("missing/file"));
    QVERIFY(!m_exports->writePictureOf(file + QStringLiteral(".png")).isEmpty());
    QVERIFY(!m_exports->writePictureOf(file + QStringLiteral(".svg")).isEmpty());
    QVERIFY(!m_exports->writeTable(file + QStringLiteral(".csv")).isEmpty());
}

void ExportTest::commandsHaveTextsAndOneShortcutEach()
{
    QSet<QKeySequence> shortcuts;
    for (const QAction *action : m_exports->actions()) {
        QVERIFY(!action->text().isEmpty());
        QVERIFY(action->shortcut().isEmpty() || !shortcuts.contains(action->shortcut()));
        shortcuts.insert(action->shortcut());
    }
    QCOMPARE(m_exports->actions().size(), 4);
}

QTEST_MAIN(ExportTest)
#include "export_test.moc"
