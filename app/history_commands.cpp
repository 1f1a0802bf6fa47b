// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/history_commands.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <QFile>
#include <QFileInfo>
#include <QLocale>
#include <QSaveFile>

#include <iterator>
#include <utility>

namespace bathyscope::app {

namespace {

/// Conversation by conversation, so that the memory it takes is that of one. Returns what went wrong.
QString writeConversations(storage::History &history, const ui::ExportChoice &choice,
                           const std::vector<ConversationId> &ids)
{
    QSaveFile file(choice.file);
    if (!file.open(QIODevice::WriteOnly))
        return file.errorString();
    const bool markdown = choice.format == ui::ExportFormat::Markdown;
    const auto traces = choice.format == ui::ExportFormat::JsonLinesWithTraces ? storage::ExportTraces::Yes
                                                                               : storage::ExportTraces::No;
    const auto write = [&file](const std::string &text) {
        file.write(text.data(), static_cast<qint64>(text.size()));
    };
    if (!markdown)
        write(storage::jsonLinesHead());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const storage::ExchangedConversation conversation = history.exportConversation(ids[i], traces);
        if (markdown && i > 0)
            write("\n---\n\n");
        write(markdown ? storage::toMarkdown(conversation) : storage::toJsonLines(conversation));
    }
    return file.commit() ? QString() : file.errorString();
}

std::vector<ConversationId> allConversations(storage::History &history)
{
    std::vector<ConversationId> ids;
    for (const storage::Conversation &conversation : history.conversations())
        ids.push_back(conversation.id);
    return ids;
}

storage::ImportedFile readFile(const QString &name)
{
    QFile file(name);
    if (!file.open(QIODevice::ReadOnly))
        throw Error(file.errorString().toStdString());
    // One byte more than is allowed, so that a longer file is refused and not cut.
    const QByteArray bytes = file.read(static_cast<qint64>(limits::maxImportBytes) + 1);
    return storage::readConversations({bytes.constData(), static_cast<std::size_t>(bytes.size())});
}

/// "23 November 2026, every day", "before-restore, 23 November 2026 12:00": as the name of the file has it.
QString nameForPeople(const storage::Backup &backup)
{
    const QString name = QString::fromStdString(backup.name).mid(QStringLiteral("history-").size());
    const QLocale locale;
    if (backup.daily)
        return locale.toString(QDate::fromString(name, Qt::ISODate), QLocale::LongFormat);
    const QString format = QStringLiteral("yyyy-MM-dd-HHmmss");
    const QDateTime time = QDateTime::fromString(name.right(format.size()), format);
    if (!time.isValid())
        return name;
    const QString reason = name.chopped(format.size() + 1);
    const QString when = locale.toString(time, QLocale::LongFormat);
    return reason == QLatin1String("before-restore") ? HistoryCommands::tr("%1, before a restore").arg(when)
                                                     : HistoryCommands::tr("%1, before an update").arg(when);
}

} // namespace

HistoryCommands::HistoryCommands(HistoryClient &history, ChatController &controller, ui::MainWindow &window)
    : m_history(history)
    , m_controller(controller)
    , m_window(window)
{
}

void HistoryCommands::connectWindow()
{
    connect(&m_window, &ui::MainWindow::exportRequested, this, [this] {
        if (const ConversationId open = m_controller.conversation(); open != 0)
            askForExport({open}, m_window.conversations()->titleOf(open));
        else
            m_window.showNotice(tr("There is nothing in this conversation to export."));
    });
    connect(m_window.conversations(), &ui::ConversationList::exportRequested, this,
            [this](ConversationId id) { askForExport({id}, m_window.conversations()->titleOf(id)); });
    connect(&m_window, &ui::MainWindow::exportAllRequested, this,
            [this] { askForExport({}, tr("Conversations")); });
    connect(&m_window, &ui::MainWindow::importRequested, this, [this] {
        if (const QString file = ui::pickImportFile(&m_window); !file.isEmpty())
            importFrom(file);
    });
    connect(&m_window, &ui::MainWindow::restoreRequested, this, &HistoryCommands::askForBackup);
}

void HistoryCommands::askForExport(std::vector<ConversationId> ids, const QString &title)
{
    if (const auto choice = ui::pickExportFile(&m_window, title))
        exportTo(*choice, std::move(ids));
}

void HistoryCommands::exportTo(const ui::ExportChoice &choice, std::vector<ConversationId> ids)
{
    struct Outcome {
        QString error;
        std::size_t count = 0;
    };
    m_history.read<Outcome>(
        [choice, ids = std::move(ids)](storage::History &history) {
            const std::vector<ConversationId> wanted = ids.empty() ? allConversations(history) : ids;
            return Outcome{writeConversations(history, choice, wanted), wanted.size()};
        },
        [this, choice](const Outcome &outcome) {
            if (outcome.error.isEmpty())
                m_window.showNotice(tr("Exported %1 to %2.")
                                        .arg(outcome.count == 1 ? tr("one conversation")
                                                                : tr("%1 conversations").arg(outcome.count),
                                             choice.file));
            else
                m_window.showError(tr("%1 could not be written: %2").arg(choice.file, outcome.error));
        });
}

void HistoryCommands::importFrom(const QString &file)
{
    // Not on the storage thread: a large file would keep the words of a running reply waiting.
    m_readers.start([this, file] {
        try {
            auto read = std::make_shared<storage::ImportedFile>(readFile(file));
            QMetaObject::invokeMethod(
                this, [this, read] { begin(std::move(*read)); }, Qt::QueuedConnection);
        } catch (const std::exception &error) {
            const QString why = tr("%1 was not imported. %2")
                                    .arg(QFileInfo(file).fileName(), QString::fromStdString(error.what()));
            QMetaObject::invokeMethod(
                this, [this, why] { m_window.showError(why); }, Qt::QueuedConnection);
        }
    });
}

void HistoryCommands::begin(storage::ImportedFile file)
{
    const bool running = !m_waiting.empty();
    if (!running) {
        m_imported = 0;
        m_refused = 0;
        m_notes.clear();
    }
    for (storage::ExchangedConversation &conversation : file.conversations)
        m_waiting.push_back(std::make_shared<const storage::ExchangedConversation>(std::move(conversation)));
    if (!file.notes.empty())
        m_notes += QLatin1Char(' ') + QString::fromStdString(file.notes);
    if (!running)
        importNext();
}

/// One by one, each behind what was posted meanwhile, so that a running reply is stored as promptly as ever.
void HistoryCommands::importNext()
{
    if (m_waiting.empty()) {
        QString text = m_imported == 1 ? tr("Imported one conversation.")
                                       : tr("Imported %1 conversations.").arg(m_imported);
        if (m_refused > 0)
            text += QLatin1Char(' ') + tr("%1 could not be stored.").arg(m_refused);
        m_window.showNotice(text + m_notes);
        emit changed();
        return;
    }
    const auto settle = [this](int &counter) {
        ++counter;
        m_waiting.pop_front();
        importNext();
    };
    m_history.write([conversation = m_waiting.front(), &ids = m_history.ids()](
                        storage::History &history) { (void)history.importConversation(*conversation, ids); },
                    [this, settle] { settle(m_imported); }, [this, settle] { settle(m_refused); });
}

void HistoryCommands::askForBackup()
{
    using Backups = std::vector<storage::Backup>;
    m_history.read<Backups>(
        [](storage::History &history) { return history.backups(); },
        [this](const Backups &backups) {
            std::vector<ui::BackupEntry> entries;
            for (const storage::Backup &backup : backups)
                entries.push_back({QString::fromStdString(backup.file), nameForPeople(backup), backup.bytes});
            ui::RestoreDialog dialog(entries, &m_window);
            if (dialog.exec() == QDialog::Accepted && !dialog.chosenFile().isEmpty())
                restore(dialog.chosenFile());
        });
}

void HistoryCommands::restore(const QString &file)
{
    m_controller.leaveHistory([this, file] {
        m_history.read<bool>(
            [name = file.toStdString()](storage::History &history) {
                history.restore(name);
                return true;
            },
            [this](bool) {
                m_controller.storeModel();
                m_window.showNotice(tr("The history is as it was in the backup. What was there before is the "
                                       "newest entry in the list of backups."));
                emit changed();
            });
    });
}

} // namespace bathyscope::app
