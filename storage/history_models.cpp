// SPDX-License-Identifier: GPL-3.0-or-later
//
// Models, folders, the limits of traces, copies.
#include "storage/backup.h"
#include "storage/database.h"
#include "storage/files.h"
#include "storage/history.h"
#include "storage/history_change.h"
#include "storage/history_rows.h"
#include "storage/json_values.h"
#include "storage/platform_lock.h"
#include "storage/schema.h"
#include "storage/token_blob.h"
#include "storage/trace_store.h"

#include <fmt/format.h>

#include <set>

namespace bathyscope::storage {

std::vector<Folder> History::folders()
{
    Statement select = database().prepare("SELECT id, name FROM folders ORDER BY name COLLATE NOCASE, id");
    std::vector<Folder> all;
    while (select.step())
        all.push_back({select.integer(0), select.text(1)});
    return all;
}

void History::createFolder(const Folder &folder)
{
    Change change(*this);
    database()
        .prepare("INSERT INTO folders (id, name) VALUES (?1, ?2)")
        .bind(1, folder.id)
        .bind(2, folder.name)
        .run();
    change.commit();
}

void History::renameFolder(FolderId id, const std::string &name)
{
    Change change(*this);
    database().prepare("UPDATE folders SET name = ?2 WHERE id = ?1").bind(1, id).bind(2, name).run();
    expectChange(database(), "folder", id);
    change.commit();
}

void History::removeFolder(FolderId id)
{
    Change change(*this);
    database().prepare("DELETE FROM folders WHERE id = ?1").bind(1, id).run();
    expectChange(database(), "folder", id);
    change.commit();
}

void History::moveToFolder(ConversationId id, std::optional<FolderId> folder)
{
    Change change(*this);
    database()
        .prepare("UPDATE conversations SET folder = ?2 WHERE id = ?1")
        .bind(1, id)
        .bind(2, folder)
        .run();
    expectChange(database(), "conversation", id);
    change.commit();
}

void History::setTraceLimits(const TraceLimits &limits)
{
    m_traceLimits = limits;
    trimTraces();
}

void History::trimTraces()
{
    if (m_traceLimits.bytes == 0 && m_traceLimits.age == 0)
        return;
    try {
        std::set<ConversationId> pinned;
        Statement select = database().prepare("SELECT id FROM conversations WHERE pinned = 1");
        while (select.step())
            pinned.insert(select.integer(0));
        m_traces->trim(m_traceLimits, pinned, now());
    } catch (const Error &) {
        // The words are stored; the next reply tries again.
    }
}

std::int64_t History::traceBytes()
{
    return m_traces->bytes();
}

std::string History::traceProblem() const
{
    return m_traces->problem();
}

bool History::backUpDaily()
{
    return !m_folder.empty() && !database().isReadOnly() && storage::backUpDaily(database(), m_folder);
}

std::vector<Backup> History::backups() const
{
    return m_folder.empty() ? std::vector<Backup>() : listBackups(m_folder);
}

void History::restore(const std::string &backupFile)
{
    if (database().isReadOnly())
        throw Error("This history was opened for reading only: nothing can be restored into it.");
    if (database().inTransaction())
        throw Error("A history cannot be restored inside a transaction.");
    expectUsable(backupFile);
    if (!m_folder.empty())
        backUpFor(database(), m_folder, "before-restore");
    {
        const Database backup(backupFile, Database::Mode::ReadOnly);
        database().replaceBy(backup);
    }
    // Opened again, it is brought to the current version if it is older.
    m_database.reset();
    open();
    markInterrupted();
}

void History::storeModel(const ModelInfo &info)
{
    Change change(*this);
    database()
        .prepare("INSERT INTO models (fingerprint, info) VALUES (?1, ?2) "
                 "ON CONFLICT (fingerprint) DO UPDATE SET info = excluded.info")
        .bind(1, info.fingerprint)
        .bind(2, toJson(info))
        .run();
    Statement has = database().prepare("SELECT vocabulary IS NOT NULL FROM models WHERE fingerprint = ?1");
    if (info.vocabulary && has.bind(1, info.fingerprint).step() && has.integer(0) == 0) {
        has.reset();
        database()
            .prepare("UPDATE models SET vocabulary = ?2 WHERE fingerprint = ?1")
            .bind(1, info.fingerprint)
            .bindBlob(2, packVocabulary(*info.vocabulary))
            .run();
    }
    change.commit();
}

std::optional<ModelInfo> History::model(const std::string &fingerprint)
{
    Statement select = database().prepare("SELECT info, vocabulary FROM models WHERE fingerprint = ?1");
    if (!select.bind(1, fingerprint).step())
        return std::nullopt;
    ModelInfo info;
    try {
        fromJson(select.blob(0), info);
        if (!select.isNull(1))
            info.vocabulary = std::make_shared<const Vocabulary>(unpackVocabulary(select.blob(1)));
    } catch (const Error &error) {
        throw Error(
            fmt::format("What the history holds of the model {} is damaged ({}). Load that model again to "
                        "renew it.",
                        fingerprint, error.what()));
    }
    return info;
}

} // namespace bathyscope::storage
