// SPDX-License-Identifier: GPL-3.0-or-later
//
// Ranges of tokens in the chat, the colours of its text, and the tree of its versions.
#include "ui/chat/chat_view.h"
#include "ui/chat/color_legend.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QPaintEvent>
#include <QPainter>
#include <QScreen>
#include <QSignalSpy>
#include <QTest>

#include <cmath>
#include <tuple>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

/// How much of a widget is painted.
struct PaintedHeight : QObject {
    explicit PaintedHeight(QWidget *widget) { widget->installEventFilter(this); }

    bool eventFilter(QObject *, QEvent *event) override
    {
        if (event->type() == QEvent::Paint)
            height += static_cast<QPaintEvent *>(event)->region().boundingRect().height();
        return false;
    }

    int height = 0;
};

QImage pixels(const QPixmap &picture)
{
    return picture.toImage().convertToFormat(QImage::Format_RGB32);
}

} // namespace

class ChatTokensTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void shiftAndArrowsSelectARange();
    void walkingPaintsWhatChanges();
    void textIsColouredByWhatWasExpected();
    void theLegendGoesOnToTheNextScale();
    void textKeepsItsContrastOnTheStrongestColour();
    void versionsStandAsATreeBelowTheReply();

private:
    std::unique_ptr<ChatModel> m_model;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<ChatView> m_view;
};

/// "why " in the reasoning, then "sure ", expected, and "odd", 1 in 16.
void ChatTokensTest::init()
{
    theme::apply(*qApp, ColorScheme::Light);
    m_model = std::make_unique<ChatModel>();
    m_selection = std::make_unique<Selection>();
    m_view = std::make_unique<ChatView>(m_model.get(), m_selection.get());
    ChatMessage message;
    message.id = 1;
    message.role = bathyscope::Role::Assistant;
    const std::tuple<Section, const char *, double> tokens[] = {{Section::Reasoning, "why ", 1.0},
                                                                {Section::Marker, "</think>", 1.0},
                                                                {Section::Answer, "sure ", 1.0},
                                                                {Section::Answer, "odd", 1.0 / 16}};
    for (const auto &[section, text, probability] : tokens) {
        TokenRecord record;
        record.section = section;
        record.bytes = text;
        record.logProb = static_cast<float>(std::log(probability));
        record.top = {{record.id, record.logProb}};
        message.append(std::move(record));
    }
    m_model->appendMessage(std::move(message));
    m_view->resize(700, 500);
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
    m_view->setFocus();
    QTRY_VERIFY(!m_view->tokenRect({1, 3}).isEmpty());
}

void ChatTokensTest::cleanup()
{
    m_view.reset();
}

void ChatTokensTest::shiftAndArrowsSelectARange()
{
    m_selection->setToken(TokenPosition{1, 3});
    QTest::keyClick(m_view.get(), Qt::Key_Left, Qt::ShiftModifier);
    QTest::keyClick(m_view.get(), Qt::Key_Left, Qt::ShiftModifier); // over the marker, into the reasoning
    QCOMPARE(m_selection->range(), std::optional(TokenRange{1, 0, 3}));
    QTest::keyClick(m_view.get(), Qt::Key_Left, Qt::ShiftModifier); // no further
    QTest::keyClick(m_view.get(), Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(m_selection->range(), std::optional(TokenRange{1, 2, 3}));
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(m_selection->range(), std::optional(TokenRange{1, 3, 3}));
}

/// What is on the screen after each step is what painting everything gives, though little of it is painted.
void ChatTokensTest::walkingPaintsWhatChanges()
{
    ChatMessage message;
    message.id = 2;
    message.role = bathyscope::Role::Assistant;
    const auto append = [&](const char *text) {
        TokenRecord record;
        record.section = Section::Answer;
        record.bytes = text;
        message.append(std::move(record));
    };
    for (const char *text : {"- *ffj* ", "**", "list", "**", "\n\n"})
        append(text);
    for (int i = 0; i < 120; ++i)
        append(i % 7 == 0 ? "(Ågjpq) " : "word ");
    m_model->appendMessage(std::move(message));
    m_selection->setToken(TokenPosition{2, 3});
    QTest::qWait(0);
    PaintedHeight painted(m_view->viewport());
    for (int step = 0; step < 100; ++step) {
        painted.height = 0;
        const bool extends = step % 10 == 9;
        QTest::keyClick(m_view.get(), Qt::Key_Right, extends ? Qt::ShiftModifier : Qt::NoModifier);
        QTest::qWait(0);
        QVERIFY(painted.height > 0);
        QVERIFY(painted.height < m_view->viewport()->height() / 4);
        QCOMPARE(pixels(m_view->screen()->grabWindow(m_view->winId())), pixels(m_view->grab()));
    }
}

void ChatTokensTest::textIsColouredByWhatWasExpected()
{
    const auto picture = [this](int token) {
        return m_view->viewport()->grab(m_view->tokenRect({1, token}).adjusted(2, 0, -2, 0)).toImage();
    };
    const QImage sure = picture(2);
    const QImage odd = picture(3);
    m_view->setColorBy(ColorBy::Surprisal);
    QCOMPARE(picture(2), sure);
    const QImage coloured = picture(3);
    QVERIFY(coloured != odd);
    // The cue that needs no colour: a line at the bottom.
    const auto lineHeight = [](const QImage &image) {
        int rows = 0;
        for (int y = image.height() - 5; y < image.height(); ++y)
            rows += image.pixelColor(1, y).rgb() == theme::colors().text.rgb() ? 1 : 0;
        return rows;
    };
    QCOMPARE(lineHeight(odd), 0);
    QVERIFY(lineHeight(coloured) >= 2); // half of the scale
    m_view->setColorBy(ColorBy::Nothing);
    QCOMPARE(picture(3), odd);
}

void ChatTokensTest::theLegendGoesOnToTheNextScale()
{
    auto *legend = m_view->findChild<ColorLegend *>();
    QVERIFY(!legend->isVisible());
    m_view->setColorBy(ColorBy::Probability);
    QVERIFY(legend->isVisible());
    QVERIFY(legend->accessibleName().contains(QStringLiteral("probability")));
    QTest::mouseClick(legend, Qt::LeftButton);
    QCOMPARE(m_view->colorBy(), ColorBy::Surprisal);
    m_view->nextColorBy();
    m_view->nextColorBy();
    QCOMPARE(m_view->colorBy(), ColorBy::Rank);
    m_view->nextColorBy();
    QCOMPARE(m_view->colorBy(), ColorBy::Probability);
    m_view->setColorBy(ColorBy::Nothing);
    QVERIFY(!legend->isVisible());
}

void ChatTokensTest::textKeepsItsContrastOnTheStrongestColour()
{
    const auto luminance = [](const QColor &color) {
        const auto linear = [](double value) {
            return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
        };
        return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF())
            + 0.0722 * linear(color.blueF());
    };
    for (const ColorScheme scheme : {ColorScheme::Light, ColorScheme::Dark}) {
        theme::apply(*qApp, scheme);
        for (const QColor &ground : {theme::colors().ground, theme::colors().reasoning}) {
            QImage image(20, 20, QImage::Format_RGB32);
            image.fill(ground);
            QPainter painter(&image);
            paintTokenHeat(painter, QRectF(0, 0, 20, 20), 1);
            painter.end();
            const double a = luminance(image.pixelColor(10, 5)) + 0.05;
            const double b = luminance(theme::colors().text) + 0.05;
            QVERIFY(std::max(a, b) / std::min(a, b) >= 4.5);
        }
    }
}

void ChatTokensTest::versionsStandAsATreeBelowTheReply()
{
    const auto lane = [this](int version) { return m_view->actionRect(1, Action::ShowSibling, version); };
    QVERIFY(lane(0).isEmpty());
    m_view->setSiblings(1, 1, 3);
    std::vector<ChatMessage> versions(3);
    versions[0].id = 8;
    versions[1].id = 1;
    versions[2].id = 9;
    m_view->setVersions(std::make_shared<const std::vector<ChatMessage>>(versions));
    QTRY_VERIFY(!lane(0).isEmpty());
    QVERIFY(m_view->messageRect(0).contains(lane(0)));
    QVERIFY(lane(1).top() > lane(0).top());
    QSignalSpy sibling(m_view.get(), &ChatView::siblingRequested);
    for (const int version : {0, 1, 2}) // the second one is shown
        QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, lane(version).center());
    QCOMPARE(sibling.count(), 2);
    QCOMPARE(sibling[0][1].toInt(), -1);
    QCOMPARE(sibling[1][1].toInt(), 1);
    QTest::keyClick(m_view.get(), Qt::Key_Backtab); // the last lane
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QCOMPARE(sibling.count(), 3);
    QCOMPARE(sibling[2][1].toInt(), 1);
}

QTEST_MAIN(ChatTokensTest)
#include "chat_tokens_test.moc"
