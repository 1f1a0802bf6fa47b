// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/conversations/conversation_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

namespace bathyscope::ui {

namespace {

const QDate today(2026, 11, 23);

ConversationEntry entry(ConversationId id, int daysAgo, bool pinned = false)
{
    ConversationEntry result;
    result.id = id;
    result.title = QStringLiteral("Conversation %1").arg(id);
    result.updated = today.addDays(-daysAgo).startOfDay();
    result.pinned = pinned;
    return result;
}

QStringList textsOf(const ConversationModel &model)
{
    QStringList texts;
    for (int row = 0; row < model.rowCount(); ++row)
        texts << model.index(row).data().toString();
    return texts;
}

} // namespace

class ConversationModelTest : public QObject {
    Q_OBJECT

private slots:
    void groupsByDate()
    {
        ConversationModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setConversations({entry(1, 90, true), entry(2, 0), entry(3, 1), entry(4, 2), entry(5, 7),
                                entry(6, 8), entry(7, 31)},
                               {}, today);
        QCOMPARE(textsOf(model),
                 QStringList({"Pinned", "Conversation 1", "Today", "Conversation 2", "Yesterday",
                              "Conversation 3", "Last week", "Conversation 4", "Conversation 5", "Last month",
                              "Conversation 6", "Earlier", "Conversation 7"}));
        QCOMPARE(model.index(0).flags(), Qt::NoItemFlags);
        QVERIFY(model.index(1).flags().testFlag(Qt::ItemIsSelectable));
        QCOMPARE(model.rowOf(7), 12);
        QCOMPARE(model.rowOf(0), -1);
        QVERIFY(!model.data(model.index(13), Qt::DisplayRole).isValid());
    }

    void renamesButNotHeadings()
    {
        ConversationModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setConversations({entry(1, 0)}, {}, today);
        QSignalSpy renamed(&model, &ConversationModel::renamed);
        QVERIFY(!model.setData(model.index(0), QStringLiteral("x"), Qt::EditRole));
        QVERIFY(!model.setData(model.index(1), QStringLiteral("  "), Qt::EditRole));
        QVERIFY(model.setData(model.index(1), QStringLiteral(" New  name "), Qt::EditRole));
        QCOMPARE(renamed.count(), 1);
        QCOMPARE(renamed.first().at(1).toString(), QStringLiteral("New name"));
    }

    void foldersStandBetweenPinnedAndDates()
    {
        ConversationModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        ConversationEntry pinned = entry(1, 0, true);
        pinned.folder = 8;
        ConversationEntry filed = entry(2, 0);
        filed.folder = 8;
        model.setConversations({pinned, filed, entry(3, 0)}, {{7, "Empty"}, {8, "Sea"}}, today);
        const QStringList open{"Pinned",         "Conversation 1", "Empty",         "Sea",
                               "Conversation 2", "Today",          "Conversation 3"};
        QCOMPARE(textsOf(model), open);
        const QModelIndex sea = model.index(3);
        QCOMPARE(sea.data(ConversationModel::FolderRole).toLongLong(), 8);
        QCOMPARE(sea.data(ConversationModel::CountRole).toInt(), 1);
        QVERIFY(sea.flags().testFlag(Qt::ItemIsSelectable));
        model.setExpanded(8, false);
        QCOMPARE(textsOf(model),
                 QStringList({"Pinned", "Conversation 1", "Empty", "Sea", "Today", "Conversation 3"}));
        QCOMPARE(model.index(3).data(ConversationModel::CountRole).toInt(), 1);
        QCOMPARE(model.rowOf(2), -1);
        QCOMPARE(model.titleOf(2), QStringLiteral("Conversation 2"));
        model.setExpanded(8, true);
        QCOMPARE(textsOf(model), open);
        QSignalSpy renamed(&model, &ConversationModel::folderRenamed);
        QVERIFY(model.setData(model.index(3), QStringLiteral("Ocean"), Qt::EditRole));
        QCOMPARE(renamed.first().first().toLongLong(), 8);
    }

    void anUnchangedListIsNotReset()
    {
        ConversationModel model;
        model.setConversations({entry(1, 0), entry(2, 1)}, {}, today);
        QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
        model.setConversations({entry(1, 0), entry(2, 1)}, {}, today);
        QCOMPARE(reset.count(), 0);
        model.setConversations({}, {}, today);
        QCOMPARE(reset.count(), 1);
        QCOMPARE(model.rowCount(), 0);
    }

    void resultsStandUnderOneHeading()
    {
        ConversationModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        ConversationEntry hit = entry(1, 0);
        hit.message = 5;
        model.setResults({hit, entry(2, 50)});
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.index(1).data(ConversationModel::MessageRole).toLongLong(), 5);
        model.setResults({});
        QCOMPARE(textsOf(model), QStringList({"Nothing found"}));
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::ConversationModelTest)
#include "conversation_model_test.moc"
