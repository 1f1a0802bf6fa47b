// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/selection.h"

#include <QSignalSpy>
#include <QTest>

using namespace bathyscope::ui;

class SelectionTest : public QObject {
    Q_OBJECT

private slots:
    void aTokenIsARangeOfOne();
    void rangesAreSelectedFromEitherEnd();
    void extendingKeepsTheAnchor();
    void tokensAndCellAreApart();
    void undoAndRedo();
    void aWalkIsUndoneAtOnce();
    void aDragIsUndoneAtOnce();
    void aNewStepForgetsWhatWasUndone();
    void historyHasALimit();
    void clearLeavesNothingToUndo();
    void hoverIsNoSelection();
    void tellsOnlyOfChanges();
};

void SelectionTest::aTokenIsARangeOfOne()
{
    Selection selection;
    QVERIFY(!selection.token());
    QVERIFY(!selection.range());
    selection.setToken(TokenPosition{7, 3});
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 3}));
    QCOMPARE(selection.range()->count(), 1);
}

void SelectionTest::rangesAreSelectedFromEitherEnd()
{
    Selection selection;
    selection.setRange(7, 9, 4);
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 4, 9}));
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 4}));
    QVERIFY(selection.range()->contains({7, 4}));
    QVERIFY(selection.range()->contains({7, 9}));
    QVERIFY(!selection.range()->contains({7, 10}));
    QVERIFY(!selection.range()->contains({8, 5}));
}

void SelectionTest::extendingKeepsTheAnchor()
{
    Selection selection;
    selection.extendTo(5); // of nothing
    QVERIFY(!selection.range());
    selection.setToken(TokenPosition{7, 3});
    selection.extendTo(5);
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 5}));
    selection.extendTo(1);
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 1, 3}));
}

void SelectionTest::tokensAndCellAreApart()
{
    Selection selection;
    selection.setToken(TokenPosition{7, 3});
    selection.setCell({4, 17});
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 3}));
    selection.setToken(TokenPosition{7, 4});
    QCOMPARE(selection.cell(), (RoutingCell{4, 17}));
    selection.setCell({4, {}});
    QVERIFY(!selection.cell().expert);
    QCOMPARE(selection.cell().layer, std::optional(4));
}

void SelectionTest::undoAndRedo()
{
    Selection selection;
    QVERIFY(!selection.canUndo());
    selection.undo();
    selection.setToken(TokenPosition{7, 3});
    selection.setCell({2, 5});
    selection.setRange(7, 3, 8);
    selection.undo();
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 3}));
    QCOMPARE(selection.cell(), (RoutingCell{2, 5}));
    selection.undo();
    QCOMPARE(selection.cell(), RoutingCell());
    selection.undo();
    QVERIFY(!selection.token());
    QVERIFY(!selection.canUndo());
    selection.redo();
    selection.redo();
    selection.redo();
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 8}));
    QVERIFY(!selection.canRedo());
    selection.redo();
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 8}));
}

void SelectionTest::aWalkIsUndoneAtOnce()
{
    Selection selection;
    selection.setToken(TokenPosition{7, 3});
    for (int token = 4; token < 50; ++token)
        selection.walkTo({7, token});
    selection.undo();
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 3}));
    selection.redo();
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 49}));
    selection.walkTo({7, 48}); // another walk
    selection.undo();
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 49}));
}

void SelectionTest::aDragIsUndoneAtOnce()
{
    Selection selection;
    selection.setToken(TokenPosition{7, 3});
    for (int token = 4; token < 9; ++token)
        selection.brushTo(token);
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 8}));
    selection.undo();
    QCOMPARE(selection.range(), std::optional(TokenRange{7, 3, 3}));
}

void SelectionTest::aNewStepForgetsWhatWasUndone()
{
    Selection selection;
    selection.setToken(TokenPosition{7, 3});
    selection.setToken(TokenPosition{7, 4});
    selection.undo();
    selection.setToken(TokenPosition{7, 9});
    QVERIFY(!selection.canRedo());
    selection.undo();
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 3}));
}

void SelectionTest::historyHasALimit()
{
    Selection selection;
    for (int token = 0; token < 3000; ++token)
        selection.setToken(TokenPosition{7, token});
    int steps = 0;
    for (; selection.canUndo(); ++steps)
        selection.undo();
    QCOMPARE(steps, 1000);
    QCOMPARE(selection.token(), std::optional(TokenPosition{7, 1999}));
}

void SelectionTest::clearLeavesNothingToUndo()
{
    Selection selection;
    selection.setToken(TokenPosition{7, 3});
    selection.setToken(TokenPosition{7, 4});
    selection.undo();
    QSignalSpy changes(&selection, &Selection::changed);
    selection.clear();
    QCOMPARE(changes.count(), 1);
    QVERIFY(!selection.token());
    QVERIFY(!selection.canUndo());
    QVERIFY(!selection.canRedo());
}

void SelectionTest::hoverIsNoSelection()
{
    Selection selection;
    QSignalSpy changes(&selection, &Selection::changed);
    QSignalSpy hovers(&selection, &Selection::hoverChanged);
    selection.setHoveredToken(TokenPosition{7, 3});
    selection.setHoveredCell({1, 2});
    selection.setHoveredCell({1, 2});
    QCOMPARE(hovers.count(), 2);
    QCOMPARE(changes.count(), 0);
    QVERIFY(!selection.token());
    QVERIFY(!selection.canUndo());
}

void SelectionTest::tellsOnlyOfChanges()
{
    Selection selection;
    QSignalSpy changes(&selection, &Selection::changed);
    selection.setToken(TokenPosition{7, 3});
    selection.setToken(TokenPosition{7, 3});
    selection.setRange(7, 3, 3);
    selection.setCell({});
    QCOMPARE(changes.count(), 1);
    selection.undo();
    QVERIFY(!selection.canUndo());
}

QTEST_GUILESS_MAIN(SelectionTest)
#include "selection_test.moc"
