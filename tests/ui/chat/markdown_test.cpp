// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/markdown/entities.h"
#include "ui/markdown/parser.h"

#include <QTest>

#include <algorithm>
#include <random>

using namespace bathyscope::ui::markdown;
using Kind = Block::Kind;

namespace {

/// Text put together at random from what Markdown gives a meaning to.
std::string randomMarkdown(std::mt19937 &random)
{
    static const char *const pieces[] = {"word ",
                                         "two words ",
                                         "**",
                                         "*",
                                         "_",
                                         "~~",
                                         "`",
                                         "``",
                                         "```\n",
                                         "~~~py\n",
                                         "\n",
                                         "\n\n",
                                         "\n\n",
                                         "# ",
                                         "## ",
                                         "- ",
                                         "* ",
                                         "1. ",
                                         "2) ",
                                         "> ",
                                         ">> ",
                                         "    ",
                                         "\t",
                                         "  ",
                                         "[text](https://a.b/c?d=1&amp;e)",
                                         "[x]",
                                         "[ref]: /u\n",
                                         "![alt](pic.png)",
                                         "![](b.png)",
                                         "<b>",
                                         "</b>",
                                         "<!-- c -->\n",
                                         "<div>\n",
                                         "&amp;",
                                         "&#955;",
                                         "&unknown;",
                                         "\\*",
                                         "\\\\",
                                         "\\\n",
                                         "  \n",
                                         "| a | b |\n|---|:-:|\n| 1 | 2 |\n",
                                         "|",
                                         "---\n",
                                         "===\n",
                                         "é",
                                         "漢",
                                         "🙂",
                                         "\xC3",
                                         "\xFF",
                                         "https://x.org ",
                                         "- [x] done\n",
                                         "\r\n",
                                         "$x$ ",
                                         "!",
                                         "\n\nplain paragraph\n\n",
                                         "\n\nnext\nline\n"};
    std::uniform_int_distribution<std::size_t> pick(0, std::size(pieces) - 1);
    std::uniform_int_distribution<int> count(1, 60);
    std::string text;
    for (int i = count(random); i > 0; --i)
        text += pieces[pick(random)];
    return text;
}

QString decoded(std::string_view bytes)
{
    return QString::fromUtf8(bytes.data(), static_cast<qsizetype>(bytes.size()));
}

/// Whether a unit belongs to an image's address, which may be written with escapes.
bool isAddress(const Block &block, int unit)
{
    return std::any_of(block.spans.begin(), block.spans.end(), [&](const Span &span) {
        return unit >= span.start && unit < span.start + span.length
            && span.address.contains(block.text[unit]);
    });
}

/// Whether a source range may be what the unit was rendered from.
bool explains(std::string_view source, const Block &block, std::size_t unit)
{
    const SourceRange range = block.source[unit];
    if (range.begin > range.end || range.end > source.size())
        return false;
    const std::string_view bytes = source.substr(range.begin, range.end - range.begin);
    const QChar character = block.text[static_cast<qsizetype>(unit)];
    if (bytes.empty()) // added by the renderer: around addresses, between cells, in indentation
        return QStringLiteral(" ()\t\n").contains(character) || isAddress(block, static_cast<int>(unit));
    if (bytes.front() == '&' && bytes.size() > 1)
        return entityText(bytes).contains(character);
    if (character.isSpace())
        return decoded(bytes).trimmed().isEmpty();
    return decoded(bytes).contains(character) || character == QChar(0xFFFD);
}

Blocks whole(std::string_view source)
{
    return parse(source).blocks;
}

} // namespace

class MarkdownTest : public QObject {
    Q_OBJECT

private slots:
    void findsBlocks();
    void nestsListsAndQuotes();
    void styles();
    void showsHtmlAsText();
    void showsImagesAsText();
    void keepsWholeAddresses();
    void readsTables();
    void placesLineEnds();
    void decodesEntities();
    void holdsBackIncompleteCharacters_data();
    void holdsBackIncompleteCharacters();
    void everyCharacterKnowsItsSource();
    void piecesEqualTheWhole();
    void keepsWhatIsSettled();
};

void MarkdownTest::findsBlocks()
{
    const Blocks blocks = whole("# Title\n\ntext\n\n```cpp\nint x;\n\nint y;\n```\n\n---\n");
    QCOMPARE(blocks.size(), std::size_t{4});
    QCOMPARE(blocks[0].kind, Kind::Heading);
    QCOMPARE(blocks[0].level, 1);
    QCOMPARE(blocks[1].text, QStringLiteral("text"));
    QCOMPARE(blocks[2].language, QStringLiteral("cpp"));
    QCOMPARE(blocks[2].text, QStringLiteral("int x;\n\nint y;"));
    QCOMPARE(blocks[3].kind, Kind::Rule);
}

void MarkdownTest::nestsListsAndQuotes()
{
    const Blocks blocks = whole("3. three\n   - inner\n4. four\n\n> quote\n\n- ");
    QCOMPARE(blocks.size(), std::size_t{5});
    QCOMPARE(blocks[0].containers[0].marker, QStringLiteral("3."));
    QCOMPARE(blocks[1].containers.size(), std::size_t{2});
    QCOMPARE(blocks[1].containers[0].marker, QString());
    QCOMPARE(blocks[1].containers[1].marker, QStringLiteral("•"));
    QCOMPARE(blocks[2].containers[0].marker, QStringLiteral("4."));
    QCOMPARE(blocks[3].containers[0].kind, Container::Kind::Quote);
    QCOMPARE(blocks[4].containers[0].marker, QStringLiteral("•"));
}

void MarkdownTest::styles()
{
    const Blocks blocks = whole("a **b *c* ~~d~~** `e`");
    QCOMPARE(blocks[0].text, QStringLiteral("a b c d e"));
    const std::vector<Span> expected{{2, 2, Bold, {}},
                                     {4, 1, Bold | Italic, {}},
                                     {5, 1, Bold, {}},
                                     {6, 1, Bold | Strikethrough, {}},
                                     {8, 1, Code, {}}};
    QVERIFY(blocks[0].spans == expected);
    QCOMPARE(blocks[0].unitAt(4), 2); // the "b" after "a **"
    QCOMPARE(blocks[0].unitAt(2), 2); // the stars themselves stand before it
}

void MarkdownTest::showsHtmlAsText()
{
    const Blocks inlined = whole("a <b onclick=\"x\">c</b>");
    QCOMPARE(inlined[0].text, QStringLiteral("a <b onclick=\"x\">c</b>"));
    const Blocks block = whole("<script>\nalert(1)\n</script>\n");
    QCOMPARE(block[0].kind, Kind::HtmlBlock);
    QCOMPARE(block[0].text, QStringLiteral("<script>\nalert(1)\n</script>"));
}

void MarkdownTest::showsImagesAsText()
{
    const Blocks blocks = whole("see ![the cat](http://x.org/c.png)!");
    QCOMPARE(blocks[0].text, QStringLiteral("see the cat (http://x.org/c.png)!"));
    QCOMPARE(blocks[0].spans[0].address, QStringLiteral("http://x.org/c.png"));
}

void MarkdownTest::keepsWholeAddresses()
{
    const Blocks blocks = whole("[a](https://x.org/p?q=1&amp;r=2#f)");
    QCOMPARE(blocks[0].spans[0].address, QStringLiteral("https://x.org/p?q=1&r=2#f"));
    QCOMPARE(whole("https://y.org/z")[0].spans[0].address, QStringLiteral("https://y.org/z"));
}

void MarkdownTest::readsTables()
{
    const Blocks blocks = whole("| a | b |\n|---|--:|\n| **1** | 22 |\n");
    QCOMPARE(blocks[0].kind, Kind::Table);
    QCOMPARE(blocks[0].text, QStringLiteral("a\tb\n1\t22"));
    QCOMPARE(blocks[0].cells.size(), std::size_t{4});
    QCOMPARE(blocks[0].cells[3].row, 1);
    QCOMPARE(blocks[0].cells[3].alignment, Qt::AlignRight);
    QCOMPARE(blocks[0].text.mid(blocks[0].cells[3].start, blocks[0].cells[3].length), QStringLiteral("22"));
}

void MarkdownTest::placesLineEnds()
{
    const std::string source = "```\n\na\n  b\n```\n\n*x*\ny";
    const Blocks blocks = whole(source);
    QCOMPARE(blocks[0].text, QStringLiteral("\na\n  b"));
    const std::vector<SourceRange> code{{4, 5}, {5, 6}, {6, 7}, {7, 8}, {8, 9}, {9, 10}};
    QVERIFY(blocks[0].source == code);
    const std::vector<SourceRange> text{{17, 18}, {19, 20}, {20, 21}};
    QVERIFY(blocks[1].source == text);
}

void MarkdownTest::decodesEntities()
{
    const Blocks blocks = whole("&lt;&#955;&#x1F642;&nosuch;\\*");
    QCOMPARE(blocks[0].text, QStringLiteral("<λ🙂&nosuch;*"));
    QVERIFY((blocks[0].source[0] == SourceRange{0, 4}));
    QVERIFY((blocks[0].source[2] == SourceRange{10, 19}));
    QVERIFY((blocks[0].source[3] == SourceRange{10, 19}));
    QVERIFY((blocks[0].source.back() == SourceRange{28, 29}));
    QCOMPARE(entityText("&#0;"), QString(QChar(0xFFFD)));
    QCOMPARE(entityText("&#99999999999;"), QString(QChar(0xFFFD)));
}

void MarkdownTest::holdsBackIncompleteCharacters_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("complete");
    QTest::newRow("empty") << QByteArray() << 0;
    QTest::newRow("ascii") << QByteArray("ab") << 2;
    QTest::newRow("two bytes, one here") << QByteArray("a\xC3") << 1;
    QTest::newRow("two bytes") << QByteArray("a\xC3\xA9") << 3;
    QTest::newRow("four bytes, three here") << QByteArray("a\xF0\x9F\x99") << 1;
    QTest::newRow("four bytes") << QByteArray("\xF0\x9F\x99\x82") << 4;
    QTest::newRow("not a beginning") << QByteArray("a\xFF") << 2;
    QTest::newRow("continuations only") << QByteArray("\x80\x80\x80\x80") << 4;
}

void MarkdownTest::holdsBackIncompleteCharacters()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, complete);
    QCOMPARE(static_cast<int>(completeLength({bytes.data(), static_cast<std::size_t>(bytes.size())})),
             complete);
}

void MarkdownTest::everyCharacterKnowsItsSource()
{
    std::mt19937 random(7);
    for (int round = 0; round < 3000; ++round) {
        const std::string source = randomMarkdown(random);
        std::size_t reached = 0;
        for (const Block &block : whole(source)) {
            QCOMPARE(static_cast<std::size_t>(block.text.size()), block.source.size());
            for (std::size_t unit = 0; unit < block.source.size(); ++unit) {
                if (!explains(source, block, unit))
                    qWarning() << "source:" << decoded(source) << "text:" << block.text << "unit" << unit;
                QVERIFY(explains(source, block, unit));
                QVERIFY(block.source[unit].end >= reached);
                reached = block.source[unit].end;
            }
            QVERIFY(block.sourceEnd >= reached);
        }
    }
}

void MarkdownTest::piecesEqualTheWhole()
{
    std::mt19937 random(11);
    for (int round = 0; round < 1500; ++round) {
        const std::string source = randomMarkdown(random) + randomMarkdown(random) + randomMarkdown(random);
        std::uniform_int_distribution<std::size_t> step(1, 9);
        IncrementalParser parser;
        for (std::size_t size = 0; size < source.size();) {
            size = std::min(size + step(random), source.size());
            const std::string_view so_far = std::string_view(source).substr(0, size);
            const Blocks before = parser.blocks();
            const Change change = parser.update(so_far);
            const Blocks expected = whole(so_far);
            if (parser.blocks() != expected)
                qWarning() << "source:" << decoded(so_far);
            QVERIFY(parser.blocks() == expected);
            for (std::size_t i = 0; i < change.block; ++i)
                QVERIFY(before[i] == expected[i]);
        }
    }
}

void MarkdownTest::keepsWhatIsSettled()
{
    IncrementalParser parser;
    parser.update("one\n\ntwo\n\nthree\nfour");
    const Change change = parser.update("one\n\ntwo\n\nthree\nfour five");
    QCOMPARE(change.block, std::size_t{2});
    QCOMPARE(change.unit, 10);
    const Change other = parser.update("new");
    QCOMPARE(other.block, std::size_t{0});
    QCOMPARE(parser.blocks().size(), std::size_t{1});
}

QTEST_MAIN(MarkdownTest)
#include "markdown_test.moc"
